/* SPDX-License-Identifier: MIT */
/* heap: tests that each of the allocator's functions is counted, and that trimming helps. */
#include <errno.h>
#include <glib.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "render/quota/heap.h"

#define PIECE_BYTES 100000
/* The C library rounds sizes up to 16 bytes, and maps large pieces in pages. */
#define SLACK_BYTES 4200
#define PRELOADED "HEAP_TEST_IS_PRELOADED"
#define NOT_COUNTED 42
#define SMALL_BYTES 2000
#define SMALL_PIECES 32768
/* Threads tell what they have taken once it is this much. */
#define THREAD_BYTES (4 << 20)

static int64_t before_bytes;
static uint64_t before_taken;

static void mark(void)
{
	struct heap_use use;
	g_assert_true(heap_read(&use));
	before_bytes = use.bytes;
	before_taken = use.n_taken;
}

static void expect(int64_t bytes, uint64_t n_taken)
{
	struct heap_use use;
	g_assert_true(heap_read(&use));
	g_assert_cmpint(use.bytes - before_bytes, >=, bytes - (bytes == 0 ? 0 : SLACK_BYTES));
	g_assert_cmpint(use.bytes - before_bytes, <=, bytes + (bytes == 0 ? 0 : SLACK_BYTES));
	g_assert_cmpuint(use.n_taken - before_taken, ==, n_taken);
}

static void expect_piece(void *piece)
{
	g_assert_nonnull(piece);
	expect(PIECE_BYTES, 1);
	free(piece);
	expect(0, 1);
}

static void test_counted(void)
{
	void *piece;
	mark();
	expect_piece(malloc(PIECE_BYTES));
	mark();
	piece = calloc(PIECE_BYTES / 4, 4);
	for (unsigned i = 0; i < PIECE_BYTES; i++)
		g_assert_cmpuint(((uint8_t *)piece)[i], ==, 0);
	expect_piece(piece);
	mark();
	expect_piece(aligned_alloc(64, PIECE_BYTES));
	mark();
	expect_piece(memalign(64, PIECE_BYTES));
	mark();
	g_assert_cmpint(posix_memalign(&piece, 4096, PIECE_BYTES), ==, 0);
	g_assert_cmpuint((uintptr_t)piece % 4096, ==, 0);
	expect_piece(piece);
	mark();
	expect_piece(valloc(PIECE_BYTES));
	mark();
	expect_piece(pvalloc(PIECE_BYTES));
	mark();
	expect_piece(g_malloc(PIECE_BYTES));
}

static void test_resized(void)
{
	mark();
	void *piece = malloc(PIECE_BYTES);
	memset(piece, 7, PIECE_BYTES);
	piece = realloc(piece, 3 * PIECE_BYTES);
	expect(3 * PIECE_BYTES, 2);
	g_assert_cmpuint(((uint8_t *)piece)[PIECE_BYTES - 1], ==, 7);
	piece = realloc(piece, 2 * PIECE_BYTES);
	expect(2 * PIECE_BYTES, 3);
	g_assert_null(realloc(piece, 0));
	expect(0, 4);
	piece = realloc(NULL, PIECE_BYTES);
	expect(PIECE_BYTES, 5);
	free(piece);
	free(NULL);
	expect(0, 5);
}

/* The compiler must not know that this is more than there can be. */
static size_t get_too_many(void)
{
	volatile size_t bytes = SIZE_MAX / 2;
	return bytes;
}

static void test_refused(void)
{
	void *piece = malloc(PIECE_BYTES), *none = &piece;
	mark();
	g_assert_null(malloc(get_too_many()));
	g_assert_null(calloc(get_too_many(), 4));
	g_assert_null(realloc(piece, get_too_many()));
	g_assert_null(pvalloc(get_too_many() * 2 + 1));
	g_assert_cmpint(posix_memalign(&none, 3, 100), ==, EINVAL);
	g_assert_cmpint(posix_memalign(&none, 64, get_too_many()), ==, ENOMEM);
	g_assert_true(none == &piece);
	struct heap_use use;
	g_assert_true(heap_read(&use));
	g_assert_cmpint(use.bytes, ==, before_bytes);
	free(piece);
}

static gpointer take(gpointer data)
{
	return malloc(THREAD_BYTES);
}

/* What a thread has taken another may free. */
static void test_threads(void)
{
	mark();
	GThread *thread = g_thread_new("take", take, NULL);
	void *piece = g_thread_join(thread);
	struct heap_use use;
	g_assert_true(heap_read(&use));
	g_assert_cmpint(use.bytes - before_bytes, >, THREAD_BYTES - 32 * 1024);
	free(piece);
	g_assert_true(heap_read(&use));
	g_assert_cmpint(use.bytes - before_bytes, <, 32 * 1024);
}

static uint64_t read_resident_mib(void)
{
	unsigned long long all, resident = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	g_assert_nonnull(file);
	g_assert_cmpint(fscanf(file, "%llu %llu", &all, &resident), ==, 2);
	fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE) >> 20;
}

/* The C library gives nothing back by itself of what lies below something that is in use. */
static void test_trim(void)
{
	static void *pieces[SMALL_PIECES];
	for (unsigned i = 0; i < SMALL_PIECES; i++)
		pieces[i] = memset(malloc(SMALL_BYTES), 7, SMALL_BYTES);
	void *last = malloc(SMALL_BYTES);
	for (unsigned i = 0; i < SMALL_PIECES; i++)
		free(pieces[i]);
	uint64_t before = read_resident_mib();
	heap_trim();
	g_assert_cmpuint(read_resident_mib() + 50, <, before);
	free(last);
}

/* What is preloaded sees all memory that is taken, and a sanitizer, which needs to, is not counted.
 */
static void test_preloaded(void)
{
	g_autofree char *libasan = NULL, *compiler_says = NULL;
	if (g_spawn_command_line_sync(
		    "gcc -print-file-name=libasan.so", &compiler_says, NULL, NULL, NULL))
		libasan = g_strdup(g_strchomp(compiler_says));
	if (!libasan || !g_path_is_absolute(libasan)) {
		g_test_skip("gcc has no libasan here");
		return;
	}
	g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "LD_PRELOAD", libasan, TRUE);
	environment = g_environ_setenv(environment, PRELOADED, "1", TRUE);
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	char *arguments[] = { self, NULL };
	g_autofree char *said = NULL;
	int status;
	g_assert_true(g_spawn_sync(NULL, arguments, environment, G_SPAWN_DEFAULT, NULL, NULL, NULL,
		&said, &status, NULL));
	g_assert_cmpstr(said, ==, "");
	g_assert_true(WIFEXITED(status));
	g_assert_cmpint(WEXITSTATUS(status), ==, NOT_COUNTED);
}

/* Is all that the program does with a sanitizer before it. */
static int run_preloaded(void)
{
	struct heap_use use;
	char *volatile piece = malloc(SMALL_BYTES);
	bool is_counted = heap_read(&use);
	free(realloc(piece, 2 * SMALL_BYTES));
	return is_counted ? 1 : NOT_COUNTED;
}

int main(int argc, char **argv)
{
	struct heap_use use;
	if (g_getenv(PRELOADED))
		return run_preloaded();
	g_test_init(&argc, &argv, NULL);
	/* Under sanitizers nothing is counted. */
	if (heap_read(&use)) {
		g_test_add_func("/heap/counted", test_counted);
		g_test_add_func("/heap/resized", test_resized);
		g_test_add_func("/heap/refused", test_refused);
		g_test_add_func("/heap/threads", test_threads);
		g_test_add_func("/heap/trim", test_trim);
		g_test_add_func("/heap/preloaded", test_preloaded);
	}
	return g_test_run();
}
