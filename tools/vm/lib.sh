# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=bash
# What the scripts of tools/vm share: messages, the cache, the root.
# Sourced; sets -euo pipefail.

set -euo pipefail

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$vm_dir/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/drm-svm
export vm_dir top cache

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Every script has its help in the comment at its top.
usage() {
	sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0"
	exit "${1:-0}"
}

need_root_user() {
	[ "$(id -u)" = 0 ] ||
		die "this needs root (it makes a root file system, mounts and chroots): run it with sudo or as root"
}

# with_log LOG WHAT COMMAND...: runs a command into a log, tells once a minute
# that it still works, shows the end of the log if it fails.
with_log() {
	local log=$1 what=$2 start=$SECONDS pid rc=0
	shift 2
	say "$what (log: $log)"
	mkdir -p "$(dirname "$log")"
	"$@" >"$log" 2>&1 &
	pid=$!
	progress "$pid" "$log" "$start" &
	wait "$pid" || rc=$?
	kill $! 2>/dev/null || true
	[ $rc = 0 ] || { tail -n 40 "$log" >&2; die "$what failed, see $log"; }
	say "$what: done in $((SECONDS - start)) s"
}

progress() {
	local pid=$1 log=$2 start=$3
	while sleep 60 && kill -0 "$pid" 2>/dev/null; do
		say "  ... $((SECONDS - start)) s, $(wc -l <"$log") lines of log: $(tail -n 1 "$log" | tr '\r' '\n' | tail -n 1 | cut -c1-80)"
	done
}

# A cache entry's key: hash of files (their content) and words.
key_of() {
	local f
	for f in "$@"; do
		if [ -f "$f" ]; then cat "$f"; else printf '%s\n' "$f"; fi
	done | sha256sum | cut -c1-12
}

# A cache entry counts as made when it has its stamp, and gets its stamp last.
ready() { [ -e "$1/.complete" ]; }

# make_entry DIR FUNCTION: makes a cache entry unless it is there. FUNCTION is
# called with the directory DIR.partial, which becomes DIR when it succeeds.
# What an interrupted run left in DIR.partial is FUNCTION's to use or to clear.
# (The variables are named so as not to meet those of FUNCTION, which sees them.)
make_entry() {
	local _entry=$1 _make=$2 _rc
	! ready "$_entry" || return 0
	mkdir -p "$cache"
	set +e # a subshell in an || list would run on after errors
	(
		set -e
		flock -n 9 || { say "waiting for another run that makes $(basename "$_entry")"; flock 9; }
		! ready "$_entry" || exit 0
		rm -rf "$_entry"
		"$_make" "$_entry.partial"
		touch "$_entry.partial/.complete"
		mv "$_entry.partial" "$_entry"
	) 9>"$_entry.lock"
	_rc=$?
	set -e
	[ $_rc = 0 ] || die "could not make $(basename "$_entry")"
}

# The Debian mirror that this host uses: the archive that has main packages of
# a plain release (no security or updates suite, no other vendor's archive).
debian_mirror() {
	local uri
	# shellcheck disable=SC2016
	uri=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL) $(SUITE) $(COMPONENT)' \
		'Created-By: Packages' |
		awk '$2 == "Debian" && $3 == "Debian" && $4 !~ /-/ && $NF == "main" { print $1; exit }')
	[ -n "$uri" ] ||
		die "this host's apt sources name no Debian mirror (a release's main component), or apt-get update never ran"
	printf '%s\n' "$uri"
}

# in_root ROOT [--bind HOST:INSIDE[:ro]]... -- COMMAND...: runs a command in a
# root, with the checkout read-only at /src but for a writable /src/build. The
# mounts live in a namespace that dies with the command.
in_root() {
	local root=$1 binds=()
	shift
	while [ "$1" = --bind ]; do
		binds+=("$2")
		shift 2
	done
	[ "$1" = -- ] && shift
	mkdir -p "$top/build" "$root/src"
	unshare --mount --propagation private \
		bash "$vm_dir/enter" "$root" "$top" "${binds[@]}" -- "$@"
}
