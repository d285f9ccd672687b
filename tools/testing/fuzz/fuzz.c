// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * usage: fuzz [--seed N] [--seconds N] [--workers N] [--patience N] [--no-unbind]
 *        fuzz --seed N --worker W --life L [--seconds N]
 *
 * Runs workers, kills some of them, takes devices away and gives them back. Says
 * every ten seconds how far it is, and ends with what went wrong: a worker that
 * is in the kernel for longer than the patience, a process that cannot be killed,
 * device memory, address spaces or queues that are missing when all is over, or
 * an ioctl that hardly ever succeeded, which is a fuzzer that has lost its way.
 * What the kernel's log says is for who runs it to judge. The second form is one
 * life of one worker, alone.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define FUZZ_DRIVER	"/sys/bus/platform/drivers/vgem_svm/"
#define FUZZ_DEVICES	2
#define FUZZ_TICK_US	50000
#define FUZZ_MAX_IDS	256
#define FUZZ_ENOUGH	100	/* calls, to judge by */

/* What a device has room for. */
struct fuzz_room {
	unsigned int vms;
	unsigned int queues;
	uint64_t vram_used;
};

/* A worker as its parent sees it: when it last got on. */
struct fuzz_watch {
	uint64_t ops;
	time_t since;
	bool killed;
};

static struct {
	struct fuzz draw;	/* the parent's own decisions */
	unsigned int seconds, workers, patience;
	bool unbind, alone;
	struct fuzz_slot *slots;
	struct fuzz_watch watch[FUZZ_WORKERS];
	unsigned int lives, kills, unbinds, lost;
	bool failed;
} run = {
	.seconds = 60, .workers = 4, .patience = 60, .unbind = true,
};

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static void failure(const char *what)
{
	printf("FAILED: %s\n", what);
	run.failed = true;
}

/* ---- workers ------------------------------------------------------------ */

static void spawn(unsigned int w)
{
	struct fuzz_slot *slot = &run.slots[w];
	pid_t pid;

	run.lives++;
	run.watch[w] = (struct fuzz_watch) { .ops = slot->ops, .since = now() };
	pid = fork();
	if (!pid) {
		struct fuzz f = run.draw;

		f.worker = run.alone ? run.draw.worker : w;
		f.life = slot->life;
		f.slot = slot;
		fuzz_live(&f);
	}
	slot->pid = pid > 0 ? pid : 0;
}

static void reap(void)
{
	unsigned int w;
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (w = 0; w < run.workers; w++)
			if (run.slots[w].pid == pid) {
				run.slots[w].pid = 0;
				run.slots[w].life++;
			}
}

static void show(pid_t pid, const char *file)
{
	char path[64], text[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n > 0)
		printf("%s:\n%.*s\n", path, (int)n, text);
	if (fd >= 0)
		close(fd);
}

/* Not in the kernel, or at a futex: it has lost its own memory. */
static bool is_lost(pid_t pid)
{
	char path[64], text[16] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return true;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	return !strncmp(text, "running", 7) || !strncmp(text, "202 ", 4);
}

static void stalled(unsigned int w)
{
	struct fuzz_slot *slot = &run.slots[w];
	char text[128];

	if (!run.watch[w].killed && is_lost(slot->pid)) {
		run.watch[w].killed = true;
		run.watch[w].since = now();
		run.lost++;
		kill(slot->pid, SIGKILL);
		return;
	}
	show(slot->pid, "syscall");
	show(slot->pid, "stack");
	snprintf(text, sizeof(text), "worker %u, life %u hangs in %.15s for %u s%s", w,
		 slot->life, slot->what, run.patience,
		 run.watch[w].killed ? ", killed" : "");
	failure(text);
}

static void watch(void)
{
	unsigned int w;

	for (w = 0; w < run.workers; w++) {
		struct fuzz_watch *seen = &run.watch[w];

		if (!run.slots[w].pid)
			continue;
		if (seen->ops != run.slots[w].ops) {
			seen->ops = run.slots[w].ops;
			seen->since = now();
		} else if (now() - seen->since > run.patience) {
			stalled(w);
			seen->since = now();
		}
	}
}

/* ---- devices ------------------------------------------------------------ */

static void write_name(const char *file, unsigned int device)
{
	char name[16];
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	int n = snprintf(name, sizeof(name), "vgem_svm.%u", device);

	if (fd < 0)
		return;
	if (write(fd, name, n) != n && errno != ENODEV && errno != EBUSY)
		printf("%s %s: %s\n", file, name, strerror(errno));
	close(fd);
}

/* In a process of its own, which the watch over slot 0 does not see. */
static void rebind(void)
{
	unsigned int device = fuzz_below(&run.draw, FUZZ_DEVICES), ms;
	time_t end = now() + run.patience;
	pid_t pid;

	run.unbinds++;
	ms = fuzz_below(&run.draw, 200);
	pid = fork();
	if (!pid) {
		write_name(FUZZ_DRIVER "unbind", device);
		usleep(ms * 1000);
		write_name(FUZZ_DRIVER "bind", device);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, WNOHANG) != pid) {
		usleep(FUZZ_TICK_US);
		if (now() > end) {
			show(pid, "stack");
			failure("unbind does not end");
			return;
		}
	}
}

static unsigned int count_ids(int fd, uint32_t vm, struct fuzz_room *room)
{
	struct drm_vgem_svm_queue_create queue = { .vm_id = vm, .eventfd = -1 };
	struct drm_vgem_svm_vm_create create = {};
	unsigned int n = 0;

	while (room->queues < FUZZ_MAX_IDS &&
	       !ioctl(fd, DRM_IOCTL_VGEM_SVM_QUEUE_CREATE, &queue))
		room->queues++;
	while (n < FUZZ_MAX_IDS && !ioctl(fd, DRM_IOCTL_VGEM_SVM_VM_CREATE, &create))
		n++;
	return n;
}

/* What one process can have of a device, by having it. */
static bool measure(unsigned int device, struct fuzz_room *room)
{
	uint64_t params[DRM_VGEM_SVM_PARAM_VRAM_USED + 1] = {};
	struct drm_vgem_svm_query query = {
		.query = DRM_VGEM_SVM_QUERY_PARAMS,
		.size = sizeof(params),
		.data = (uintptr_t)params,
	};
	struct drm_vgem_svm_vm_create vm = {};
	int fd = fuzz_open(device);

	memset(room, 0, sizeof(*room));
	if (fd < 0)
		return false;
	if (!ioctl(fd, DRM_IOCTL_VGEM_SVM_QUERY, &query))
		room->vram_used = params[DRM_VGEM_SVM_PARAM_VRAM_USED];
	if (!ioctl(fd, DRM_IOCTL_VGEM_SVM_VM_CREATE, &vm))
		room->vms = 1 + count_ids(fd, vm.vm_id, room);
	close(fd);
	return true;
}

static bool same(const struct fuzz_room *a, const struct fuzz_room *b)
{
	return a->vms == b->vms && a->queues == b->queues && a->vram_used <= b->vram_used;
}

/* What the dead leave is put away a little later than they die. */
static void check_room(unsigned int device, const struct fuzz_room *before)
{
	time_t end = now() + run.patience;
	struct fuzz_room after;
	char text[160];

	for (;;) {
		if (measure(device, &after) && same(&after, before))
			return;
		if (now() > end)
			break;
		sleep(1);
	}
	snprintf(text, sizeof(text),
		 "device %u has %u VMs, %u queues, %llu bytes used; before %u, %u, %llu",
		 device, after.vms, after.queues, (unsigned long long)after.vram_used,
		 before->vms, before->queues, (unsigned long long)before->vram_used);
	failure(text);
}

/* ---- the run ------------------------------------------------------------ */

static uint64_t total(size_t offset)
{
	uint64_t sum = 0;
	unsigned int w;

	for (w = 0; w < run.workers; w++)
		sum += *(uint64_t *)((char *)&run.slots[w] + offset);
	return sum;
}

static void tell(time_t begun)
{
	printf("%lld s: %llu operations, %u lives, %u killed, %u lost, %u unbinds, %llu batches\n",
	       (long long)(now() - begun),
	       (unsigned long long)total(offsetof(struct fuzz_slot, ops)), run.lives,
	       run.kills, run.lost, run.unbinds,
	       (unsigned long long)total(offsetof(struct fuzz_slot, batches)));
	fflush(stdout);
}

static void tick(void)
{
	unsigned int w = fuzz_below(&run.draw, run.workers);

	if (fuzz_one_in(&run.draw, 30) && run.slots[w].pid) {
		run.kills++;
		kill(run.slots[w].pid, SIGKILL);
	}
	if (run.unbind && fuzz_one_in(&run.draw, 120))
		rebind();
	watch();
}

static void work(void)
{
	time_t begun = now(), told = begun;
	unsigned int w;

	run.draw.worker = ~0u;
	fuzz_begin(&run.draw);
	while (now() - begun < run.seconds && !run.failed) {
		for (w = 0; w < run.workers; w++)
			if (!run.slots[w].pid)
				spawn(w);
		usleep(FUZZ_TICK_US);
		reap();
		tick();
		if (now() - told >= 10) {
			tell(begun);
			told = now();
		}
	}
	tell(begun);
}

/* One life, which ends by itself. */
static void work_alone(void)
{
	time_t end = now() + run.seconds;

	spawn(0);
	while (run.slots[0].pid && now() < end && !run.failed) {
		usleep(FUZZ_TICK_US);
		reap();
		watch();
	}
	printf("%llu operations\n", (unsigned long long)run.slots[0].ops);
}

/* Orphans are ours: the dead leave their children to this process. */
static void end_all(void)
{
	time_t end = now() + run.patience;
	unsigned int w;
	pid_t pid;

	for (w = 0; w < run.workers; w++)
		if (run.slots[w].pid)
			kill(run.slots[w].pid, SIGKILL);
	while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0) {
		if (pid)
			continue;
		usleep(FUZZ_TICK_US);
		if (now() > end) {
			for (w = 0; w < run.workers; w++)
				show(run.slots[w].pid, "stack");
			failure("processes that were killed are still there");
			return;
		}
	}
}

static void check_calls(void)
{
	unsigned int call;
	char text[64];

	for (call = 0; call < FUZZ_CALLS; call++) {
		uint64_t called = total(offsetof(struct fuzz_slot, called) + call * 8);
		uint64_t done = total(offsetof(struct fuzz_slot, done) + call * 8);

		printf("%-14s %llu of %llu\n", fuzz_call_names[call],
		       (unsigned long long)done, (unsigned long long)called);
		if (called >= FUZZ_ENOUGH && done < called / 50) {
			snprintf(text, sizeof(text), "%s hardly ever succeeds",
				 fuzz_call_names[call]);
			failure(text);
		}
	}
}

static int run_all(void)
{
	struct fuzz_room before[FUZZ_DEVICES];
	int mail[2];
	unsigned int i;

	printf("seed %llu\n", (unsigned long long)run.draw.seed);
	fflush(stdout);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (i = 0; i < FUZZ_DEVICES; i++)
		if (!measure(i, &before[i]))
			failure("there are not two devices of vgem_svm");
	if (run.failed || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, mail))
		return 1;
	run.draw.post = mail[0];
	run.draw.box = mail[1];
	if (run.alone)
		work_alone();
	else
		work();
	end_all();
	close(mail[0]);
	close(mail[1]);
	if (!run.alone)
		check_calls();
	for (i = 0; i < FUZZ_DEVICES && !run.failed; i++)
		check_room(i, &before[i]);
	printf("%s, seed %llu\n", run.failed ? "FAILED" : "passed",
	       (unsigned long long)run.draw.seed);
	return run.failed;
}

static const struct option options[] = {
	{ "seed", required_argument, NULL, 's' },
	{ "seconds", required_argument, NULL, 't' },
	{ "workers", required_argument, NULL, 'w' },
	{ "patience", required_argument, NULL, 'p' },
	{ "worker", required_argument, NULL, 'n' },
	{ "life", required_argument, NULL, 'l' },
	{ "no-unbind", no_argument, NULL, 'u' },
	{ "after-exec", no_argument, NULL, 'x' },
	{}
};

static bool parse(int argc, char **argv, bool *after_exec)
{
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		unsigned long long n = optarg ? strtoull(optarg, NULL, 0) : 0;

		switch (c) {
		case 's':
			run.draw.seed = n;
			break;
		case 't':
			run.seconds = n;
			break;
		case 'w':
			run.workers = n;
			break;
		case 'p':
			run.patience = n;
			break;
		case 'n':
			run.draw.worker = n;
			run.alone = true;
			break;
		case 'l':
			run.draw.life = n;
			break;
		case 'u':
			run.unbind = false;
			break;
		case 'x':
			*after_exec = true;
			break;
		default:
			return false;
		}
	}
	return run.workers && run.workers <= FUZZ_WORKERS;
}

int main(int argc, char **argv)
{
	bool after_exec = false;

	run.draw.seed = time(NULL);
	if (!parse(argc, argv, &after_exec)) {
		fprintf(stderr, "usage: fuzz [--seed N] [--seconds N] [--workers N] [--patience N] [--no-unbind] [--worker W --life L]\n");
		return 2;
	}
	run.slots = mmap(NULL, FUZZ_WORKERS * sizeof(*run.slots), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run.slots == MAP_FAILED)
		return 1;
	run.draw.slot = &run.slots[0];
	if (after_exec) {
		fuzz_after_exec(&run.draw);
		return 0;
	}
	if (run.alone) {
		run.workers = 1;
		run.slots[0].life = run.draw.life;
	}
	return run_all();
}
