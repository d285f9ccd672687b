/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _VGEM_SVM_GPU_H_
#define _VGEM_SVM_GPU_H_

/*
 * For programs that run on the engines of vgem_svm: freestanding C, compiled to
 * RV64IMA. There is no operating system below, no libc and no start code: a
 * LAUNCH packet jumps to the entry with a0 = number of the thread and a1..a7 =
 * the packet's arguments, which is what the calling convention does with
 *
 *	GPU_ENTRY(name)(u64 thread, u64 arg1, ..., u64 arg7)
 *
 * and the program ends when that function returns. Memory is the process's own:
 * an argument may be any pointer of it.
 */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long s64;

/* Entries are what the image exports; all else is internal to it. */
#define GPU_ENTRY(name) \
	__attribute__((visibility("default"), used)) void name

/* An access that happens when and as often as it is written. */
#define gpu_load(ptr)		__atomic_load_n(ptr, __ATOMIC_RELAXED)
#define gpu_store(ptr, value)	__atomic_store_n(ptr, value, __ATOMIC_RELAXED)
#define gpu_atomic_add(ptr, n)	__atomic_fetch_add(ptr, n, __ATOMIC_RELAXED)
#define gpu_fence()		__atomic_thread_fence(__ATOMIC_SEQ_CST)

void *memset(void *dest, int c, u64 n);
void *memcpy(void *restrict dest, const void *restrict src, u64 n);
void *memmove(void *dest, const void *src, u64 n);
int memcmp(const void *a, const void *b, u64 n);

#endif /* _VGEM_SVM_GPU_H_ */
