/* SPDX-License-Identifier: MIT */
#ifndef IGT_VGEM_SVM_UFFD_H
#define IGT_VGEM_SVM_UFFD_H

/* userfaultfd: who is told of a missing or protected page, and gives it. */

#include <linux/userfaultfd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A descriptor with these features (UFFD_FEATURE_*); skips without them. */
int vgem_svm_uffd_open(uint64_t features);
/* UFFDIO_REGISTER_MODE_*, for an interval. */
void vgem_svm_uffd_register(int fd, void *p, size_t length, uint64_t mode);
/* Pages of the interval are protected from writes, or no longer. */
void vgem_svm_uffd_protect(int fd, void *p, size_t length, bool on);
/* Takes the next event: false if there is none in @seconds. */
bool vgem_svm_uffd_event(int fd, int seconds, struct uffd_msg *msg);
/* Gives a page whose words are all @word: 0 or -errno. */
int vgem_svm_uffd_give(int fd, void *page, uint64_t word);

#endif
