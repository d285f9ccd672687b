# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=bash
# What the scripts of tools/vm share: messages, steps with a log, the cache, the
# root. Sourced; sets -euo pipefail.

set -euo pipefail

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$vm_dir/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/drm-svm
export vm_dir top cache

# What die says is the last line of a run: a caller that sees its status adds nothing.
told=126
say() { printf '== %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit "$told"; }

# Every script has its help in the comment at its top.
usage() {
	sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0"
	exit "${1:-0}"
}

# Root, and mounts of one's own: what the kernel refuses is found here, not
# minutes later.
need_root_user() {
	local why
	[ "$(id -u)" = 0 ] ||
		die "this needs root (it makes a root file system, mounts and chroots): run it with sudo or as root"
	why=$(unshare --mount --propagation private true 2>&1) && return
	case $why in
	*'Invalid argument'*) why="the root directory is no mount point; before chroot DIR: mount --bind DIR DIR" ;;
	*) why="the kernel says ${why##*: }; a container needs CAP_SYS_ADMIN" ;;
	esac
	die "cannot make mounts of my own here: $why"
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
	until ends_in_a_minute "$pid"; do
		say "  ... $((SECONDS - start)) s, $(wc -l <"$log") lines of log: $(tail -n 1 "$log" | tr '\r' '\n' | tail -n 1 | cut -c1-80)"
	done
	wait "$pid" || rc=$?
	[ $rc = 0 ] || { tail -n 40 "$log" >&2; die "$what failed$(reason_in "$log"), see $log"; }
	say "$what: done in $((SECONDS - start)) s"
}

# No process may outlive the step: it would hold the caller's pipe and lock open.
ends_in_a_minute() { timeout 60 tail --pid="$1" -s 0.2 -f /dev/null; }

# ": REASON" if the log of a failed step shows one that the project is not to blame for.
reason_in() {
	if grep -qE 'No space left on device|not enough free space|Disk quota exceeded' "$1"; then
		printf ': no room left, %s has %s MB free' "$cache" "$(free_mb)"
	elif grep -qE 'Could not resolve|Temporary failure|Could not connect|Unable to connect|Network is unreachable|Connection timed out|Connection failed|Could not handshake' "$1"; then
		printf ': no network, or the Debian mirror does not answer'
	fi
}

free_mb() { df -Pm "$cache" | awk 'NR == 2 { print $4 }'; }

# A cache entry's key: hash of files (their content) and words.
key_of() {
	local f
	for f in "$@"; do
		if [ -f "$f" ]; then cat "$f"; else printf '%s\n' "$f"; fi
	done | sha256sum | cut -c1-12
}

# facts_of ENTRY: what there is to know of a kind of cache entry. Sets room, the MB
# that making it takes, and keys, the files and directories in it that are looked at
# each time that it is used.
facts_of() {
	case $(basename "$1") in
	root-*) room=3200 keys=(etc/drm-svm-versions boot usr/bin usr/sbin usr/local/bin usr/libexec
		usr/lib/gcc usr/include/stdio.h "usr/lib/x86_64-linux-gnu/*.so*") ;;
	source-*) room=2400 keys=(Makefile Kconfig scripts include/linux tools/memory-model tools/objtool) ;;
	kernel-stock-*) room=50 keys=(vmlinuz release) ;;
	kernel-*) room=3500 keys=(vmlinuz release lib/modules obj/.config obj/Module.symvers obj/Makefile
		obj/include/generated obj/scripts obj/tools) ;;
	initrd-*) room=50 keys=(initrd.gz) ;;
	*) die "no facts of $1" ;;
	esac
}

# An entry's stamp, which it gets last, is the list of the key files and their sizes.
write_stamp() {
	local keys room key
	facts_of "$1"
	(
		cd "$1"
		# shellcheck disable=SC2048
		for key in ${keys[*]}; do
			[ -d "$key" ] || [ -s "$key" ] || { say "$(basename "$1") has no $key"; exit 1; }
		done
		# shellcheck disable=SC2048,SC2086
		find ${keys[*]} -not -type d -printf '%s %p\n' >.complete.new &&
			mv .complete.new .complete
	)
}

# differs ENTRY: the key files that are not as the stamp has them.
differs() {
	(
		cd "$1"
		cut -d ' ' -f 2- .complete | xargs -r -d '\n' stat -c '%s %n' 2>/dev/null |
			diff - .complete | sed -n 's/^> [0-9]* //p'
	) || true
}

# A cache entry counts as made when it has its stamp and is as that says. An empty
# stamp is that of an older checkout: what is there is believed.
ready() {
	[ -e "$1/.complete" ] || return 1
	[ -s "$1/.complete" ] || write_stamp "$1" || return 1
	[ -z "$(differs "$1")" ]
}

# What is missing is told before the work begins. What an interrupted run has
# already made needs no more room.
need_room() {
	local keys room there=0 free
	facts_of "$1"
	[ ! -d "$1.partial" ] || there=$(du -sm "$1.partial" | cut -f 1)
	free=$(free_mb)
	[ "$free" -ge $((room - there)) ] ||
		die "no room for $(basename "$1"): it needs $((room - there)) MB, $cache has $free MB free"
}

tell_damage() {
	local damage
	[ -e "$1/.complete" ] || return 0
	damage=$(differs "$1")
	say "$(basename "$1") is damaged (${damage:+$(wc -l <<<"$damage") key files, such as $(head -n 1 <<<"$damage")}): making it anew"
}

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
		tell_damage "$_entry"
		rm -rf "$_entry"
		need_room "$_entry"
		"$_make" "$_entry.partial"
		write_stamp "$_entry.partial"
		mv "$_entry.partial" "$_entry"
	) 9>"$_entry.lock"
	_rc=$?
	set -e
	case $_rc in
	0) ;;
	"$told") exit "$told" ;;
	*) die "could not make $(basename "$_entry") ($cache has $(free_mb) MB free)" ;;
	esac
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
