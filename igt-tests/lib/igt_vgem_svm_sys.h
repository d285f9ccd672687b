/* SPDX-License-Identifier: MIT */
#ifndef IGT_VGEM_SVM_SYS_H
#define IGT_VGEM_SVM_SYS_H

/*
 * What is around a device: files of sysfs and procfs, the driver's bind and
 * unbind, groups of tasks, processes that may hang.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Seconds of a clock that never goes back. */
double vgem_svm_seconds(void);

/* Writes a word into a file that is there: 0 or -errno. */
int vgem_svm_write_file(const char *path, const char *text);
/* The number after @key at a line's begin, or the first one: ~0 if there is none. */
uint64_t vgem_svm_read_number(const char *path, const char *key);
/* Kilobytes that /proc/meminfo has for @key. */
uint64_t vgem_svm_meminfo(const char *key);

/* "bind" or "unbind" of a device: 0 or -errno. */
int vgem_svm_driver(const char *verb, unsigned int device);
bool vgem_svm_is_bound(unsigned int device);
/* Brings back a device that a test has taken away. */
void vgem_svm_bring_back(unsigned int device);
/* Takes a device away in a process of its own, which may hang. */
pid_t vgem_svm_fork_unbind(unsigned int device);

/* True when the child has ended in @seconds; says where it hangs if not. */
bool vgem_svm_ended(pid_t pid, int seconds, int *status);
/* Ends a child and takes its status, whatever it does. */
void vgem_svm_end(pid_t pid);

/* A word that is shared with children. */
void *vgem_svm_map_shared(size_t length);
/* True when *word has reached @value in @seconds. */
bool vgem_svm_reaches(const uint64_t *word, uint64_t value, int seconds);

/* A control group of its own below the root; skips without the controller. */
void vgem_svm_group_make(const char *name, const char *controller);
int vgem_svm_group_write(const char *name, const char *file, const char *text);
uint64_t vgem_svm_group_read(const char *name, const char *file, const char *key);
/* The caller goes into the group. */
void vgem_svm_group_enter(const char *name);
/* A file of the group that stays writable when rights have been given up. */
int vgem_svm_group_open(const char *name, const char *file);
void vgem_svm_group_remove(const char *name);

#endif
