/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_PLANTED_H_
#define _DRM_SVM_PLANTED_H_

#include <linux/types.h>

/*
 * Bugs planted on purpose, so that the test suite can prove that it catches
 * them. Absent unless CONFIG_DRM_SVM_PLANTED_BUGS; then drm_gpt.planted=N and
 * drm_svm.planted=N pick one at load time: drm_gpt has those that are named
 * after it and number 8, vgem_svm looks at drm_svm's switch. The numbers stay.
 */
enum drm_svm_planted {
	DRM_SVM_PLANTED_NONE,
	DRM_SVM_PLANTED_NO_FLUSH,	/* invalidation does not flush TLBs */
	DRM_SVM_PLANTED_NO_GEN,		/* commit does not compare the generation */
	DRM_SVM_PLANTED_NO_PT_WAIT,	/* replay does not wait for the table */
	DRM_SVM_PLANTED_EARLY_UNMAP,	/* DMA is unmapped before the flush */
	DRM_SVM_PLANTED_ACK_ERROR,	/* a failed fault is replayed as served */
	DRM_SVM_PLANTED_OWNER_FILTER,	/* own migrations do not invalidate */
	DRM_SVM_PLANTED_NO_DIRTY,	/* invalidation does not dirty pages */
	DRM_GPT_PLANTED_LEAF_FLUSH,	/* directory zap flushes leaves only */

	/* 9 is the device's. Of drm_gpt; tools/testing/gpt/planted has them all. */
	DRM_GPT_PLANTED_LINK_EARLY = 10, /* linked first, then stale is cleared */
	DRM_GPT_PLANTED_VALID_EARLY,	/* still valid? asked before the lock */
	DRM_GPT_PLANTED_FREE_EARLY,	/* reclaimed tables freed before the flush */
	DRM_GPT_PLANTED_SPLIT_EMPTY,	/* split does not fill the table */
	DRM_GPT_PLANTED_NO_EPOCH,	/* relink leaves children linked */
	DRM_GPT_PLANTED_NO_WIDEN,	/* zap takes a part of a hint group */
	DRM_GPT_PLANTED_NO_UNHINT,	/* commit leaves the hint on the rest */
	DRM_GPT_PLANTED_NO_PIN,		/* reclaim takes pinned tables */
	DRM_GPT_PLANTED_NO_PENDING,	/* lookups do not know the fence */
	DRM_GPT_PLANTED_FIRST_HOLE,	/* zap ends at the first hole */
	DRM_GPT_PLANTED_SHORT_END,	/* last entry of a table is left out */
	DRM_GPT_PLANTED_SHORT_ROOT,	/* root is one entry too small */
	DRM_GPT_PLANTED_STRADDLE,	/* tables counted by length alone */
	DRM_GPT_PLANTED_MIXED_ENDS,	/* walk down: one byte too many */
	DRM_GPT_PLANTED_SHIFT_32,	/* addresses computed in 32 bits */
	DRM_GPT_PLANTED_WRONG_UNDO,	/* failed prepare keeps a pin */
	DRM_GPT_PLANTED_IDLE_EARLY,	/* empty? looked at before the lock */
	DRM_GPT_PLANTED_PAGE_HOLES,	/* lookup steps through holes by pages */
	DRM_GPT_PLANTED_PROMOTE_MISSED,	/* zap does not look for a promotion */
	DRM_GPT_PLANTED_STALE_ZAP,	/* zap below unlinked directories */
	DRM_GPT_PLANTED_STALE_PROMOTE,	/* promote below unlinked directories */
	DRM_GPT_PLANTED_NOT_BUSY,	/* stores ahead of commands for the table */
	DRM_GPT_PLANTED_LINK_NOT_BUSY,	/* no fence where a table is being linked */
	DRM_GPT_PLANTED_BESIDE_LEFT,	/* zap leaves the entry beside a group */
	DRM_GPT_PLANTED_BESIDE_EARLY,	/* entry beside comes before its group */
	DRM_GPT_PLANTED_DUAL_ORDER,	/* halves of an entry in the wrong order */
	DRM_GPT_PLANTED_SHRINK_NO_FLUSH, /* the shrinker frees without a flush */
	DRM_GPT_PLANTED_SHRINK_NO_WAIT,	/* fini does not wait for a scan */

	/* Again of drm_svm. */
	DRM_SVM_PLANTED_SRCU_PAGE_IN = 38, /* page-in under the SRCU of all regions */
	DRM_SVM_PLANTED_HELD_ERROR,	/* a page that is held back is an error */
	DRM_SVM_PLANTED_NO_UPGRADE,	/* neighbours mapped read-only stay so */
	DRM_SVM_PLANTED_GC_WAITS = 41,	/* the collector waits for services */
	DRM_SVM_PLANTED_ZAP_DYING,	/* a device whose pages are dying is not flushed */
	DRM_SVM_PLANTED_STUCK_FORGOTTEN = 43, /* pages that are held are tried again */
	DRM_SVM_PLANTED_NO_SOFT_EPOCH,	/* soft-dirty clears leave pages writable */

	/* Of vgem_svm. */
	VGEM_SVM_PLANTED_USER_COUNT = 47, /* COUNTERS believes the caller's number */
	VGEM_SVM_PLANTED_CHAN_LEAK,	/* a queue closed with work keeps its channel */
	VGEM_SVM_PLANTED_REVOKE_NO_FLUSH = 62, /* revoked memory stays in TLBs */
	VGEM_SVM_PLANTED_BIND_OWNER = 60, /* binds are leaves of the mirror */
	VGEM_SVM_PLANTED_UNBIND_NO_FLUSH, /* unbind does not flush TLBs */
	VGEM_SVM_PLANTED_FLUSH_KEEPS = 69, /* binds keep ring space while they flush */

	/* Of drm_svm. */
	DRM_SVM_PLANTED_SHARED_MOVES = 49, /* pages that others have too are moved */
	DRM_SVM_PLANTED_VIEW_FORGOTTEN = 54, /* an invalidation ends after a round */
	DRM_SVM_PLANTED_UNRECORDED,	/* a map that failed half way is not recorded */
	DRM_SVM_PLANTED_UPGRADE_CACHED,	/* more rights, and no flush where one is needed */
	DRM_SVM_PLANTED_CLAIM_IGNORED,	/* what is claimed is served as all else */
	DRM_SVM_PLANTED_KEEPS_SPACE,	/* ring space is kept while a flush is waited for */

	DRM_SVM_PLANTED_UNCHECKED_USE = 59, /* a fence is published, and nothing looked at */
	DRM_SVM_PLANTED_KEEPS_DEAD = 63, /* services of a process that is gone go on */
	DRM_SVM_PLANTED_ONE_BY_ONE,	/* fences are told to end one after the other */
	DRM_SVM_PLANTED_NO_REVOKE = 66,	/* entries of an array go, and nobody is told */
	DRM_SVM_PLANTED_NO_FENCES,	/* jobs that use pages are not waited for */

	/* Of drm_svm's answers to faults. */
	DRM_SVM_PLANTED_ANSWER_LOST = 52, /* who is stopped is not told of its faults */
	DRM_SVM_PLANTED_ANSWER_TWICE,	/* who is refused is told so twice */

	/* Again of drm_gpt. */
	DRM_GPT_PLANTED_SPLIT_HINT = 50, /* split leaves a hint across the address */
	DRM_GPT_PLANTED_JOIN_OWNERS,	/* promotion joins leaves of two owners */
	DRM_GPT_PLANTED_HINT_OWNERS = 65, /* a group keeps its hint over another's leaves */
	DRM_GPT_PLANTED_SPLIT_EARLY = 68, /* lookups find a split before it is filled */
	DRM_SVM_PLANTED_BLOCK_OF_HOLES = 70,	/* huge page known in part taken for whole */
};

#ifdef CONFIG_DRM_SVM_PLANTED_BUGS
extern int drm_gpt_planted_bug;
extern int drm_svm_planted_bug;

static inline bool drm_gpt_planted(enum drm_svm_planted bug)
{
	return READ_ONCE(drm_gpt_planted_bug) == bug;
}

static inline bool drm_svm_planted(enum drm_svm_planted bug)
{
	return READ_ONCE(drm_svm_planted_bug) == bug;
}
#else
/* Folded before anything else looks: the objects are those of sources without. */
#define drm_gpt_planted(bug)	((bug) && false)
#define drm_svm_planted(bug)	((bug) && false)
#endif

#endif /* _DRM_SVM_PLANTED_H_ */
