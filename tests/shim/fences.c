/* SPDX-License-Identifier: MIT */
#include "tests/shim/fences.h"

#include <drm.h>
#include <errno.h>
#include <limits.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <string.h>

#include "tests/shim/calls.h"
#include "tests/shim/faults.h"

#define NS_PER_S 1000000000ll
#define NS_PER_MS 1000000ll
#define NEVER_NS INT64_MAX

static int64_t over_ns; /* atomic */

int64_t fences_in_ns(int64_t ns)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t now_ns = now.tv_sec * NS_PER_S + now.tv_nsec;
	return ns > NEVER_NS - now_ns ? NEVER_NS : now_ns + ns;
}

void fences_begin(uint32_t submission)
{
	const struct faults *faults = faults_get();
	if (submission >= faults->endless)
		__atomic_store_n(&over_ns, NEVER_NS, __ATOMIC_RELEASE);
	else if (faults->busy_ms > 0)
		__atomic_store_n(
			&over_ns, fences_in_ns(faults->busy_ms * NS_PER_MS), __ATOMIC_RELEASE);
}

void fences_stall(int64_t until_ns)
{
	__atomic_store_n(&faults_control()->stall_ns, until_ns, __ATOMIC_RELEASE);
}

void fences_end_stall(void)
{
	struct shim_control *control = faults_control();
	int64_t stall_ns = __atomic_load_n(&control->stall_ns, __ATOMIC_ACQUIRE);
	if (stall_ns == 0 || fences_in_ns(0) < stall_ns)
		return;
	if (__atomic_compare_exchange_n(
		    &control->stall_ns, &stall_ns, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		__atomic_add_fetch(&control->resets, 1, __ATOMIC_RELEASE);
}

/* Gives when all is over; 0: at once. */
static int64_t read_over(void)
{
	int64_t over = __atomic_load_n(&over_ns, __ATOMIC_ACQUIRE);
	int64_t stall_ns = __atomic_load_n(&faults_control()->stall_ns, __ATOMIC_ACQUIRE);
	return over > stall_ns ? over : stall_ns;
}

bool fences_are_over(void)
{
	int64_t over = read_over();
	return over == 0 || (over != NEVER_NS && fences_in_ns(0) >= over);
}

static void note_blocked(const char *name, int64_t ns)
{
	char thread[17] = "";
	uint32_t ms = (uint32_t)(ns / NS_PER_MS);
	prctl(PR_GET_NAME, thread);
	if (strcmp(thread, "gpu") == 0) {
		__atomic_add_fetch(&faults_control()->blocked, 1, __ATOMIC_RELAXED);
		__atomic_add_fetch(&faults_control()->blocked_ms, ms, __ATOMIC_RELAXED);
	}
	faults_log("blocked %s %s %u", thread, name, ms);
}

static void sleep_until(int64_t ns)
{
	struct timespec until = { .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

bool fences_wait(const char *name, int64_t end_ns)
{
	int64_t began = fences_in_ns(0);
	if (fences_are_over() || end_ns <= began)
		return fences_are_over();
	while (!fences_are_over() && fences_in_ns(0) < end_ns) {
		int64_t over = read_over();
		int64_t next = over < end_ns ? over : end_ns;
		/* What never ends is looked at again, for somebody may attach a debugger. */
		sleep_until(next == NEVER_NS ? fences_in_ns(NS_PER_S) : next);
	}
	note_blocked(name, fences_in_ns(0) - began);
	return fences_are_over();
}

int fences_make_file(void)
{
	if (fences_are_over())
		return eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int64_t over = read_over();
	const struct itimerspec at = { .it_value = { over / NS_PER_S, over % NS_PER_S } };
	/* What never ends has no timer. */
	if (fd >= 0 && over != NEVER_NS)
		timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL);
	return fd;
}

/* ---- calls ---- */

static int on_create(int fd, unsigned long request, void *arg)
{
	static uint32_t last;
	((struct drm_syncobj_create *)arg)->handle = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
	return 0;
}

static int on_nothing(int fd, unsigned long request, void *arg)
{
	return 0;
}

static int on_handle_to_fd(int fd, unsigned long request, void *arg)
{
	struct drm_syncobj_handle *args = arg;
	args->fd = fences_make_file();
	return args->fd < 0 ? -EMFILE : 0;
}

static int on_fd_to_handle(int fd, unsigned long request, void *arg)
{
	struct drm_syncobj_handle *args = arg;
	struct drm_syncobj_create create = { 0 };
	if (!(args->flags & DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE)) {
		on_create(fd, 0, &create);
		args->handle = create.handle;
	}
	return 0;
}

static int on_wait(int fd, unsigned long request, void *arg)
{
	struct drm_syncobj_wait *args = arg;
	args->first_signaled = 0;
	return fences_wait("SYNCOBJ_WAIT", args->timeout_nsec) ? 0 : -ETIME;
}

static int on_timeline_wait(int fd, unsigned long request, void *arg)
{
	struct drm_syncobj_timeline_wait *args = arg;
	args->first_signaled = 0;
	return fences_wait("SYNCOBJ_TIMELINE_WAIT", args->timeout_nsec) ? 0 : -ETIME;
}

const struct shim_row fence_rows[] = {
	{ _IOC_NR(DRM_IOCTL_SYNCOBJ_CREATE), "SYNCOBJ_CREATE", on_create },
	{ _IOC_NR(DRM_IOCTL_SYNCOBJ_DESTROY), "SYNCOBJ_DESTROY", on_nothing },
	{ _IOC_NR(DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD), "SYNCOBJ_HANDLE_TO_FD", on_handle_to_fd },
	{ _IOC_NR(DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE), "SYNCOBJ_FD_TO_HANDLE", on_fd_to_handle },
	{ _IOC_NR(DRM_IOCTL_SYNCOBJ_RESET), "SYNCOBJ_RESET", on_nothing },
	{ _IOC_NR(DRM_IOCTL_SYNCOBJ_SIGNAL), "SYNCOBJ_SIGNAL", on_nothing },
	{ _IOC_NR(DRM_IOCTL_SYNCOBJ_WAIT), "SYNCOBJ_WAIT", on_wait },
	{ _IOC_NR(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT), "SYNCOBJ_TIMELINE_WAIT", on_timeline_wait },
	{ 0 },
};
