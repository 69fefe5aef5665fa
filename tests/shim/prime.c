/* SPDX-License-Identifier: MIT */
#include "tests/shim/prime.h"

#include <amdgpu_drm.h>
#include <drm.h>
#include <errno.h>
#include <fcntl.h>
#include <i915_drm.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/shim/calls.h"
#include "tests/shim/faults.h"
#include "tests/shim/nodes.h"
#include "tests/shim/nouveau_calls.h"

#define BUFFERS_MAX 65536

/* A handle of an open file. Handles are small numbers, and each file has its own. */
struct prime_buffer {
	uint64_t size_bytes;
	ino_t inode; /* of the memfd; 0: was never exported */
	int memfd;   /* our own descriptor of it */
	uint32_t handle;
	unsigned file;
};

static struct prime_buffer buffers[BUFFERS_MAX];
static unsigned n_buffers;

/* ---- the table; under shim_lock ---- */

static struct prime_buffer *find(unsigned file, uint32_t handle)
{
	for (unsigned i = 0; i < n_buffers; i++) {
		if (buffers[i].file == file && buffers[i].handle == handle)
			return &buffers[i];
	}
	return NULL;
}

static struct prime_buffer *find_inode(ino_t inode, unsigned file)
{
	struct prime_buffer *found = NULL;
	for (unsigned i = 0; i < n_buffers; i++) {
		if (buffers[i].inode == inode && (!found || buffers[i].file == file))
			found = &buffers[i];
	}
	return found;
}

static void add(const struct prime_buffer *buffer)
{
	struct prime_buffer *old = find(buffer->file, buffer->handle);
	if (old)
		*old = *buffer;
	else if (n_buffers < BUFFERS_MAX)
		buffers[n_buffers++] = *buffer;
}

void prime_note(int fd, uint32_t handle, uint64_t size_bytes)
{
	struct prime_buffer buffer = {
		.size_bytes = size_bytes, .memfd = -1, .handle = handle, .file = nodes_get_file(fd)
	};
	pthread_mutex_lock(&shim_lock);
	add(&buffer);
	pthread_mutex_unlock(&shim_lock);
}

/* ---- calls ---- */

static int on_close(int fd, unsigned long request, void *arg)
{
	const struct drm_gem_close *args = arg;
	int memfd = -1;
	pthread_mutex_lock(&shim_lock);
	struct prime_buffer *buffer = find(nodes_get_file(fd), args->handle);
	if (buffer) {
		memfd = buffer->memfd;
		*buffer = buffers[--n_buffers];
	}
	pthread_mutex_unlock(&shim_lock);
	if (memfd >= 0)
		close(memfd);
	return calls_pass(fd, request, arg);
}

static bool make_memfd(struct prime_buffer *buffer)
{
	struct stat st;
	buffer->memfd = memfd_create("shim dma-buf", MFD_CLOEXEC);
	if (buffer->memfd < 0 || ftruncate(buffer->memfd, (off_t)buffer->size_bytes) != 0 ||
		fstat(buffer->memfd, &st) != 0)
		return false;
	buffer->inode = st.st_ino;
	return true;
}

static int on_export(int fd, unsigned long request, void *arg)
{
	struct drm_prime_handle *args = arg;
	const struct faults *faults = faults_get();
	int result = 0;
	__atomic_add_fetch(&faults_control()->exports, 1, __ATOMIC_RELAXED);
	if (faults->export_fails || faults->export_is_none) {
		faults_log("fault export");
		args->fd = -1;
		return faults->export_fails ? -EINVAL : 0;
	}
	pthread_mutex_lock(&shim_lock);
	struct prime_buffer *buffer = find(nodes_get_file(fd), args->handle);
	if (!buffer)
		result = -ENOENT;
	else if (buffer->memfd < 0 && !make_memfd(buffer))
		result = -EMFILE;
	else
		args->fd = fcntl(buffer->memfd, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_unlock(&shim_lock);
	return result == 0 && args->fd < 0 ? -EMFILE : result;
}

/* Returns a new handle of the file, or 0. */
static uint32_t make_buffer(int fd, uint64_t size_bytes)
{
	union drm_amdgpu_gem_create amdgpu = { .in = { .bo_size = size_bytes, .alignment = 4096 } };
	struct drm_i915_gem_create i915 = { .size = size_bytes };
	struct drm_nouveau_gem_new nouveau = { .info.size = size_bytes, .align = 4096 };
	switch (faults_get()->driver) {
	case SHIM_AMDGPU:
		return calls_pass(fd, DRM_IOCTL_AMDGPU_GEM_CREATE, &amdgpu) == 0 ?
			       amdgpu.out.handle :
			       0;
	case SHIM_I915:
		return calls_pass(fd, DRM_IOCTL_I915_GEM_CREATE, &i915) == 0 ? i915.handle : 0;
	case SHIM_NOUVEAU:
		return calls_pass(fd, DRM_IOCTL_NOUVEAU_GEM_NEW, &nouveau) == 0 ?
			       nouveau.info.handle :
			       0;
	default:
		return 0;
	}
}

static int import_into(int fd, unsigned file, struct prime_buffer *from, uint32_t *handle)
{
	if (from->file == file) {
		*handle = from->handle;
		return 0;
	}
	*handle = make_buffer(fd, from->size_bytes);
	if (*handle == 0)
		return -ENOMEM;
	struct prime_buffer buffer = *from;
	buffer.handle = *handle;
	buffer.file = file;
	buffer.memfd = fcntl(from->memfd, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_lock(&shim_lock);
	add(&buffer);
	pthread_mutex_unlock(&shim_lock);
	return 0;
}

static int on_import(int fd, unsigned long request, void *arg)
{
	struct drm_prime_handle *args = arg;
	struct stat st;
	if (faults_get()->import_fails) {
		faults_log("fault import");
		return -EINVAL;
	}
	if (fstat(args->fd, &st) != 0)
		return -EBADF;
	unsigned file = nodes_get_file(fd);
	pthread_mutex_lock(&shim_lock);
	struct prime_buffer *found = find_inode(st.st_ino, file), from = { 0 };
	if (found)
		from = *found;
	pthread_mutex_unlock(&shim_lock);
	return found ? import_into(fd, file, &from, &args->handle) : -EINVAL;
}

static int on_get_cap(int fd, unsigned long request, void *arg)
{
	struct drm_get_cap *args = arg;
	switch (args->capability) {
	case DRM_CAP_PRIME:
		args->value = DRM_PRIME_CAP_IMPORT | DRM_PRIME_CAP_EXPORT;
		return 0;
	case DRM_CAP_ADDFB2_MODIFIERS:
	case DRM_CAP_SYNCOBJ:
	case DRM_CAP_SYNCOBJ_TIMELINE:
		args->value = 1;
		return 0;
	default:
		return -EINVAL;
	}
}

const struct shim_row prime_rows[] = {
	{ _IOC_NR(DRM_IOCTL_GEM_CLOSE), "GEM_CLOSE", on_close },
	{ _IOC_NR(DRM_IOCTL_GET_CAP), "GET_CAP", on_get_cap },
	{ _IOC_NR(DRM_IOCTL_PRIME_HANDLE_TO_FD), "PRIME_HANDLE_TO_FD", on_export },
	{ _IOC_NR(DRM_IOCTL_PRIME_FD_TO_HANDLE), "PRIME_FD_TO_HANDLE", on_import },
	{ 0 },
};
