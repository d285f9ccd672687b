// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The ioctls. Each is filled in as a program would do it, and then, once in a
 * while, one of its fields is something else: so what is wrong is wrong alone.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm/drm.h>

#include "fuzz.h"

#define FUZZ_BATCH_WORDS	256

const char * const fuzz_call_names[FUZZ_CALLS] = {
	"QUERY", "VM_CREATE", "VM_DESTROY", "QUEUE_CREATE", "QUEUE_DESTROY",
	"QUEUE_QUERY", "EXEC", "MIGRATE", "ATTR_SET", "ATTR_GET", "RESIDENCY",
	"COUNTERS", "FAULTS", "GEM_CREATE", "GEM_MMAP", "VM_BIND", "USERPTR",
};

static const unsigned long fuzz_requests[FUZZ_CALLS] = {
	DRM_IOCTL_VGEM_SVM_QUERY, DRM_IOCTL_VGEM_SVM_VM_CREATE,
	DRM_IOCTL_VGEM_SVM_VM_DESTROY, DRM_IOCTL_VGEM_SVM_QUEUE_CREATE,
	DRM_IOCTL_VGEM_SVM_QUEUE_DESTROY, DRM_IOCTL_VGEM_SVM_QUEUE_QUERY,
	DRM_IOCTL_VGEM_SVM_EXEC, DRM_IOCTL_VGEM_SVM_MIGRATE,
	DRM_IOCTL_VGEM_SVM_ATTR_SET, DRM_IOCTL_VGEM_SVM_ATTR_GET,
	DRM_IOCTL_VGEM_SVM_RESIDENCY, DRM_IOCTL_VGEM_SVM_COUNTERS,
	DRM_IOCTL_VGEM_SVM_FAULTS, DRM_IOCTL_VGEM_SVM_GEM_CREATE,
	DRM_IOCTL_VGEM_SVM_GEM_MMAP, DRM_IOCTL_VGEM_SVM_VM_BIND,
	DRM_IOCTL_VGEM_SVM_USERPTR,
};

/* ---- files -------------------------------------------------------------- */

bool fuzz_is_ours(int fd)
{
	char name[16] = "";
	struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };

	return !ioctl(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, "vgem_svm");
}

/* The @index-th device there is at the moment. Return: -1 if there is none. */
int fuzz_open(unsigned int index)
{
	DIR *dir = opendir("/dev/dri");
	struct dirent *entry;
	int fd = -1;

	while (dir && fd < 0 && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "renderD", 7))
			continue;
		fd = openat(dirfd(dir), entry->d_name, O_RDWR);
		if (fd >= 0 && !(fuzz_is_ours(fd) && !index--)) {
			close(fd);
			fd = -1;
		}
	}
	if (dir)
		closedir(dir);
	return fd;
}

void fuzz_open_one(struct fuzz *f)
{
	int *fd = &f->fds[fuzz_below(f, FUZZ_FDS)];
	unsigned int index = fuzz_below(f, 2);

	if (*fd >= 0 && !fuzz_one_in(f, 8))
		return;
	if (*fd >= 0)
		close(*fd);
	*fd = fuzz_open(index);
	if (*fd < 0 && index)
		*fd = fuzz_open(0);
}

void fuzz_close_one(struct fuzz *f)
{
	int *fd = &f->fds[fuzz_below(f, FUZZ_FDS)];

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- one call ----------------------------------------------------------- */

/* Half a field is as good as a whole one: the struct is hit as words. */
static void fuzz_bend(struct fuzz *f, void *arg, size_t size)
{
	uint32_t *words = arg;

	words[fuzz_below(f, size / sizeof(*words))] = fuzz_odd(f);
}

/* Bent or not, it is counted. Return: as ioctl(). */
int fuzz_call(struct fuzz *f, enum fuzz_call call, int fd, void *arg)
{
	unsigned long request = fuzz_requests[call];
	size_t size = _IOC_SIZE(request);
	char longer[512] = "";
	int ret;

	fuzz_say(f, fuzz_call_names[call]);
	if (fuzz_one_in(f, 8))
		fuzz_bend(f, arg, size);
	memcpy(longer, arg, size);
	/* A caller of another age has a struct of another size. */
	if (fuzz_one_in(f, 16))
		request = _IOC(_IOC_READ | _IOC_WRITE, DRM_IOCTL_BASE, _IOC_NR(request),
			       fuzz_below(f, sizeof(longer)));
	if (fuzz_one_in(f, 64))
		arg = (void *)(uintptr_t)fuzz_addr(f, 8);
	else
		arg = memcpy(arg, longer, size);
	f->slot->called[call]++;
	ret = ioctl(fd, request, _IOC_SIZE(request) > size ? longer : arg);
	if (!ret)
		f->slot->done[call]++;
	return ret;
}

/* A file that is open, if there is one; seldom any. Return: its index. */
static int fuzz_open_file(struct fuzz *f)
{
	unsigned int first = fuzz_below(f, FUZZ_FDS), i;
	bool any = fuzz_one_in(f, 32);

	for (i = 0; i < FUZZ_FDS; i++) {
		unsigned int file = (first + i) % FUZZ_FDS;

		if (any || f->fds[file] >= 0)
			return file;
	}
	return first;
}

/* A handle that was given to us, if there is one; seldom with another's file. */
static struct fuzz_id *fuzz_known(struct fuzz *f, struct fuzz_id *ids)
{
	unsigned int first = fuzz_below(f, FUZZ_IDS), i;
	bool any = fuzz_one_in(f, 32);

	for (i = 0; i < FUZZ_IDS; i++) {
		struct fuzz_id *known = &ids[(first + i) % FUZZ_IDS];

		if (any || (known->id && f->fds[known->file] >= 0))
			return known;
	}
	return &ids[first];
}

static int fuzz_file_of(struct fuzz *f, struct fuzz_id *ids, uint32_t *id)
{
	const struct fuzz_id *known = fuzz_known(f, ids);

	*id = known->id;
	return f->fds[fuzz_one_in(f, 32) ? (int)fuzz_below(f, FUZZ_FDS) : known->file];
}

static uint64_t fuzz_bytes(struct fuzz *f)
{
	return fuzz_one_in(f, 20) ? fuzz_odd(f) : (1 + fuzz_below(f, 128)) * FUZZ_PAGE;
}

/* ---- address spaces and queues ------------------------------------------ */

static void fuzz_query(struct fuzz *f)
{
	uint64_t data[64];
	struct drm_vgem_svm_query args = {
		.query = fuzz_below(f, 3),
		.size = fuzz_one_in(f, 4) ? fuzz_below(f, sizeof(data)) : sizeof(data),
		.data = fuzz_one_in(f, 8) ? fuzz_addr(f, 8) : (uintptr_t)data,
	};

	fuzz_call(f, FUZZ_QUERY, f->fds[fuzz_open_file(f)], &args);
}

static uint32_t fuzz_vm_flags(struct fuzz *f)
{
	uint32_t flags = fuzz_one_in(f, 2) ? DRM_VGEM_SVM_VM_USERPTR : 0;

	if (fuzz_one_in(f, 4))
		return flags | DRM_VGEM_SVM_VM_NO_SVM;
	return flags | (fuzz_one_in(f, 2) ? DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT : 0);
}

static void fuzz_vm_create(struct fuzz *f)
{
	struct drm_vgem_svm_vm_create args = { .flags = fuzz_vm_flags(f) };
	int file = fuzz_open_file(f);
	struct fuzz_id *vm = &f->vms[fuzz_below(f, FUZZ_IDS)];

	if (!fuzz_call(f, FUZZ_VM_CREATE, f->fds[file], &args))
		*vm = (struct fuzz_id) { file, args.vm_id };
}

/* What is gone is known for a while still, and asked for. */
static void fuzz_vm_destroy(struct fuzz *f)
{
	struct fuzz_id *vm = fuzz_known(f, f->vms);
	struct drm_vgem_svm_vm_destroy args = { .vm_id = vm->id };

	if (fuzz_call(f, FUZZ_VM_DESTROY, f->fds[vm->file], &args) || fuzz_one_in(f, 2))
		vm->id = 0;
}

static void fuzz_queue_create(struct fuzz *f)
{
	struct drm_vgem_svm_queue_create args = {
		.engine_instance = fuzz_below(f, 2),
		.flags = fuzz_one_in(f, 4) ? DRM_VGEM_SVM_QUEUE_NO_FAULT : 0,
		.eventfd = fuzz_one_in(f, 2) ? f->event : -1,
		.budget = 10 + fuzz_below(f, 20000),
	};
	struct fuzz_id vm = *fuzz_known(f, f->vms);
	struct fuzz_id *queue = &f->queues[fuzz_below(f, FUZZ_IDS)];

	args.vm_id = vm.id;
	if (fuzz_one_in(f, 16))
		args.eventfd = fuzz_below(f, 32);
	if (!fuzz_call(f, FUZZ_QUEUE_CREATE, f->fds[vm.file], &args))
		*queue = (struct fuzz_id) { vm.file, args.queue_id };
}

static void fuzz_queue_destroy(struct fuzz *f)
{
	struct fuzz_id *queue = fuzz_known(f, f->queues);
	struct drm_vgem_svm_queue_destroy args = { .queue_id = queue->id };

	if (fuzz_call(f, FUZZ_QUEUE_DESTROY, f->fds[queue->file], &args) ||
	    fuzz_one_in(f, 2))
		queue->id = 0;
}

/* Its place is for one that lives. */
static void fuzz_bury(struct fuzz *f, struct fuzz_id *queue)
{
	struct drm_vgem_svm_queue_destroy args = { .queue_id = queue->id };

	if (queue->id)
		fuzz_call(f, FUZZ_QUEUE_DESTROY, f->fds[queue->file], &args);
	queue->id = 0;
	fuzz_queue_create(f);
}

static void fuzz_queue_query(struct fuzz *f)
{
	struct drm_vgem_svm_queue_query args = {};
	int fd = fuzz_file_of(f, f->queues, &args.queue_id);

	if (!fuzz_call(f, FUZZ_QUEUE_QUERY, fd, &args) && args.completed < 1 << 20)
		f->slot->batches += args.completed;
}

/* What everything else needs, so that a life gets somewhere. */
void fuzz_setup(struct fuzz *f)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		fuzz_map(f);
	for (i = 0; i < FUZZ_FDS; i++)
		fuzz_open_one(f);
	for (i = 0; i < 4; i++)
		fuzz_vm_create(f);
	for (i = 0; i < 4; i++)
		fuzz_queue_create(f);
}

/* ---- work --------------------------------------------------------------- */

static unsigned int fuzz_syncs(struct fuzz *f, struct drm_vgem_svm_sync *syncs)
{
	unsigned int n = fuzz_one_in(f, 8) ? 1 + fuzz_below(f, 3) : 0, i;

	for (i = 0; i < n; i++) {
		struct fuzz_id s = f->syncobjs[fuzz_below(f, FUZZ_SYNCOBJS)];

		syncs[i].handle = s.id;
		syncs[i].point = fuzz_one_in(f, 8) ? fuzz_odd(f) : 0;
		if (fuzz_one_in(f, 16))
			syncs[i].flags = fuzz_odd(f);
	}
	return n;
}

void fuzz_exec(struct fuzz *f)
{
	static uint64_t (*batches)[FUZZ_BATCH_WORDS];
	struct drm_vgem_svm_sync syncs[4] = {}, outs[4] = {};
	struct drm_vgem_svm_exec args = {
		.in_sync_stride = sizeof(*syncs),
		.out_sync_stride = sizeof(*outs),
	};
	struct fuzz_id *queue = fuzz_known(f, f->queues);
	uint64_t *batch;

	if (!batches)
		batches = mmap(NULL, 4 * sizeof(*batches), PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* One of them may still be read by an engine. */
	batch = batches[fuzz_below(f, 4)];
	args.queue_id = queue->id;
	args.flags = fuzz_below(f, 2);
	args.batch_addr = fuzz_one_in(f, 30) ? fuzz_addr(f, 8) : (uintptr_t)batch;
	args.batch_bytes = fuzz_batch(f, batch, FUZZ_BATCH_WORDS) * sizeof(*batch);
	args.nr_in_syncs = fuzz_syncs(f, syncs);
	args.in_syncs = args.nr_in_syncs ? (uintptr_t)syncs : 0;
	/* Queues that may fault refuse them. */
	args.nr_out_syncs = fuzz_one_in(f, 4) ? fuzz_syncs(f, outs) : 0;
	args.out_syncs = args.nr_out_syncs ? (uintptr_t)outs : 0;
	args.fence_addr = fuzz_one_in(f, 2) ? fuzz_addr(f, 8) : 0;
	args.fence_value = args.fence_addr ? fuzz_draw(f) : 0;
	if (fuzz_call(f, FUZZ_EXEC, f->fds[queue->file], &args) && errno != EBUSY)
		fuzz_bury(f, queue);
}

static void fuzz_migrate(struct fuzz *f)
{
	struct drm_vgem_svm_migrate args = {
		.addr = fuzz_addr(f, FUZZ_PAGE),
		.length = fuzz_bytes(f),
		.location = 1 + fuzz_below(f, 2),
	};
	int fd = fuzz_file_of(f, f->vms, &args.vm_id);

	fuzz_call(f, FUZZ_MIGRATE, fd, &args);
}

static void fuzz_attr(struct fuzz *f)
{
	struct drm_vgem_svm_attr args = {
		.addr = fuzz_addr(f, FUZZ_PAGE),
		.length = fuzz_one_in(f, 2) ? FUZZ_PAGE : fuzz_bytes(f),
		.attr = DRM_VGEM_SVM_ATTR_PREFERRED_LOC,
		.value = fuzz_below(f, 3),
	};
	int fd = fuzz_file_of(f, f->vms, &args.vm_id);

	if (fuzz_one_in(f, 2)) {
		args.length = FUZZ_PAGE;
		fuzz_call(f, FUZZ_ATTR_GET, fd, &args);
	} else {
		fuzz_call(f, FUZZ_ATTR_SET, fd, &args);
	}
}

static void fuzz_residency(struct fuzz *f)
{
	uint8_t pages[1024];
	struct drm_vgem_svm_residency args = {
		.addr = fuzz_addr(f, FUZZ_PAGE),
		.length = fuzz_bytes(f),
		.stride = 1 + fuzz_below(f, 8),
	};
	int fd = fuzz_file_of(f, f->vms, &args.vm_id);

	/* Into the memory that it tells of, or into the stack if there is room. */
	args.pages = fuzz_one_in(f, 2) ? fuzz_addr(f, 8) : (uintptr_t)pages;
	if (args.pages == (uintptr_t)pages && args.length / FUZZ_PAGE * 8 > sizeof(pages))
		args.length = FUZZ_PAGE;
	fuzz_call(f, FUZZ_RESIDENCY, fd, &args);
}

static void fuzz_counters(struct fuzz *f)
{
	uint64_t values[64];
	struct drm_vgem_svm_counters args = {
		.nr = fuzz_below(f, 64),
		.values = fuzz_one_in(f, 4) ? fuzz_addr(f, 8) : (uintptr_t)values,
	};
	int fd = fuzz_file_of(f, f->vms, &args.vm_id);

	fuzz_call(f, FUZZ_COUNTERS, fd, &args);
}

static void fuzz_faults(struct fuzz *f)
{
	struct drm_vgem_svm_fault faults[80];
	struct drm_vgem_svm_faults args = {
		.nr = fuzz_below(f, 80),
		.stride = sizeof(*faults),
		.faults = fuzz_one_in(f, 4) ? fuzz_addr(f, 8) : (uintptr_t)faults,
	};
	int fd = fuzz_file_of(f, f->vms, &args.vm_id);

	fuzz_call(f, FUZZ_FAULTS, fd, &args);
}

/* ---- buffers ------------------------------------------------------------ */

static void fuzz_gem_create(struct fuzz *f)
{
	struct drm_vgem_svm_gem_create args = { .size = fuzz_bytes(f) };
	struct fuzz_id *object = &f->objects[fuzz_below(f, FUZZ_IDS)];
	struct drm_gem_close close = { .handle = object->id };
	int file = fuzz_open_file(f);

	/* What is bound stays bound. */
	if (object->id)
		ioctl(f->fds[object->file], DRM_IOCTL_GEM_CLOSE, &close);
	object->id = 0;
	if (!fuzz_call(f, FUZZ_GEM_CREATE, f->fds[file], &args))
		*object = (struct fuzz_id) { file, args.handle };
}

/* Mapped in the place of other memory, so that programs and calls find it. */
static void fuzz_gem_mmap(struct fuzz *f)
{
	struct drm_vgem_svm_gem_mmap args = {};
	int fd = fuzz_file_of(f, f->objects, &args.handle);
	struct fuzz_area *area = &f->areas[fuzz_below(f, FUZZ_AREAS)];

	if (fuzz_call(f, FUZZ_GEM_MMAP, fd, &args) || !area->length)
		return;
	if (fuzz_one_in(f, 4))
		mmap(area->addr, FUZZ_PAGE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_FIXED, fd, args.offset);
}

/* Handles are of a file; seldom another's. */
static uint32_t fuzz_object_of(struct fuzz *f, int file)
{
	unsigned int first = fuzz_below(f, FUZZ_IDS), i;

	for (i = 0; i < FUZZ_IDS; i++) {
		const struct fuzz_id *object = &f->objects[(first + i) % FUZZ_IDS];

		if (object->id && object->file == file)
			return object->id;
	}
	return f->objects[first].id;
}

static void fuzz_bind_op(struct fuzz *f, struct drm_vgem_svm_bind_op *op, int file)
{
	op->op = fuzz_one_in(f, 3) ? DRM_VGEM_SVM_BIND_UNMAP : DRM_VGEM_SVM_BIND_MAP;
	op->addr = fuzz_addr(f, FUZZ_PAGE);
	op->length = fuzz_bytes(f);
	if (op->op == DRM_VGEM_SVM_BIND_UNMAP)
		return;
	op->flags = DRM_VGEM_SVM_BIND_READ |
		    (fuzz_one_in(f, 3) ? 0 : DRM_VGEM_SVM_BIND_WRITE);
	op->handle = fuzz_object_of(f, file);
	op->length = fuzz_one_in(f, 4) ? op->length : FUZZ_PAGE;
	op->offset = fuzz_one_in(f, 8) ? fuzz_below(f, 64) * FUZZ_PAGE : 0;
	if (fuzz_one_in(f, 32))
		fuzz_bend(f, op, sizeof(*op));
}

static void fuzz_vm_bind(struct fuzz *f)
{
	struct drm_vgem_svm_bind_op ops[8] = {};
	struct fuzz_id vm = *fuzz_known(f, f->vms);
	struct drm_vgem_svm_vm_bind args = {
		.vm_id = vm.id,
		.nr_ops = fuzz_one_in(f, 4) ? 1 + fuzz_below(f, 8) : 1,
		.op_stride = sizeof(*ops),
		.ops = (uintptr_t)ops,
	};
	unsigned int i;

	for (i = 0; i < args.nr_ops; i++)
		fuzz_bind_op(f, &ops[i], vm.file);
	fuzz_call(f, FUZZ_VM_BIND, f->fds[vm.file], &args);
}

static void fuzz_userptr(struct fuzz *f)
{
	struct drm_vgem_svm_userptr args = {
		.op = fuzz_one_in(f, 3) ? DRM_VGEM_SVM_BIND_UNMAP : DRM_VGEM_SVM_BIND_MAP,
		.addr = fuzz_addr(f, FUZZ_PAGE),
		.length = fuzz_one_in(f, 2) ? FUZZ_PAGE : fuzz_bytes(f),
	};
	int fd = fuzz_file_of(f, f->vms, &args.vm_id);

	if (args.op == DRM_VGEM_SVM_BIND_MAP) {
		args.user_addr = fuzz_addr(f, FUZZ_PAGE);
		args.flags = DRM_VGEM_SVM_BIND_READ |
			     (fuzz_one_in(f, 3) ? 0 : DRM_VGEM_SVM_BIND_WRITE);
	}
	fuzz_call(f, FUZZ_USERPTR, fd, &args);
}

void fuzz_ioctl(struct fuzz *f)
{
	static void (* const calls[])(struct fuzz *f) = {
		fuzz_query, fuzz_vm_create, fuzz_vm_create, fuzz_vm_destroy,
		fuzz_queue_create, fuzz_queue_create, fuzz_queue_create,
		fuzz_queue_destroy, fuzz_queue_query, fuzz_queue_query,
		fuzz_migrate, fuzz_migrate, fuzz_migrate, fuzz_attr, fuzz_attr,
		fuzz_residency, fuzz_counters, fuzz_faults,
		fuzz_gem_create, fuzz_gem_create, fuzz_gem_mmap, fuzz_vm_bind,
		fuzz_vm_bind, fuzz_vm_bind, fuzz_userptr, fuzz_userptr,
	};

	calls[fuzz_below(f, sizeof(calls) / sizeof(*calls))](f);
}

/* ---- what any DRM driver has -------------------------------------------- */

void fuzz_syncobj(struct fuzz *f)
{
	struct fuzz_id *s = &f->syncobjs[fuzz_below(f, FUZZ_SYNCOBJS)];
	struct drm_syncobj_create create = { .flags = fuzz_below(f, 2) };
	struct drm_syncobj_array array = {
		.handles = (uintptr_t)&s->id,
		.count_handles = 1,
	};
	struct drm_syncobj_destroy destroy = { .handle = s->id };
	int file = fuzz_open_file(f);

	fuzz_say(f, "SYNCOBJ");
	if (!s->id) {
		if (!ioctl(f->fds[file], DRM_IOCTL_SYNCOBJ_CREATE, &create))
			*s = (struct fuzz_id) { file, create.handle };
		return;
	}
	switch (fuzz_below(f, 3)) {
	case 0:
		ioctl(f->fds[s->file], DRM_IOCTL_SYNCOBJ_SIGNAL, &array);
		break;
	case 1:
		ioctl(f->fds[s->file], DRM_IOCTL_SYNCOBJ_RESET, &array);
		break;
	default:
		ioctl(f->fds[s->file], DRM_IOCTL_SYNCOBJ_DESTROY, &destroy);
		s->id = 0;
	}
}

void fuzz_other_ioctl(struct fuzz *f)
{
	int fd = f->fds[fuzz_below(f, FUZZ_FDS)], info;
	unsigned int nr = fuzz_below(f, 256), i;
	char arg[256], path[40];

	fuzz_say(f, "other ioctl");

	if (fuzz_one_in(f, 3)) {
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		info = open(path, O_RDONLY | O_CLOEXEC);
		if (info >= 0) {
			if (read(info, arg, sizeof(arg)) < 0)
				errno = 0;
			close(info);
		}
		return;
	}
	for (i = 0; i < sizeof(arg) / sizeof(uint32_t); i++)
		((uint32_t *)arg)[i] = fuzz_one_in(f, 2) ? 0 : fuzz_odd(f);
	/*
	 * Those that wait for a syncobj wait as long as they are told to; and all that
	 * take an array of them let the core ask for as much memory as the caller says,
	 * about which the allocator warns.
	 */
	if (nr < _IOC_NR(DRM_IOCTL_SYNCOBJ_WAIT) ||
	    nr > _IOC_NR(DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL))
		ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, DRM_IOCTL_BASE, nr,
			       fuzz_below(f, sizeof(arg))), arg);
}
