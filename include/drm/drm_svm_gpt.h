/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_GPT_H_
#define _DRM_SVM_GPT_H_

#include <drm/drm_gpt.h>
#include <drm/drm_svm_sink.h>

struct drm_svm_gpt;

/**
 * struct drm_svm_gpt_ops - what a driver does for a table that its device walks
 * @flush_begin: start to invalidate what the gather covers (leaves; walk caches
 *	too if &drm_gpt_gather.directory), on every unit of the device, behind what
 *	the zap wrote or recorded. May be called in an MMU notifier: no allocation, no
 *	lock held over one, does not sleep.
 *	Returns a token for @flush_wait.
 * @flush_wait: wait until the flush is done and no access through an old
 *	translation is in flight. Bounded. Must poll if !@may_sleep, which is only
 *	asked for where the CPU writes the table.
 *	Returns 0; -EAGAIN if it would have to sleep and may not; another error if the
 *	device does not answer, then @kill follows.
 * @leaf_attr: which of &drm_gpt_config.attrs a page is mapped with: caching, execution
 *	and the like. Optional; 0 without it. Called before the range's lock is taken:
 *	the page may be another's by now, and what the answer goes by has to stay as it
 *	is under the service lock. Does not sleep. Returns the index
 * @kill: the device did not answer: stop its engines and cut its DMA before
 *	returning, so that nothing is accessed any more. Must not allocate, nor sleep
 *	if !@may_sleep. More than once is no harm.
 */
struct drm_svm_gpt_ops {
	u64 (*flush_begin)(struct drm_svm_gpt *table,
			   struct drm_gpt_gather *gather);
	int (*flush_wait)(struct drm_svm_gpt *table, u64 token, bool may_sleep);
	u8 (*leaf_attr)(struct drm_svm_gpt *table, u64 va, unsigned long pfn,
			const struct drm_svm_run *run);
	void (*kill)(struct drm_svm_gpt *table, bool may_sleep);
};

/**
 * struct drm_svm_gpt - a page table as the sink of a view; embed it
 * @view: the view: all that the table reaches
 * @gpt: the table
 * @ops: the driver's
 * @flush_on_upgrade: the device does not look into the table again when an entry that
 *	it has cached lets it read only, and it wants to write; set before
 *	drm_svm_gpt_init()
 */
struct drm_svm_gpt {
	struct drm_svm_view view;
	struct drm_gpt *gpt;
	const struct drm_svm_gpt_ops *ops;
	bool flush_on_upgrade;
};

int drm_svm_gpt_init(struct drm_svm_gpt *table, struct drm_svm *svm,
		     struct drm_gpt *gpt, const struct drm_svm_gpt_ops *ops);
void drm_svm_gpt_fini(struct drm_svm_gpt *table);
void drm_svm_gpt_flush(struct drm_svm_gpt *table, struct drm_gpt_gather *gather);

#endif /* _DRM_SVM_GPT_H_ */
