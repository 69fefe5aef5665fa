/* SPDX-License-Identifier: MIT */
/*
 * What amdgpu, i915 and nouveau answer where Mesa's shims answer nothing or nonsense. What a reset
 * looks like is as in Linux 6.12: amdgpu_cs.c and amdgpu_ctx.c (ETIME for who is guilty, ECANCELED
 * for others; QUERY_STATE2),
 * i915_gem_execbuffer.c and i915_gem_context.c (EIO for a banned context; GET_RESET_STATS),
 * nouveau_gem.c (ENODEV for a channel that was killed).
 */
#include <amdgpu_drm.h>
#include <drm.h>
#include <errno.h>
#include <i915_drm.h>
#include <limits.h>

#include "tests/shim/calls.h"
#include "tests/shim/contexts.h"
#include "tests/shim/faults.h"
#include "tests/shim/fences.h"
#include "tests/shim/nouveau_calls.h"
#include "tests/shim/prime.h"

/* ---- amdgpu ---- */

static int on_amdgpu_create(int fd, unsigned long request, void *arg)
{
	union drm_amdgpu_gem_create *args = arg;
	uint64_t size_bytes = args->in.bo_size;
	int result = calls_pass(fd, request, arg);
	if (result == 0)
		prime_note(fd, args->out.handle, size_bytes);
	return result;
}

static int on_amdgpu_context(int fd, unsigned long request, void *arg)
{
	union drm_amdgpu_ctx *args = arg;
	enum context_fate fate = contexts_get_fate(args->in.ctx_id);
	switch (args->in.op) {
	case AMDGPU_CTX_OP_ALLOC_CTX:
		args->out.alloc.ctx_id = contexts_add();
		return 0;
	case AMDGPU_CTX_OP_QUERY_STATE:
		args->out.state.flags = 0;
		args->out.state.hangs = fate == CONTEXT_GUILTY;
		args->out.state.reset_status = fate == CONTEXT_GUILTY ? AMDGPU_CTX_GUILTY_RESET :
					       fate == CONTEXT_INNOCENT ?
									AMDGPU_CTX_INNOCENT_RESET :
									AMDGPU_CTX_NO_RESET;
		return 0;
	case AMDGPU_CTX_OP_QUERY_STATE2:
		args->out.state.flags =
			fate == CONTEXT_WELL ?
				0 :
				AMDGPU_CTX_QUERY2_FLAGS_RESET | AMDGPU_CTX_QUERY2_FLAGS_VRAMLOST;
		if (fate == CONTEXT_GUILTY)
			args->out.state.flags |= AMDGPU_CTX_QUERY2_FLAGS_GUILTY;
		return 0;
	default:
		return 0;
	}
}

static int on_amdgpu_submit(int fd, unsigned long request, void *arg)
{
	static uint64_t sequence;
	union drm_amdgpu_cs *args = arg;
	bool is_reset;
	enum context_fate fate = contexts_submit(args->in.ctx_id, &is_reset);
	if (fate != CONTEXT_WELL)
		return fate == CONTEXT_GUILTY ? -ETIME : -ECANCELED;
	args->out.handle = __atomic_add_fetch(&sequence, 1, __ATOMIC_RELAXED);
	return 0;
}

static int64_t amdgpu_end(uint64_t timeout)
{
	return timeout > INT64_MAX ? INT64_MAX : (int64_t)timeout;
}

static int on_amdgpu_wait(int fd, unsigned long request, void *arg)
{
	union drm_amdgpu_wait_cs *args = arg;
	args->out.status = fences_wait("WAIT_CS", amdgpu_end(args->in.timeout)) ? 0 : 1;
	return 0;
}

static int on_amdgpu_wait_many(int fd, unsigned long request, void *arg)
{
	union drm_amdgpu_wait_fences *args = arg;
	bool over = fences_wait("WAIT_FENCES", amdgpu_end(args->in.timeout_ns));
	args->out.status = over;
	args->out.first_signaled = 0;
	return 0;
}

static int on_amdgpu_wait_idle(int fd, unsigned long request, void *arg)
{
	union drm_amdgpu_gem_wait_idle *args = arg;
	args->out.status = fences_wait("GEM_WAIT_IDLE", amdgpu_end(args->in.timeout)) ? 0 : 1;
	args->out.domain = 0;
	return 0;
}

static int on_amdgpu_fence(int fd, unsigned long request, void *arg)
{
	union drm_amdgpu_fence_to_handle *args = arg;
	struct drm_syncobj_create create = { 0 };
	if (args->in.what == AMDGPU_FENCE_TO_HANDLE_GET_SYNCOBJ) {
		fence_rows[0].call(fd, 0, &create);
		args->out.handle = create.handle;
		return 0;
	}
	int made = fences_make_file();
	args->out.handle = (uint32_t)made;
	return made < 0 ? -EMFILE : 0;
}

#define DRIVER_ROW(name, call)                                                                     \
	{                                                                                          \
		_IOC_NR(DRM_IOCTL_##name), #name, call                                             \
	}

const struct shim_row amdgpu_rows[] = {
	DRIVER_ROW(AMDGPU_GEM_CREATE, on_amdgpu_create),
	DRIVER_ROW(AMDGPU_CTX, on_amdgpu_context),
	DRIVER_ROW(AMDGPU_CS, on_amdgpu_submit),
	DRIVER_ROW(AMDGPU_WAIT_CS, on_amdgpu_wait),
	DRIVER_ROW(AMDGPU_WAIT_FENCES, on_amdgpu_wait_many),
	DRIVER_ROW(AMDGPU_GEM_WAIT_IDLE, on_amdgpu_wait_idle),
	DRIVER_ROW(AMDGPU_FENCE_TO_HANDLE, on_amdgpu_fence),
	{ 0 },
};

/* ---- i915 ---- */

static int on_i915_create(int fd, unsigned long request, void *arg)
{
	struct drm_i915_gem_create *args = arg;
	int result = calls_pass(fd, request, arg);
	if (result == 0)
		prime_note(fd, args->handle, args->size);
	return result;
}

static int on_i915_create_ext(int fd, unsigned long request, void *arg)
{
	struct drm_i915_gem_create_ext *args = arg;
	int result = calls_pass(fd, request, arg);
	if (result == 0)
		prime_note(fd, args->handle, args->size);
	return result;
}

static int on_i915_context(int fd, unsigned long request, void *arg)
{
	((struct drm_i915_gem_context_create *)arg)->ctx_id = contexts_add();
	return 0;
}

static int on_i915_submit(int fd, unsigned long request, void *arg)
{
	struct drm_i915_gem_execbuffer2 *args = arg;
	bool is_reset;
	enum context_fate fate = contexts_submit(i915_execbuffer2_get_context_id(*args), &is_reset);
	if (fate == CONTEXT_GUILTY)
		return -EIO;
	if (args->flags & I915_EXEC_FENCE_OUT) {
		int made = fences_make_file();
		args->rsvd2 = (args->rsvd2 & UINT32_MAX) | (uint64_t)(uint32_t)made << 32;
	}
	return 0;
}

static int on_i915_reset_stats(int fd, unsigned long request, void *arg)
{
	struct drm_i915_reset_stats *args = arg;
	enum context_fate fate = contexts_get_fate(args->ctx_id);
	args->reset_count = faults_control()->resets;
	args->batch_active = fate == CONTEXT_GUILTY;
	args->batch_pending = fate == CONTEXT_INNOCENT;
	return 0;
}

static int on_i915_wait(int fd, unsigned long request, void *arg)
{
	struct drm_i915_gem_wait *args = arg;
	int64_t end = args->timeout_ns < 0 ? INT64_MAX : fences_in_ns(args->timeout_ns);
	return fences_wait("GEM_WAIT", args->timeout_ns == 0 ? 0 : end) ? 0 : -ETIME;
}

static int on_i915_busy(int fd, unsigned long request, void *arg)
{
	((struct drm_i915_gem_busy *)arg)->busy = !fences_are_over();
	return 0;
}

const struct shim_row i915_rows[] = {
	DRIVER_ROW(I915_GEM_CREATE, on_i915_create),
	DRIVER_ROW(I915_GEM_CREATE_EXT, on_i915_create_ext),
	DRIVER_ROW(I915_GEM_CONTEXT_CREATE, on_i915_context),
	DRIVER_ROW(I915_GEM_EXECBUFFER2, on_i915_submit),
	DRIVER_ROW(I915_GET_RESET_STATS, on_i915_reset_stats),
	DRIVER_ROW(I915_GEM_WAIT, on_i915_wait),
	DRIVER_ROW(I915_GEM_BUSY, on_i915_busy),
	{ 0 },
};

/* ---- nouveau ---- */

static int on_nouveau_create(int fd, unsigned long request, void *arg)
{
	struct drm_nouveau_gem_new *args = arg;
	int result = calls_pass(fd, request, arg);
	if (result == 0)
		prime_note(fd, args->info.handle, args->info.size);
	return result;
}

static int on_nouveau_submit(int fd, unsigned long request, void *arg)
{
	static bool is_killed;
	bool is_reset;
	/* There is one channel in a process, and it does not come back. */
	contexts_submit(0, &is_reset);
	if (is_reset)
		__atomic_store_n(&is_killed, true, __ATOMIC_RELAXED);
	return __atomic_load_n(&is_killed, __ATOMIC_RELAXED) ? -ENODEV :
							       calls_pass(fd, request, arg);
}

static int on_nouveau_prepare(int fd, unsigned long request, void *arg)
{
	const struct drm_nouveau_gem_cpu_prep *args = arg;
	bool waits = !(args->flags & NOUVEAU_GEM_CPU_PREP_NOWAIT);
	return fences_wait("GEM_CPU_PREP", waits ? INT64_MAX : 0) ? 0 : -EBUSY;
}

const struct shim_row nouveau_rows[] = {
	DRIVER_ROW(NOUVEAU_GEM_NEW, on_nouveau_create),
	DRIVER_ROW(NOUVEAU_GEM_PUSHBUF, on_nouveau_submit),
	DRIVER_ROW(NOUVEAU_GEM_CPU_PREP, on_nouveau_prepare),
	{ 0 },
};
