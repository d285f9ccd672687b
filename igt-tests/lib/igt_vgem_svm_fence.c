// SPDX-License-Identifier: MIT
#include <linux/sync_file.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <xf86drm.h>

#include "igt.h"
#include "igt_vgem_svm_fence.h"

uint64_t *vgem_svm_slot(struct vgem_svm_queue *q)
{
	return q->batch + q->given % 32 * 16;
}

void vgem_svm_launch(struct vgem_svm_queue *q, uint64_t *batch, uint64_t entry,
		     const uint64_t args[7])
{
	batch[0] = DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_LAUNCH,
				    DRM_VGEM_SVM_LAUNCH_WORDS);
	batch[1] = entry;
	batch[2] = 1;
	batch[3] = VA(q->stack);
	batch[4] = VGEM_SVM_QUEUE_STACKS / DRM_VGEM_SVM_RESIDENT_THREADS;
	memcpy(&batch[5], args, 7 * sizeof(*args));
}

int __vgem_svm_exec_synced(struct vgem_svm_queue *q, const uint64_t *batch,
			   unsigned int nr, const struct drm_vgem_svm_sync *in,
			   const struct drm_vgem_svm_sync *out)
{
	struct drm_vgem_svm_exec args = {
		.queue_id = q->id,
		.flags = DRM_VGEM_SVM_EXEC_EVENT,
		.batch_addr = VA(batch),
		.batch_bytes = nr * 8,
		.nr_in_syncs = !!in,
		.in_syncs = VA(in),
		.in_sync_stride = sizeof(*in),
		.nr_out_syncs = !!out,
		.out_syncs = VA(out),
		.out_sync_stride = sizeof(*out),
	};
	int ret = __vgem_svm_ioctl(q->fd, DRM_IOCTL_VGEM_SVM_EXEC, &args);

	if (!ret)
		q->given++;
	return ret;
}

uint32_t vgem_svm_syncobj(int fd)
{
	uint32_t handle;

	igt_assert(!drmSyncobjCreate(fd, 0, &handle));
	return handle;
}

int vgem_svm_sync_file(int fd, uint32_t handle)
{
	int file;

	igt_assert(!drmSyncobjExportSyncFile(fd, handle, &file));
	return file;
}

int vgem_svm_file_status(int file)
{
	struct sync_file_info info = {};

	igt_assert(!ioctl(file, SYNC_IOC_FILE_INFO, &info));
	return info.status;
}

int vgem_svm_file_await(int file)
{
	struct pollfd pfd = { .fd = file, .events = POLLIN };

	igt_assert_f(poll(&pfd, 1, 1000 * vgem_svm_patience(20)) == 1,
		     "the fence is not signalled\n");
	return vgem_svm_file_status(file);
}

int vgem_svm_fence_status(int fd, uint32_t handle)
{
	int file = vgem_svm_sync_file(fd, handle), ret = vgem_svm_file_status(file);

	close(file);
	return ret;
}

int vgem_svm_fence_await(int fd, uint32_t handle)
{
	int file = vgem_svm_sync_file(fd, handle), ret = vgem_svm_file_await(file);

	close(file);
	return ret;
}
