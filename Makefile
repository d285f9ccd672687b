# SPDX-License-Identifier: GPL-2.0 OR MIT
# What a person types. All the work is done by scripts in tools/, each of which
# says what it does and can be run alone.

TESTS ?=
export TESTS

help:
	@echo "make demo           boot a guest, run a GPU program on malloc'ed memory"
	@echo "make check          all tests, on a small kernel built for them"
	@echo "make check-debug    the same with KASAN, lockdep, kmemleak and more"
	@echo "make check-planted  prove that planted bugs are caught"
	@echo "make check-gpt      the page table alone, in user space, under sanitizers"
	@echo "make check-hw       the virtual hardware alone, in user space, under sanitizers"
	@echo "make check-long     both for longer, from random seeds"
	@echo "make bench-gpt      what the page table costs, in build/bench/gpt.json"
	@echo "make bench-guest    the same operations beside the kernel's generic_pt, in instructions"
	@echo "make bench-peer     what faults, invalidations and migrations cost beside drm_gpusvm"
	@echo "make check-stress   the stress test 20 times, on the debug kernel"
	@echo "make lint           builds without warnings, sparse, checkpatch, kernel-doc, ..."
	@echo "make port-nouveau   nouveau's SVM on drm_svm: builds it, tells lines removed and added"
	@echo "make docs           Documentation/ as HTML, in build/docs"
	@echo "make series KERNEL=DIR  a patch series for the Linux tree DIR, in build/series"
	@echo "make clean          remove build/ (downloads and kernels stay in the cache)"
	@echo "make distclean      remove the cache too, and say what it was"
	@echo "TESTS='pattern' runs a part of the tests. Everything needs root and Debian 12 or 13."

demo:
	tools/vm/modules --kernel stock
	tools/vm/in-root make -C /src/tools/demo OUT=/src/build/demo
	tools/vm/run --kernel stock --timeout 300 -- tools/demo/run-in-guest

check:
	tools/check/check --kernel test

check-debug:
	tools/check/check --kernel debug

check-planted: check-planted-hw
	tools/check/planted

# Of the page table, in user space.
gpt := tools/vm/in-root make -C /src/tools/testing/gpt OUT=/src/build/gpt

# Of the virtual hardware, likewise.
hw := tools/vm/in-root make -C /src/tools/testing/hw OUT=/src/build/hw

check-gpt:
	$(gpt) check

check-hw:
	$(hw) check

check-planted-hw:
	$(hw) check-planted

check-long:
	$(gpt) check-long
	tools/check/fuzz 3600
	$(hw) check-long

bench-gpt:
	$(gpt) bench

bench-guest:
	tools/bench/generic-pt

bench-peer:
	tools/bench/peer/run

check-stress:
	tools/check/stress-loop

lint:
	tools/lint/lint

port-nouveau:
	tools/port/nouveau/build

docs:
	tools/lint/docs

series:
	tools/series "$(KERNEL)"

clean:
	rm -rf build

distclean: clean
	tools/vm/drop-cache

.PHONY: help demo check check-debug check-planted check-gpt check-hw check-planted-hw check-long \
	bench-gpt bench-guest bench-peer check-stress lint port-nouveau docs series clean distclean
