/* SPDX-License-Identifier: MIT */
#include "tests/wire/consumer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "protocol/keeper_link.h"
#include "common/shm.h"
#include "protocol/stats_writer.h"
#include "tests/wire/consumer_gpu.h"

/* ---- keeper link ---- */

static bool on_frame_link(void *user, const void *message, int *fds, unsigned n_fds)
{
	consumer_frames_attach(user, fds[0]);
	fds[0] = -1;
	return true;
}

static bool on_stats(void *user, const void *message, int *fds, unsigned n_fds)
{
	return stats_attach(fds[0], STATS_DISPLAY);
}

static bool on_listener(void *user, const void *message, int *fds, unsigned n_fds)
{
	((struct consumer *)user)->state.listeners++;
	return true;
}

static bool on_ticket(void *user, const void *message, int *fds, unsigned n_fds)
{
	((struct consumer *)user)->state.tickets++;
	return true;
}

static bool on_passwords(void *user, const void *message, int *fds, unsigned n_fds)
{
	return true;
}

static bool on_dbus(void *user, const void *message, int *fds, unsigned n_fds)
{
	return true;
}

static bool on_says(void *user, const void *message, int *fds, unsigned n_fds)
{
	g_message("says: %s", ((const struct keeper_says *)message)->text);
	return true;
}

static const struct link_handler KEEPER_TABLE[] = {
	CONSUMER_ROW(KEEPER_MESSAGE_FRAME_LINK, 1, 1, keeper_frame_link, on_frame_link),
	CONSUMER_ROW(KEEPER_MESSAGE_STATS, 1, 1, keeper_stats, on_stats),
	CONSUMER_ROW(KEEPER_MESSAGE_LISTENER, 1, 1, keeper_listener, on_listener),
	CONSUMER_ROW(KEEPER_MESSAGE_PASSWORDS, 0, 0, keeper_passwords, on_passwords),
	CONSUMER_ROW(KEEPER_MESSAGE_TICKET, 0, 0, keeper_ticket, on_ticket),
	CONSUMER_ROW(KEEPER_MESSAGE_SAYS, 0, 0, keeper_says, on_says),
	CONSUMER_ROW(KEEPER_MESSAGE_DBUS, 1, 1, keeper_dbus, on_dbus),
};

/* ---- the test ---- */

static bool on_rate(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer *c = user;
	const struct consumer_rate *m = message;
	c->rates[m->head % FRAME_HEADS_MAX] = m->rate_mhz;
	consumer_frames_send_rate(c, m->head % FRAME_HEADS_MAX);
	return true;
}

static bool on_heads(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer *c = user;
	c->wanted = *(const struct consumer_heads *)message;
	consumer_frames_send_heads(c);
	return true;
}

static bool on_mode(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer *c = user;
	c->mode = *(const struct consumer_mode *)message;
	if (!c->mode.hold)
		consumer_frames_release_held(c);
	return true;
}

static bool on_takes(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer *c = user;
	const struct consumer_takes *m = message;
	c->takes = consumer_gpu_is_open() ? m->dmabufs : CONSUMER_NO_DMABUFS;
	consumer_frames_send_formats(c);
	return true;
}

static bool on_snapshot(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer *c = user;
	const struct consumer_snapshot *m = message;
	struct consumer_head *h = &c->heads[m->head % FRAME_HEADS_MAX];
	struct consumer_picture answer = {
		.header.type = CONSUMER_PICTURE,
		.head = m->head,
		.frames = h->state.frames,
	};
	int fd = -1;
	if (h->picture) {
		size_t bytes = (size_t)h->state.width * h->state.height * 4;
		fd = shm_create("snapshot", bytes);
		void *memory = shm_map(fd, bytes, true);
		memcpy(memory, h->picture, bytes);
		shm_unmap(memory, bytes);
		answer.width = h->state.width;
		answer.height = h->state.height;
	}
	link_send(c->test, &answer, sizeof(answer), &fd, fd >= 0);
	if (fd >= 0)
		close(fd);
	return true;
}

static bool on_state(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer *c = user;
	c->state.header.type = CONSUMER_STATE_ANSWER;
	c->state.buffers = g_hash_table_size(c->buffers);
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++)
		c->state.heads[i] = c->heads[i].state;
	link_send(c->test, &c->state, sizeof(c->state), NULL, 0);
	return true;
}

static bool on_bench(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer *c = user;
	const struct consumer_bench *m = message;
	picture_pattern_finish(&c->pattern);
	picture_pattern_init(&c->pattern, m->width, m->height);
	c->state.bench_good = c->state.bench_bad = 0;
	c->state.bench_last = UINT64_MAX;
	c->bench = m->on;
	return true;
}

static const struct link_handler TEST_TABLE[] = {
	CONSUMER_ROW(CONSUMER_RATE, 0, 0, consumer_rate, on_rate),
	CONSUMER_ROW(CONSUMER_HEADS, 0, 0, consumer_heads, on_heads),
	CONSUMER_ROW(CONSUMER_MODE, 0, 0, consumer_mode, on_mode),
	CONSUMER_ROW(CONSUMER_TAKES, 0, 0, consumer_takes, on_takes),
	CONSUMER_ROW(CONSUMER_SNAPSHOT, 0, 0, consumer_snapshot, on_snapshot),
	CONSUMER_ROW(CONSUMER_STATE, 0, 0, consumer_state, on_state),
	CONSUMER_ROW(CONSUMER_BENCH, 0, 0, consumer_bench, on_bench),
};

static int connect_test(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		fprintf(stderr, "consumer: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	return fd;
}

/* A spare one says READY, too, but the test hears only of one that the keeper has made display. */
static void introduce(struct consumer *c, const char *test)
{
	struct keeper_ready ready = {
		.header.type = KEEPER_MESSAGE_READY,
		.version = KEEPER_LINK_VERSION,
	};
	struct pollfd p = { .fd = c->keeper, .events = POLLIN };
	struct consumer_hello hello = { .header.type = CONSUMER_HELLO, .pid = (uint32_t)getpid() };
	if (link_send(c->keeper, &ready, sizeof(ready), NULL, 0) < 0 || poll(&p, 1, -1) != 1)
		exit(1);
	c->test = connect_test(test);
	if (c->test < 0)
		exit(2);
	link_send(c->test, &hello, sizeof(hello), NULL, 0);
}

/* Handles every message that waits; returns false when the peer is gone. */
static bool drain(int fd, const char *peer, const struct link_handler *table, size_t n, void *user)
{
	int result;
	while ((result = link_dispatch(fd, peer, table, n, user)) > 0)
		;
	return result == 0;
}

static void run(struct consumer *c)
{
	for (;;) {
		struct pollfd p[3] = {
			{ c->keeper, POLLIN, 0 },
			{ c->test, POLLIN, 0 },
			{ c->mode.sleep ? -1 : c->frames, POLLIN, 0 },
		};
		if (poll(p, 3, -1) < 0)
			continue;
		if (p[1].revents &&
			!drain(c->test, "test", TEST_TABLE, G_N_ELEMENTS(TEST_TABLE), c))
			exit(0);
		if (p[0].revents &&
			!drain(c->keeper, "keeper", KEEPER_TABLE, G_N_ELEMENTS(KEEPER_TABLE), c))
			exit(0);
		/*
		 * We take one message a turn, as a message from the keeper may have brought a new
		 * link meanwhile.
		 */
		if (p[2].revents && c->frames == p[2].fd)
			consumer_frames_receive(c);
	}
}

int main(void)
{
	struct consumer c = { .keeper = KEEPER_LINK_FD, .test = -1 };
	if (!g_getenv(CONSUMER_REPORT_VARIABLE))
		return 2;
	consumer_frames_init(&c);
	if (g_getenv("WIRE_RENDER_NODE"))
		consumer_gpu_open(g_getenv("WIRE_RENDER_NODE"));
	c.takes = consumer_gpu_is_open() ? CONSUMER_DMABUFS : CONSUMER_NO_DMABUFS;
	introduce(&c, g_getenv(CONSUMER_REPORT_VARIABLE));
	run(&c);
}
