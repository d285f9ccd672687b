# SPDX-License-Identifier: GPL-2.0 OR MIT
# The hardware half, linked into vgem_svm.ko; the IOMMU is a module of its own.
vgem_svm-hw-objs := hw/vgem_svm_hw.o hw/vgem_svm_bus.o hw/vgem_svm_irq.o \
	hw/vgem_svm_mmu.o hw/vgem_svm_inv.o hw/vgem_svm_fault.o \
	hw/vgem_svm_chan.o hw/vgem_svm_packet.o hw/vgem_svm_compute.o hw/vgem_svm_sched.o \
	hw/vgem_svm_rv64.o hw/vgem_svm_copy.o hw/vgem_svm_pt.o

# Their accesses to memory of processes are checked by hand, in
# vgem_svm_access(): instrumented, they are too slow.
KASAN_SANITIZE_hw/vgem_svm_rv64.o := n
KASAN_SANITIZE_hw/vgem_svm_mmu.o := n
KASAN_SANITIZE_hw/vgem_svm_compute.o := n

obj-$(CONFIG_VGEM_SVM_IOMMU) += hw/vgem_svm_iommu.o

# vgem_svm_hw_test.o is in the Makefile.
obj-$(CONFIG_VGEM_SVM_KUNIT_TEST) += hw/tests/vgem_svm_rv64_test.o \
	hw/tests/vgem_svm_hw_entry_test.o hw/tests/vgem_svm_hw_nofault_test.o
CFLAGS_hw/tests/vgem_svm_hw_test.o := -I$(src)/hw
CFLAGS_hw/tests/vgem_svm_rv64_test.o := -I$(src)/hw
CFLAGS_hw/tests/vgem_svm_hw_entry_test.o := -I$(src)/hw
CFLAGS_hw/tests/vgem_svm_hw_nofault_test.o := -I$(src)/hw
