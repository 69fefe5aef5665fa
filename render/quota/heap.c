/* SPDX-License-Identifier: MIT */
#include "render/quota/heap.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/flight.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

/*
 * The functions that these here stand before: the C library's, or those of what was preloaded, such
 * as a sanitizer's or valgrind's, which must see all that is taken.
 */
static struct {
	void *(*malloc)(size_t bytes);
	void *(*calloc)(size_t n, size_t bytes);
	void *(*realloc)(void *at, size_t bytes);
	void *(*memalign)(size_t alignment, size_t bytes);
	void (*free)(void *at);
} next;
/* AddressSanitizer was preloaded: it cannot say how large a piece is before it has begun. */
static bool is_sanitized;

static void *find_next(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);
	if (!function)
		abort();
	return function;
}

/* Finds them at the first call, which comes before there are threads. Dlsym takes no memory for
 * these. */
static void find_all(void)
{
	*(void **)&next.calloc = find_next("calloc");
	*(void **)&next.realloc = find_next("realloc");
	*(void **)&next.memalign = find_next("memalign");
	*(void **)&next.free = find_next("free");
	*(void **)&next.malloc = find_next("malloc");
	/* A name that is not there does take memory, for the words that say so. */
	is_sanitized = dlsym(RTLD_DEFAULT, "__asan_init") != NULL;
}

static inline void ensure_found(void)
{
	if (__builtin_expect(!next.malloc, 0))
		find_all();
}

/*
 * A thread adds what it has taken and freed to the sum when it is this much, so that threads do not
 * wait for each other's caches at each call.
 */
#define UNTOLD_BYTES (16 * 1024)
/* The C library has this before each piece of memory. */
#define HEADER_BYTES 8

static _Atomic int64_t told_bytes;
/* This model takes no memory, which would be taken from here. */
#define OF_THREAD static __thread __attribute__((tls_model("initial-exec")))
OF_THREAD int64_t untold_bytes;
OF_THREAD uint64_t n_taken;

static void add(int64_t bytes)
{
	untold_bytes += bytes;
	if (untold_bytes < UNTOLD_BYTES && untold_bytes > -UNTOLD_BYTES)
		return;
	atomic_fetch_add_explicit(&told_bytes, untold_bytes, memory_order_relaxed);
	untold_bytes = 0;
}

static int64_t measure(void *at)
{
	return at && !is_sanitized ? (int64_t)(malloc_usable_size(at) + HEADER_BYTES) : 0;
}

static void *note_taken(void *at, size_t bytes)
{
	n_taken++;
	if (__builtin_expect(!at, 0))
		flight_note_refused(bytes);
	add(measure(at));
	return at;
}

/* ---- the allocator's functions, all of them, as the C library's manual wants it ---- */

/* Libraries find them. */
#pragma GCC visibility push(default)

void *malloc(size_t bytes)
{
	ensure_found();
	return note_taken(next.malloc(bytes), bytes);
}

void *calloc(size_t n, size_t bytes)
{
	ensure_found();
	return note_taken(next.calloc(n, bytes), bytes);
}

void *realloc(void *at, size_t bytes)
{
	ensure_found();
	int64_t before = measure(at);
	void *now = next.realloc(at, bytes);
	n_taken++;
	/* What was asked for may be refused, and then the old memory is left as it was. */
	if (now || bytes == 0)
		add(measure(now) - before);
	else
		flight_note_refused(bytes);
	return now;
}

void *memalign(size_t alignment, size_t bytes)
{
	ensure_found();
	return note_taken(next.memalign(alignment, bytes), bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
	return memalign(alignment, bytes);
}

int posix_memalign(void **at, size_t alignment, size_t bytes)
{
	if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0)
		return EINVAL;
	int error = errno;
	void *taken = memalign(alignment, bytes);
	errno = error;
	if (!taken)
		return ENOMEM;
	*at = taken;
	return 0;
}

static size_t get_page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

void *valloc(size_t bytes)
{
	return memalign(get_page_bytes(), bytes);
}

void *pvalloc(size_t bytes)
{
	size_t page_bytes = get_page_bytes();
	if (bytes > SIZE_MAX - page_bytes) {
		errno = ENOMEM;
		return NULL;
	}
	return memalign(page_bytes, (bytes + page_bytes - 1) / page_bytes * page_bytes);
}

void free(void *at)
{
	ensure_found();
	add(-measure(at));
	next.free(at);
}

#pragma GCC visibility pop

/* ---- what is counted ---- */

bool heap_read(struct heap_use *use)
{
	int64_t told = atomic_load_explicit(&told_bytes, memory_order_relaxed);
	*use = (struct heap_use){ .bytes = told + untold_bytes, .n_taken = n_taken };
	return !is_sanitized;
}

void heap_trim(void)
{
	malloc_trim(0);
}

#else

bool heap_read(struct heap_use *use)
{
	*use = (struct heap_use){ 0 };
	return false;
}

void heap_trim(void)
{
}

#endif
