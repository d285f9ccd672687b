# SPDX-License-Identifier: GPL-2.0 OR MIT
# To be included: makes $(OUT)/NAME.h, the embedded image, of NAME.c, a GPU
# program. Needs clang and lld with RISC-V support, as Debian's have, and python3.

gpu_dir := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))

GPU_CC ?= clang
GPU_LD ?= ld.lld
gpu_cflags := --target=riscv64 -march=rv64ima -mabi=lp64 -mcmodel=medany -fPIC \
	-fvisibility=hidden -ffreestanding -fno-stack-protector -fno-builtin \
	-O2 -mno-relax -nostdlib -Wall -Werror -Wno-unused-command-line-argument \
	-I$(gpu_dir)
gpu_ldflags := -shared -Bsymbolic --hash-style=sysv --no-relax --nmagic --gc-sections \
	-T $(gpu_dir)/program.lds

$(OUT)/gpu-runtime.o: $(gpu_dir)/runtime.c $(gpu_dir)/gpu.h
	@mkdir -p $(@D)
	$(GPU_CC) $(gpu_cflags) -c -o $@ $<

$(OUT)/%.gpu.elf: %.c $(OUT)/gpu-runtime.o $(gpu_dir)/program.lds $(gpu_dir)/gpu.h
	$(GPU_CC) $(gpu_cflags) -c -o $(OUT)/$(*F).gpu.o $<
	$(GPU_LD) $(gpu_ldflags) -o $@ $(OUT)/$(*F).gpu.o $(OUT)/gpu-runtime.o

$(OUT)/%.h: $(OUT)/%.gpu.elf $(gpu_dir)/embed.py
	$(gpu_dir)/embed.py $< $(*F) >$@.new
	mv $@.new $@

.PRECIOUS: $(OUT)/%.gpu.elf
