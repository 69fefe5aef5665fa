/* SPDX-License-Identifier: MIT */
/*
 * preload: has calls fail, in a process that it is preloaded into (points.h). It stands before the
 * C library's functions, GLib's that take memory, GBM's and libdrm's, and before those of EGL that
 * libepoxy has looked up; preload_libraries.c has those of the libraries that display uses. Nothing
 * of it is in the product: what is tried is the program that is shipped, and a library's calls fail
 * like ours.
 *
 * GLib ends the process when g_malloc() gets nothing, and so does this.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "tests/faults/preload.h"

static struct faults *faults;
static enum role role;
static pid_t role_pid;
static __thread unsigned depth;

/*
 * The starter and the fetcher are forks of the keeper, and vitrine-inner one of display, known by
 * the names that they give themselves.
 */
static enum role find_role(void)
{
	char path[256] = "", comm[16] = "";
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	const char *name = n > 0 && strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	prctl(PR_GET_NAME, comm);
	if (strcmp(name, "vitrine-render") == 0)
		return ROLE_RENDER;
	if (strcmp(name, "vitrine-display") == 0)
		return strcmp(comm, "vitrine-inner") == 0 ? ROLE_INNER : ROLE_DISPLAY;
	if (strcmp(name, "vitrine-gpu") != 0)
		return ROLE_OTHER;
	if (strcmp(comm, "vitrine-starter") == 0)
		return ROLE_STARTER;
	return strcmp(comm, "vitrine-fetcher") == 0 ? ROLE_FETCHER : ROLE_KEEPER;
}

/* A fork has its new name after its first calls, which are its parent's still. */
static void after_fork(void)
{
	role_pid = 0;
}

static void __attribute__((constructor)) begin(void)
{
	const char *path = getenv("FAULTS_STATE");
	int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
	void *map = fd < 0 ? MAP_FAILED :
			     (void *)syscall(SYS_mmap, NULL, sizeof(*faults),
				     PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		syscall(SYS_close, fd);
	if (map == MAP_FAILED)
		return;
	role = find_role();
	role_pid = getpid();
	pthread_atfork(NULL, NULL, after_fork);
	faults = map;
}

static enum role get_role(void)
{
	if (role_pid == getpid())
		return role;
	enum role now = find_role();
	/* A fork names itself soon; until then it is looked at again. */
	if (now != ROLE_KEEPER && now != ROLE_DISPLAY) {
		role = now;
		role_pid = getpid();
	}
	return now;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	a = (a ^ b) * UINT64_C(0x9e3779b97f4a7c15);
	return a ^ a >> 29;
}

static uint64_t make_key(unsigned function, enum role of, const char *module, uint64_t offset)
{
	uint64_t key = mix(mix(1 + function, of), offset);
	for (const char *c = module; *c; c++)
		key = mix(key, (unsigned char)*c);
	return key | 1;
}

static struct faults_point *find_point(
	unsigned function, enum role of, const char *module, uint64_t offset)
{
	uint64_t key = make_key(function, of, module, offset);
	for (unsigned i = 0; i < FAULTS_POINTS_MAX; i++) {
		struct faults_point *point = &faults->points[(key + i) % FAULTS_POINTS_MAX];
		uint64_t none = 0;
		if (__atomic_compare_exchange_n(
			    &point->key, &none, key, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			point->role = of;
			point->function = function;
			point->offset = offset;
			strncpy(point->module, module, sizeof(point->module) - 1);
			return point;
		}
		if (none == key)
			return point;
	}
	return NULL;
}

/* Places are looked up once a process. */
#define CACHE 8192
#define CALLS_OF_DICE 4
static struct cached {
	const void *at;
	unsigned function;
	enum role role;
	struct faults_point *point;
} cache[CACHE];

/* Libraries read and write their own pipes, which do not fail, by the same functions. */
static bool is_tried(unsigned function, const char *module)
{
	return (function != F_READ && function != F_WRITE) ||
	       strncmp(module, "vitrine-", strlen("vitrine-")) == 0 ||
	       strncmp(module, "libspice-server", strlen("libspice-server")) == 0;
}

static struct faults_point *look_up(unsigned function, const void *at)
{
	enum role of = get_role();
	struct cached *cached = &cache[mix((uintptr_t)at, function) % CACHE];
	if (cached->at == at && cached->function == function && cached->role == of)
		return cached->point;
	Dl_info info;
	const char *module = "?";
	uint64_t offset = 0;
	if (dladdr(at, &info) && info.dli_fname) {
		const char *slash = strrchr(info.dli_fname, '/');
		module = slash ? slash + 1 : info.dli_fname;
		offset = (uint64_t)((uintptr_t)at - (uintptr_t)info.dli_fbase);
	}
	bool counts = of != ROLE_OTHER && is_tried(function, module);
	struct faults_point *point = counts ? find_point(function, of, module, offset) : NULL;
	*cached = (struct cached){ at, function, of, point };
	return point;
}

/*
 * The dice choose places and not calls, of which GLib's memory in the keeper has the most by far;
 * and of a place one of the first few calls.
 */
static bool is_chosen(const struct faults_point *point, uint64_t n_calls)
{
	if (faults->armed_key != 0)
		return point->key == faults->armed_key &&
		       __atomic_fetch_add(&faults->n_seen_of_armed, 1, __ATOMIC_RELAXED) >=
			       faults->n_skipped;
	return faults->one_in > 0 && mix(faults->seed, point->key) % faults->one_in == 0 &&
	       mix(point->key, faults->seed) % CALLS_OF_DICE == n_calls;
}

bool faults_fails(unsigned function, const void *at)
{
	if (!faults || depth > 0)
		return false;
	int before = errno;
	depth++;
	struct faults_point *point = look_up(function, at);
	bool chosen = false;
	if (point) {
		uint64_t n = __atomic_fetch_add(&point->n_calls, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&faults->n_calls, 1, __ATOMIC_RELAXED);
		chosen = is_chosen(point, n) && __atomic_fetch_add(&faults->n_failed, 1,
							__ATOMIC_RELAXED) < faults->n_wanted;
		if (chosen)
			__atomic_fetch_add(&point->n_failed, 1, __ATOMIC_RELAXED);
	}
	depth--;
	errno = before;
	return chosen;
}

/* ---- the C library ---- */

static mode_t take_mode(int flags, va_list args)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

#define OPEN(name)                                                                                 \
	int name(const char *path, int flags, ...);                                                \
	int name(const char *path, int flags, ...)                                                 \
	{                                                                                          \
		va_list args;                                                                      \
		va_start(args, flags);                                                             \
		mode_t mode = take_mode(flags, args);                                              \
		va_end(args);                                                                      \
		NEXT(int, name, (const char *, int, ...));                                         \
		if (faults_fails(F_OPEN, __builtin_return_address(0))) {                           \
			errno = EMFILE;                                                            \
			return -1;                                                                 \
		}                                                                                  \
		return next(path, flags, mode);                                                    \
	}
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                               \
	int name(int dir, const char *path, int flags, ...);                                       \
	int name(int dir, const char *path, int flags, ...)                                        \
	{                                                                                          \
		va_list args;                                                                      \
		va_start(args, flags);                                                             \
		mode_t mode = take_mode(flags, args);                                              \
		va_end(args);                                                                      \
		NEXT(int, name, (int, const char *, int, ...));                                    \
		if (faults_fails(F_OPEN, __builtin_return_address(0))) {                           \
			errno = EMFILE;                                                            \
			return -1;                                                                 \
		}                                                                                  \
		return next(dir, path, flags, mode);                                               \
	}
OPENAT(openat)
OPENAT(openat64)

#define MMAP(name, offset_type)                                                                    \
	STAND_BEFORE(F_MMAP, void *, name,                                                         \
		(void *at, size_t n, int protection, int flags, int fd, offset_type offset),       \
		(at, n, protection, flags, fd, offset), ENOMEM, MAP_FAILED)
MMAP(mmap, off_t)
MMAP(mmap64, off64_t)
STAND_BEFORE(F_MEMFD_CREATE, int, memfd_create, (const char *name, unsigned flags), (name, flags),
	EMFILE, -1)
STAND_BEFORE(F_FTRUNCATE, int, ftruncate, (int fd, off_t size), (fd, size), ENOSPC, -1)
STAND_BEFORE(F_FTRUNCATE, int, ftruncate64, (int fd, off64_t size), (fd, size), ENOSPC, -1)
STAND_BEFORE(F_SOCKET, int, socket, (int family, int type, int protocol), (family, type, protocol),
	EMFILE, -1)
STAND_BEFORE(F_SOCKETPAIR, int, socketpair, (int family, int type, int protocol, int pair[2]),
	(family, type, protocol, pair), EMFILE, -1)
STAND_BEFORE(F_ACCEPT, int, accept4, (int fd, struct sockaddr *address, socklen_t *n, int flags),
	(fd, address, n, flags), EMFILE, -1)
STAND_BEFORE(F_SENDMSG, ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags),
	(fd, msg, flags), ENOBUFS, -1)
STAND_BEFORE(F_SEND, ssize_t, send, (int fd, const void *bytes, size_t n, int flags),
	(fd, bytes, n, flags), ENOBUFS, -1)
STAND_BEFORE(F_RECVMSG, ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags), (fd, msg, flags),
	ENOMEM, -1)
STAND_BEFORE(F_RECV, ssize_t, recv, (int fd, void *bytes, size_t n, int flags),
	(fd, bytes, n, flags), ENOMEM, -1)
STAND_BEFORE(F_EVENTFD, int, eventfd, (unsigned count, int flags), (count, flags), EMFILE, -1)
STAND_BEFORE(F_PIPE, int, pipe2, (int ends[2], int flags), (ends, flags), EMFILE, -1)
STAND_BEFORE(F_DUP, int, dup2, (int from, int to), (from, to), EMFILE, -1)
STAND_BEFORE(F_DUP, int, dup, (int fd), (fd), EMFILE, -1)
STAND_BEFORE(F_DUP, int, dup3, (int from, int to, int flags), (from, to, flags), EMFILE, -1)
STAND_BEFORE(F_FORK, pid_t, fork, (void), (), EAGAIN, -1)
STAND_BEFORE(F_PIDFD, int, pidfd_open, (pid_t pid, unsigned flags), (pid, flags), EMFILE, -1)
STAND_BEFORE(F_PWRITE, ssize_t, pwrite64, (int fd, const void *bytes, size_t n, off64_t at),
	(fd, bytes, n, at), ENOSPC, -1)

int posix_fallocate64(int fd, off64_t at, off64_t n);
int posix_fallocate64(int fd, off64_t at, off64_t n)
{
	NEXT(int, posix_fallocate64, (int, off64_t, off64_t));
	return faults_fails(F_FALLOCATE, __builtin_return_address(0)) ? ENOSPC : next(fd, at, n);
}

int fcntl64(int fd, int command, ...);
int fcntl64(int fd, int command, ...)
{
	va_list args;
	va_start(args, command);
	void *argument = va_arg(args, void *);
	va_end(args);
	NEXT(int, fcntl64, (int, int, ...));
	if (command == F_DUPFD_CLOEXEC && faults_fails(F_DUP, __builtin_return_address(0))) {
		errno = EMFILE;
		return -1;
	}
	return next(fd, command, argument);
}

/* Workers with namespaces of their own are made by this call itself. */
long syscall(long number, ...)
{
	va_list args;
	long words[6];
	va_start(args, number);
	for (unsigned i = 0; i < 6; i++)
		words[i] = va_arg(args, long);
	va_end(args);
	NEXT(long, syscall, (long, ...));
	if ((number == SYS_clone && faults_fails(F_FORK, __builtin_return_address(0))) ||
		(number == SYS_landlock_create_ruleset &&
			faults_fails(F_WALL, __builtin_return_address(0)))) {
		errno = EAGAIN;
		return -1;
	}
	return next(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

int pthread_create(
	pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
	NEXT(int, pthread_create, (pthread_t *, const pthread_attr_t *, void *(*)(void *), void *));
	if (faults_fails(F_THREAD, __builtin_return_address(0)))
		return EAGAIN;
	return next(thread, attributes, run, argument);
}

/* ---- memory ---- */

void *malloc(size_t n)
{
	NEXT(void *, malloc, (size_t));
	if (faults && faults_fails(F_MALLOC, __builtin_return_address(0))) {
		errno = ENOMEM;
		return NULL;
	}
	return next(n);
}

static void end_as_glib(size_t n)
{
	char text[96];
	int length = snprintf(text, sizeof(text), "GLib: failed to allocate %zu bytes\n", n);
	depth++;
	ssize_t written = write(STDERR_FILENO, text, (size_t)length);
	(void)written;
	abort();
}

#define G_TAKES(name, parameters, arguments, size)                                                 \
	void *name parameters;                                                                     \
	void *name parameters                                                                      \
	{                                                                                          \
		NEXT(void *, name, parameters);                                                    \
		if (faults_fails(F_G_MALLOC, __builtin_return_address(0)))                         \
			end_as_glib(size);                                                         \
		return next arguments;                                                             \
	}
G_TAKES(g_malloc, (size_t n), (n), n)
G_TAKES(g_malloc0, (size_t n), (n), n)
G_TAKES(g_realloc, (void *at, size_t n), (at, n), n)
G_TAKES(g_malloc_n, (size_t n, size_t each), (n, each), n *each)
G_TAKES(g_malloc0_n, (size_t n, size_t each), (n, each), n *each)
G_TAKES(g_realloc_n, (void *at, size_t n, size_t each), (at, n, each), n *each)

/* ---- buffers of the GPU ---- */

STAND_BEFORE(F_GBM, void *, gbm_create_device, (int fd), (fd), ENOMEM, NULL)
STAND_BEFORE(F_GBM, void *, gbm_bo_create,
	(void *device, uint32_t width, uint32_t height, uint32_t format, uint32_t flags),
	(device, width, height, format, flags), ENOMEM, NULL)
STAND_BEFORE(F_GBM, void *, gbm_bo_create_with_modifiers2,
	(void *device, uint32_t width, uint32_t height, uint32_t format, const uint64_t *modifiers,
		unsigned n, uint32_t flags),
	(device, width, height, format, modifiers, n, flags), ENOMEM, NULL)
STAND_BEFORE(F_GBM, int, gbm_bo_get_fd, (void *bo), (bo), EMFILE, -1)
STAND_BEFORE(F_GBM, void *, gbm_bo_map,
	(void *bo, uint32_t x, uint32_t y, uint32_t width, uint32_t height, uint32_t flags,
		uint32_t *stride, void **data),
	(bo, x, y, width, height, flags, stride, data), ENOMEM, NULL)
STAND_BEFORE(F_IMPORT, int, drmPrimeFDToHandle, (int fd, int prime, uint32_t *handle),
	(fd, prime, handle), ENOMEM, -1)

/*
 * libepoxy's functions are variables of it, which it looks up at their first call if nobody else
 * has put something there. So what it had there is put back for the time of a call. Our renderer
 * calls each of them on one thread at a time.
 */
#define EGL(name, type, parameters, arguments)                                                     \
	extern type(*epoxy_##name) parameters __attribute__((weak));                               \
	static type(*real_##name) parameters;                                                      \
	static type stand_##name parameters                                                        \
	{                                                                                          \
		if (faults_fails(F_EGL, __builtin_return_address(0)))                              \
			return (type)0;                                                            \
		epoxy_##name = real_##name;                                                        \
		type result = real_##name arguments;                                               \
		real_##name = epoxy_##name;                                                        \
		epoxy_##name = stand_##name;                                                       \
		return result;                                                                     \
	}                                                                                          \
	static void __attribute__((constructor)) begin_##name(void)                                \
	{                                                                                          \
		if (!&epoxy_##name)                                                                \
			return;                                                                    \
		real_##name = epoxy_##name;                                                        \
		epoxy_##name = stand_##name;                                                       \
	}
EGL(eglInitialize, unsigned, (void *display, int *major, int *minor), (display, major, minor))
EGL(eglCreateContext, void *, (void *display, void *config, void *share, const int *attributes),
	(display, config, share, attributes))
EGL(eglMakeCurrent, unsigned, (void *display, void *draw, void *read, void *context),
	(display, draw, read, context))
EGL(eglCreateImageKHR, void *,
	(void *display, void *context, unsigned target, void *buffer, const int *attributes),
	(display, context, target, buffer, attributes))
EGL(eglCreateSyncKHR, void *, (void *display, unsigned type, const int *attributes),
	(display, type, attributes))
EGL(eglDupNativeFenceFDANDROID, int, (void *display, void *sync), (display, sync))
