/* SPDX-License-Identifier: MIT */
#include "tests/wire/consumer_link.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool on_hello(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer_link *link = user;
	link->pid = (pid_t)((const struct consumer_hello *)message)->pid;
	link->answered = true;
	return true;
}

static bool on_picture(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer_link *link = user;
	link->picture = *(const struct consumer_picture *)message;
	g_clear_pointer(&link->pixels, g_free);
	if (n_fds > 0) {
		size_t bytes = (size_t)link->picture.width * link->picture.height * 4;
		void *memory = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fds[0], 0);
		g_assert_true(memory != MAP_FAILED);
		link->pixels = g_memdup2(memory, bytes);
		munmap(memory, bytes);
	}
	link->answered = true;
	return true;
}

static bool on_state(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer_link *link = user;
	link->state = *(const struct consumer_state_answer *)message;
	link->answered = true;
	return true;
}

static bool on_count(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer_link *link = user;
	link->bench_number = ((const struct consumer_count *)message)->number;
	return true;
}

static const struct link_handler TABLE[] = {
	{ CONSUMER_COUNT, "COUNT", sizeof(struct consumer_count), 0, 0, on_count },
	{ CONSUMER_HELLO, "HELLO", sizeof(struct consumer_hello), 0, 0, on_hello },
	{ CONSUMER_PICTURE, "PICTURE", sizeof(struct consumer_picture), 0, 1, on_picture },
	{ CONSUMER_STATE_ANSWER, "STATE", sizeof(struct consumer_state_answer), 0, 0, on_state },
};

static void write_worker_dir(
	const char *directory, const char *consumer, const char *render, const char *socket)
{
	g_autofree char *display_path = g_build_filename(directory, "vitrine-display", NULL);
	g_autofree char *render_path = g_build_filename(directory, "vitrine-render", NULL);
	/* No script: the starter may execute its two programs, and no shell. */
	g_setenv(CONSUMER_REPORT_VARIABLE, socket, TRUE);
	g_assert_cmpint(symlink(consumer, display_path), ==, 0);
	g_assert_cmpint(symlink(render, render_path), ==, 0);
}

struct consumer_link *consumer_link_create(
	const char *directory, const char *consumer, const char *render, int timeout_ms)
{
	struct consumer_link *link = g_new0(struct consumer_link, 1);
	g_autofree char *path = g_build_filename(directory, "consumer", NULL);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	link->fd = -1;
	link->timeout_ms = timeout_ms;
	link->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(link->listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
	g_assert_cmpint(listen(link->listener, 4), ==, 0);
	write_worker_dir(directory, consumer, render, path);
	return link;
}

void consumer_link_destroy(struct consumer_link *link)
{
	if (!link)
		return;
	close(link->listener);
	if (link->fd >= 0)
		close(link->fd);
	g_free(link->pixels);
	g_free(link);
}

static void tell(struct consumer_link *link, void *message, size_t size_bytes)
{
	g_assert_cmpint(link_send(link->fd, message, size_bytes, NULL, 0), ==, 0);
}

/*
 * Handles one message; returns false when none came before `end`. Aborts the test when the consumer
 * is gone.
 */
static bool receive(struct consumer_link *link, gint64 end, const char *what)
{
	int left = (int)((end - g_get_monotonic_time()) / 1000);
	if (left <= 0 || !link_wait_readable(link->fd, left))
		return false;
	if (link_dispatch(link->fd, "consumer", TABLE, G_N_ELEMENTS(TABLE), link) < 0)
		g_error("consumer: gone while waiting for %s", what);
	return true;
}

static void wait_answer(struct consumer_link *link, const char *what)
{
	gint64 end = g_get_monotonic_time() + (gint64)link->timeout_ms * 1000;
	link->answered = false;
	while (!link->answered) {
		if (!receive(link, end, what))
			g_error("consumer: no %s within %d ms", what, link->timeout_ms);
	}
}

void consumer_link_bench_wait(struct consumer_link *link, uint64_t number)
{
	gint64 end = g_get_monotonic_time() + (gint64)link->timeout_ms * 1000;
	while (link->bench_number < number) {
		if (!receive(link, end, "a frame"))
			g_error("consumer: frame %" G_GUINT64_FORMAT " did not come within %d ms",
				number, link->timeout_ms);
	}
}

bool consumer_link_accept(struct consumer_link *link)
{
	struct pollfd p = { .fd = link->listener, .events = POLLIN };
	if (poll(&p, 1, link->timeout_ms) <= 0)
		return false;
	if (link->fd >= 0)
		close(link->fd);
	link->fd = accept4(link->listener, NULL, NULL, SOCK_CLOEXEC);
	g_assert_cmpint(link->fd, >=, 0);
	wait_answer(link, "HELLO");
	for (uint32_t i = 0; i < FRAME_HEADS_MAX; i++) {
		if (link->rates[i])
			consumer_link_rate(link, i, link->rates[i]);
	}
	if (link->heads.n_heads)
		tell(link, &link->heads, sizeof(link->heads));
	return true;
}

void consumer_link_rate(struct consumer_link *link, uint32_t head, uint32_t rate_mhz)
{
	struct consumer_rate m = {
		.header.type = CONSUMER_RATE, .head = head, .rate_mhz = rate_mhz
	};
	link->rates[head] = rate_mhz;
	if (link->fd >= 0)
		tell(link, &m, sizeof(m));
}

void consumer_link_heads(
	struct consumer_link *link, const struct frame_head_mode *heads, uint32_t n_heads)
{
	link->heads = (struct consumer_heads){ .header.type = CONSUMER_HEADS, .n_heads = n_heads };
	memcpy(link->heads.heads, heads, sizeof(heads[0]) * MIN(n_heads, FRAME_HEADS_MAX));
	tell(link, &link->heads, sizeof(link->heads));
}

void consumer_link_mode(struct consumer_link *link, bool hold, bool sleep)
{
	struct consumer_mode m = { .header.type = CONSUMER_MODE, .hold = hold, .sleep = sleep };
	tell(link, &m, sizeof(m));
}

void consumer_link_trust(struct consumer_link *link)
{
	struct consumer_mode m = { .header.type = CONSUMER_MODE, .trust = true };
	tell(link, &m, sizeof(m));
}

void consumer_link_bench(struct consumer_link *link, uint32_t width, uint32_t height)
{
	struct consumer_bench m = {
		.header.type = CONSUMER_BENCH,
		.on = width > 0,
		.width = width,
		.height = height,
	};
	link->bench_number = 0;
	tell(link, &m, sizeof(m));
}

const struct consumer_picture *consumer_link_snapshot(struct consumer_link *link, uint32_t head)
{
	struct consumer_snapshot m = { .header.type = CONSUMER_SNAPSHOT, .head = head };
	tell(link, &m, sizeof(m));
	wait_answer(link, "PICTURE");
	return &link->picture;
}

const struct consumer_state_answer *consumer_link_state(struct consumer_link *link)
{
	struct consumer_state m = { .header.type = CONSUMER_STATE };
	tell(link, &m, sizeof(m));
	wait_answer(link, "STATE");
	return &link->state;
}
