/* SPDX-License-Identifier: MIT */
/*
 * packed: tests the virtqueue on packed rings against a driver that keeps the rules, one that does
 * not, and after a renderer that died at every store.
 */
#include <glib.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "render/ring/packed.h"
#include "render/ring/virtqueue.h"

/* No power of two: a packed ring may be so. */
#define SIZE 6
#define GUEST 0x10000ull
#define USER 0x700000000000ull
#define BYTES 0x40000ull
/* These are offsets in the memory. */
#define DESC 0x0
#define DRIVER 0x1000
#define DEVICE 0x2000
#define TABLE 0x3000
#define DATA 0x8000

#define F_NEXT VRING_DESC_F_NEXT
#define F_WRITE VRING_DESC_F_WRITE
#define F_INDIRECT VRING_DESC_F_INDIRECT
#define START_PLACE 0x8000

struct fixture {
	uint8_t *base;
	int fd;
	struct memory *memory;
	struct virtqueue *vq;
	struct vring_packed_desc *desc;
	struct vring_packed_desc_event *driver, *device;
	int kick_fd, call_fd;
	struct ledger_ring ledger;
	/* The driver's. */
	uint16_t next, used; /* slots */
	bool next_wrap, used_wrap;
	uint16_t lengths[SIZE]; /* of commands, by id */
};

static void start_at(struct fixture *f, uint16_t next_avail, uint16_t next_used)
{
	struct keeper_ring_start start = { .size = SIZE,
		.desc_user_addr = USER + DESC,
		.avail_user_addr = USER + DRIVER,
		.used_user_addr = USER + DEVICE,
		.next_avail = next_avail,
		.next_used = next_used };
	g_assert_true(virtqueue_start(f->vq, &start, dup(f->kick_fd), dup(f->call_fd)));
}

static void set_up(struct fixture *f, gconstpointer event_idx)
{
	struct keeper_memory_region region = {
		.guest_addr = GUEST, .user_addr = USER, .size_bytes = BYTES
	};
	f->fd = memfd_create("guest", 0);
	g_assert_cmpint(ftruncate(f->fd, BYTES), ==, 0);
	f->base = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	f->memory = memory_create();
	g_assert_true(memory_add_region(f->memory, &region, f->fd));
	f->kick_fd = eventfd(0, EFD_NONBLOCK);
	f->call_fd = eventfd(0, EFD_NONBLOCK);
	f->desc = (void *)(f->base + DESC);
	f->driver = (void *)(f->base + DRIVER);
	f->device = (void *)(f->base + DEVICE);
	f->next_wrap = f->used_wrap = true;
	f->ledger.returning = LEDGER_NO_CHAIN;
	f->vq = virtqueue_create("test");
	virtqueue_set_ledger(f->vq, &f->ledger);
	virtqueue_set_features(f->vq,
		1ull << VIRTIO_F_RING_PACKED | (event_idx ? 1ull << VIRTIO_RING_F_EVENT_IDX : 0));
	virtqueue_set_memory(f->vq, f->memory);
	start_at(f, START_PLACE, START_PLACE);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	virtqueue_destroy(f->vq);
	memory_unref(f->memory);
	munmap(f->base, BYTES);
	close(f->fd);
	close(f->kick_fd);
	close(f->call_fd);
}

/* ---- the driver ---- */

static void put(struct fixture *f, uint64_t offset, uint32_t len, uint16_t id, unsigned flags)
{
	flags |= f->next_wrap ? 1u << VRING_PACKED_DESC_F_AVAIL : 1u << VRING_PACKED_DESC_F_USED;
	f->desc[f->next] = (struct vring_packed_desc){ GUEST + offset, len, id, (uint16_t)flags };
	if (++f->next == SIZE) {
		f->next = 0;
		f->next_wrap = !f->next_wrap;
	}
}

/* A question of 4 bytes, and room for an answer, in two slots or, by a table, in one. */
static void ask(struct fixture *f, uint16_t id, bool indirect)
{
	struct vring_packed_desc *table = (void *)(f->base + TABLE + id * 64);
	uint64_t at = DATA + id * 0x100;
	memcpy(f->base + at, &id, sizeof(id));
	memset(f->base + at + 0x80, 0, 16);
	if (!indirect) {
		f->lengths[id] = 2;
		put(f, at, 4, id, F_NEXT);
		put(f, at + 0x80, 16, id, F_WRITE);
		return;
	}
	f->lengths[id] = 1;
	table[0] = (struct vring_packed_desc){ GUEST + at, 4, 99, 0 };
	table[1] = (struct vring_packed_desc){ GUEST + at + 0x80, 16, 99, F_WRITE };
	put(f, TABLE + id * 64, 32, id, F_INDIRECT);
}

static struct chain *take(struct fixture *f, uint16_t id)
{
	struct chain *chain = virtqueue_try_take(f->vq);
	uint16_t read = 99;
	g_assert_nonnull(chain);
	g_assert_null(chain->fault);
	g_assert_cmpuint(chain->first_desc, ==, id);
	g_assert_cmpuint(chain_read(chain, 0, &read, sizeof(read)), ==, sizeof(read));
	g_assert_cmpuint(read, ==, id);
	g_assert_cmpuint(chain->writable_bytes, ==, 16);
	return chain;
}

/* Takes what the device has given back, as the driver does: one, or returns -1. */
static int collect(struct fixture *f, const char *text)
{
	const struct vring_packed_desc *d = &f->desc[f->used];
	bool avail = d->flags & (1 << VRING_PACKED_DESC_F_AVAIL);
	bool used = d->flags & (1 << VRING_PACKED_DESC_F_USED);
	if (avail != used || used != f->used_wrap)
		return -1;
	uint16_t id = d->id;
	g_assert_cmpuint(id, <, SIZE);
	g_assert_cmpuint(f->lengths[id], >, 0);
	g_assert_cmpuint(d->len, ==, strlen(text));
	g_assert_cmpint(!!(d->flags & F_WRITE), ==, text[0] != '\0');
	g_assert_cmpmem(f->base + DATA + id * 0x100 + 0x80, strlen(text), text, strlen(text));
	f->used += f->lengths[id];
	f->lengths[id] = 0;
	if (f->used >= SIZE) {
		f->used -= SIZE;
		f->used_wrap = !f->used_wrap;
	}
	return id;
}

static void answer(struct fixture *f, struct chain *chain, const char *text)
{
	virtqueue_return(f->vq, chain, text, strlen(text));
}

static unsigned calls(struct fixture *f)
{
	uint64_t count = 0;
	return read(f->call_fd, &count, sizeof(count)) < 0 ? 0 : (unsigned)count;
}

/* ---- tests ---- */

/* Many rounds, of commands in one slot and in two, so that each falls on the ring's end. */
static void test_rounds(struct fixture *f, gconstpointer data)
{
	for (unsigned round = 0; round < 50; round++) {
		uint16_t id = (uint16_t)(round % SIZE);
		ask(f, id, round % 3 == 0);
		g_assert_true(virtqueue_listen(f->vq));
		struct chain *chain = take(f, id);
		g_assert_null(virtqueue_try_take(f->vq));
		g_assert_cmpint(collect(f, "yes"), ==, -1);
		answer(f, chain, "yes");
		g_assert_cmpint(collect(f, "yes"), ==, id);
		g_assert_cmpuint(f->ledger.taken[id], ==, 0);
		g_assert_cmpuint(virtqueue_get_taken(f->vq), ==, round + 1);
		uint16_t place = (uint16_t)(f->next | (f->next_wrap ? PACKED_WRAP : 0));
		g_assert_cmphex(f->ledger.next_avail, ==, place);
		g_assert_cmphex(f->ledger.used_index, ==, place);
	}
}

/* What is done first is given back first, over descriptors of what is still at work. */
static void test_out_of_order(struct fixture *f, gconstpointer data)
{
	for (unsigned round = 0; round < 20; round++) {
		ask(f, 0, false);
		ask(f, 1, false);
		ask(f, 2, false);
		g_assert_cmpuint(
			(uint16_t)(virtqueue_peek_end(f->vq) - virtqueue_get_taken(f->vq)), ==, 3);
		struct chain *first = take(f, 0), *second = take(f, 1), *third = take(f, 2);
		answer(f, third, "third");
		answer(f, second, "second");
		g_assert_cmpint(collect(f, "third"), ==, 2);
		g_assert_cmpint(collect(f, "second"), ==, 1);
		first = virtqueue_read_again(f->vq, first);
		answer(f, first, "first");
		g_assert_cmpint(collect(f, "first"), ==, 0);
	}
}

static void test_notification(struct fixture *f, gconstpointer event_idx)
{
	/* It wants none. */
	f->driver->flags = VRING_PACKED_EVENT_FLAG_DISABLE;
	ask(f, 0, true);
	answer(f, take(f, 0), "");
	g_assert_cmpint(collect(f, ""), ==, 0);
	g_assert_cmpuint(calls(f), ==, 0);
	/* It wants one for the fourth slot of this round, and the first of the next. */
	f->driver->flags = VRING_PACKED_EVENT_FLAG_DESC;
	f->driver->off_wrap = 3 | PACKED_WRAP;
	for (uint16_t id = 1; id < 6; id++) {
		if (id == 4)
			f->driver->off_wrap = 0;
		ask(f, id, true);
		answer(f, take(f, id), "");
		g_assert_cmpint(collect(f, ""), ==, id);
		g_assert_cmpuint(calls(f), ==, event_idx ? id == 3 : 1);
	}
	ask(f, 0, true);
	answer(f, take(f, 0), "");
	g_assert_cmpuint(calls(f), ==, 1);
	/* We want none while we work; a renderer before may have left it so. */
	f->device->flags = VRING_PACKED_EVENT_FLAG_DISABLE;
	g_assert_false(virtqueue_listen(f->vq));
	g_assert_cmphex(f->device->flags, ==, VRING_PACKED_EVENT_FLAG_ENABLE);
	virtqueue_quiet(f->vq);
	g_assert_cmphex(f->device->flags, ==, VRING_PACKED_EVENT_FLAG_DISABLE);
	g_assert_false(virtqueue_listen(f->vq));
	g_assert_cmphex(f->device->flags, ==, VRING_PACKED_EVENT_FLAG_ENABLE);
	g_assert_cmpint(collect(f, ""), ==, 0);
	ask(f, 0, true);
	g_assert_true(virtqueue_listen(f->vq));
}

static void test_stop(struct fixture *f, gconstpointer data)
{
	ask(f, 0, false);
	ask(f, 1, true);
	struct chain *first = take(f, 0), *second = take(f, 1);
	answer(f, second, "now");
	g_assert_cmphex(virtqueue_stop(f->vq), ==, 3 | PACKED_WRAP);
	g_assert_cmphex(virtqueue_get_used(f->vq), ==, 1 | PACKED_WRAP);
	answer(f, first, "kept");
	g_assert_cmpint(collect(f, "now"), ==, 1);
	g_assert_cmpint(collect(f, "kept"), ==, -1);
	start_at(f, 3 | PACKED_WRAP, 1 | PACKED_WRAP);
	g_assert_cmpint(collect(f, "kept"), ==, 0);
	ask(f, 2, false);
	answer(f, take(f, 2), "again");
	g_assert_cmpint(collect(f, "again"), ==, 2);
}

static void expect_broken(struct fixture *f)
{
	g_assert_null(virtqueue_try_take(f->vq));
	g_assert_false(virtqueue_listen(f->vq));
	virtqueue_stop(f->vq);
	virtqueue_reset(f->vq);
	memset(f->desc, 0, SIZE * sizeof(f->desc[0]));
	f->next = f->used = 0;
	f->next_wrap = f->used_wrap = true;
	start_at(f, START_PLACE, START_PLACE);
	ask(f, 0, false);
	answer(f, take(f, 0), "well");
	g_assert_cmpint(collect(f, "well"), ==, 0);
	virtqueue_stop(f->vq);
	virtqueue_reset(f->vq);
	memset(f->desc, 0, SIZE * sizeof(f->desc[0]));
	f->next = f->used = 0;
	f->next_wrap = f->used_wrap = true;
	start_at(f, START_PLACE, START_PLACE);
}

static void test_broken(struct fixture *f, gconstpointer data)
{
	put(f, DATA, 4, SIZE, 0); /* an id beyond the ring */
	expect_broken(f);
	put(f, DATA, 4, 0xffff, 0);
	expect_broken(f);
	for (unsigned i = 0; i < SIZE; i++) /* no end */
		put(f, DATA, 4, 0, F_NEXT);
	expect_broken(f);
	ask(f, 3, true); /* the same id again */
	struct chain *chain = take(f, 3);
	ask(f, 3, true);
	expect_broken(f);
	answer(f, chain, "old");
	g_assert_cmpint(collect(f, "old"), ==, -1);
	for (uint16_t id = 0; id < 3; id++) /* more than the ring holds */
		ask(f, id, false);
	struct chain *chains[3] = { take(f, 0), take(f, 1), take(f, 2) };
	put(f, DATA, 4, 4, 0);
	expect_broken(f);
	for (unsigned i = 0; i < 3; i++)
		answer(f, chains[i], "");
}

/* Such a command is answered with an error, and the ring lives. */
static void test_malformed(struct fixture *f, gconstpointer data)
{
	struct vring_packed_desc *table = (void *)(f->base + TABLE);
	static const struct {
		uint64_t offset;
		uint32_t len;
		unsigned flags;
	} bad[] = { { BYTES - 2, 4, 0 }, { 0ull - GUEST - 8, 16, 0 }, { TABLE, 17, F_INDIRECT },
		{ TABLE, 0, F_INDIRECT }, { BYTES - 16, 32, F_INDIRECT },
		{ TABLE, 4096 * 16, F_INDIRECT }, { TABLE, 16, F_INDIRECT } };
	table[0] = (struct vring_packed_desc){ GUEST + TABLE, 16, 0, F_INDIRECT };
	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		f->lengths[2] = 1;
		put(f, bad[i].offset, bad[i].len, 2, bad[i].flags);
		struct chain *chain = virtqueue_try_take(f->vq);
		g_assert_nonnull(chain->fault);
		answer(f, chain, "");
		g_assert_cmpint(collect(f, ""), ==, 2);
	}
	ask(f, 1, false);
	answer(f, take(f, 1), "well");
	g_assert_cmpint(collect(f, "well"), ==, 1);
}

/* ---- a renderer that has died ---- */

/* Ends the virtqueue as a death would, with the ledger as it is, and begins another one. */
static void die(struct fixture *f, uint16_t next_avail, uint16_t next_used)
{
	struct ledger_ring left = f->ledger;
	virtqueue_stop(f->vq);
	virtqueue_destroy(f->vq);
	f->ledger = left;
	f->vq = virtqueue_create("test");
	virtqueue_set_ledger(f->vq, &f->ledger);
	virtqueue_set_features(f->vq, 1ull << VIRTIO_F_RING_PACKED);
	virtqueue_set_memory(f->vq, f->memory);
	start_at(f, next_avail, next_used);
}

static void expect_orphan(struct fixture *f, uint16_t id)
{
	g_assert_null(virtqueue_try_take(f->vq));
	struct chain *orphan = virtqueue_try_take_orphan(f->vq);
	uint16_t read = 99;
	g_assert_nonnull(orphan);
	g_assert_cmpuint(orphan->first_desc, ==, id);
	g_assert_cmpuint(chain_read(orphan, 0, &read, sizeof(read)), ==, sizeof(read));
	g_assert_cmpuint(read, ==, id);
	answer(f, orphan, "lost");
	g_assert_cmpint(collect(f, "lost"), ==, id);
}

/* It had two commands; one was given back over the descriptors of the other. */
static void test_orphans(struct fixture *f, gconstpointer data)
{
	ask(f, 0, false);
	ask(f, 1, false);
	struct chain *first = take(f, 0);
	answer(f, take(f, 1), "second");
	die(f, f->ledger.next_avail, f->ledger.used_index);
	chain_free(first);
	g_assert_cmpint(collect(f, "second"), ==, 1);
	expect_orphan(f, 0);
	g_assert_null(virtqueue_try_take_orphan(f->vq));
	ask(f, 1, true);
	answer(f, take(f, 1), "next");
	g_assert_cmpint(collect(f, "next"), ==, 1);
}

/*
 * It died between the stores of a return: with the ring written or not, the mark taken away or not,
 * the place moved or not. Each command comes back once.
 */
static void test_death_in_return(struct fixture *f, gconstpointer data)
{
	enum { BEFORE, WRITTEN, UNMARKED, MOVED, STEPS };
	for (unsigned step = 0; step < STEPS; step++) {
		ask(f, 4, false);
		struct chain *chain = take(f, 4);
		struct ledger_ring before = f->ledger;
		struct vring_packed_desc old = f->desc[f->used];
		answer(f, chain, "done");
		uint16_t next_used = f->ledger.used_index;
		f->ledger = before;
		f->ledger.returning = 4;
		if (step == BEFORE)
			f->desc[f->used] = old;
		if (step >= UNMARKED)
			f->ledger.taken[4] = 0;
		if (step >= MOVED)
			f->ledger.used_index = next_used;
		die(f, f->ledger.next_avail, f->ledger.used_index);
		if (step == BEFORE)
			expect_orphan(f, 4);
		else
			g_assert_cmpint(collect(f, "done"), ==, 4);
		g_assert_null(virtqueue_try_take_orphan(f->vq));
		g_assert_cmpint(collect(f, ""), ==, -1);
		g_assert_cmphex(f->ledger.used_index, ==, next_used);
	}
}

/* It had marked a command, and was not past it. */
static void test_death_in_take(struct fixture *f, gconstpointer data)
{
	uint16_t next_avail = f->ledger.next_avail;
	ask(f, 5, false);
	chain_free(take(f, 5));
	g_assert_cmpuint(f->ledger.taken[5], ==, 1);
	die(f, next_avail, f->ledger.used_index);
	g_assert_null(virtqueue_try_take_orphan(f->vq));
	answer(f, take(f, 5), "once");
	g_assert_cmpint(collect(f, "once"), ==, 5);
	g_assert_cmpint(collect(f, ""), ==, -1);
}

/* Whatever the ledger says, nothing is read or written beside it. */
static void test_nonsense(struct fixture *f, gconstpointer data)
{
	GRand *random = g_rand_new_with_seed(7);
	for (unsigned round = 0; round < 500; round++) {
		uint8_t *bytes = (uint8_t *)&f->ledger;
		for (size_t i = 0; i < sizeof(f->ledger); i++)
			bytes[i] = (uint8_t)(g_rand_boolean(random) ?
						     (guint32)g_rand_int_range(random, 0, 3) :
						     g_rand_int(random));
		for (unsigned i = 0; i < SIZE * sizeof(f->desc[0]); i++)
			((uint8_t *)f->desc)[i] = (uint8_t)g_rand_int(random);
		die(f, (uint16_t)(g_rand_int_range(random, 0, SIZE) | PACKED_WRAP),
			(uint16_t)g_rand_int_range(random, 0, SIZE));
		struct chain *chain;
		while ((chain = virtqueue_try_take_orphan(f->vq)))
			answer(f, chain, "x");
		while ((chain = virtqueue_try_take(f->vq)))
			answer(f, chain, "y");
	}
	g_rand_free(random);
}

static void test_bad_start(struct fixture *f, gconstpointer data)
{
	static const struct keeper_ring_start bad[] = {
		{ .size = 0 },
		{ .size = KEEPER_RING_SIZE_MAX + 1 },
		{ .size = SIZE, .next_avail = SIZE },
		{ .size = SIZE, .next_used = 0x7fff },
		{ .size = SIZE, .desc_user_addr = BYTES - 16 },
		{ .size = SIZE, .desc_user_addr = 8 },
		{ .size = SIZE, .avail_user_addr = BYTES - 2 },
		{ .size = SIZE, .used_user_addr = 2 },
	};
	virtqueue_stop(f->vq);
	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct keeper_ring_start start = bad[i];
		start.desc_user_addr += USER;
		start.avail_user_addr += USER;
		start.used_user_addr += USER;
		g_assert_false(virtqueue_start(f->vq, &start, dup(f->kick_fd), dup(f->call_fd)));
		g_assert_null(virtqueue_try_take(f->vq));
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct fixture *f, gconstpointer data);
	} tests[] = {
		{ "rounds", test_rounds },
		{ "out-of-order", test_out_of_order },
		{ "notification", test_notification },
		{ "stop", test_stop },
		{ "broken", test_broken },
		{ "malformed", test_malformed },
		{ "orphans", test_orphans },
		{ "death-in-return", test_death_in_return },
		{ "death-in-take", test_death_in_take },
		{ "nonsense", test_nonsense },
		{ "bad-start", test_bad_start },
	};
	g_test_init(&argc, &argv, NULL);
	/* Refusals are warnings, which must not end a test that is about them. */
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	for (int event_idx = 0; event_idx < 2; event_idx++) {
		for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
			g_autofree char *path = g_strdup_printf(
				"/packed/%s/%s", event_idx ? "event-idx" : "flags", tests[i].name);
			g_test_add(path, struct fixture, GINT_TO_POINTER(event_idx), set_up,
				tests[i].run, tear_down);
		}
	}
	return g_test_run();
}
