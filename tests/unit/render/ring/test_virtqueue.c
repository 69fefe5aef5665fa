/* SPDX-License-Identifier: MIT */
/* virtqueue: tests the split ring against a driver that keeps the rules, and one that does not. */
#include <glib.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "render/ring/virtqueue.h"

#define SIZE 8
#define GUEST 0x10000ull
#define USER 0x700000000000ull
#define BYTES 0x40000ull
/* These are offsets in the memory. */
#define DESC 0x0
#define AVAIL 0x1000
#define USED 0x2000
#define TABLE 0x3000
#define DATA 0x8000

struct fixture {
	uint8_t *base;
	int fd;
	struct memory *memory;
	struct virtqueue *vq;
	struct vring ring;
	int kick_fd, call_fd;
	struct ledger_ring ledger;
};

static struct memory *make_memory(int fd)
{
	struct memory *memory = memory_create();
	struct keeper_memory_region region = {
		.guest_addr = GUEST, .user_addr = USER, .size_bytes = BYTES
	};
	g_assert_true(memory_add_region(memory, &region, fd));
	return memory;
}

static void start(struct fixture *f, uint16_t next_avail)
{
	struct keeper_ring_start start = { .size = SIZE,
		.desc_user_addr = USER + DESC,
		.avail_user_addr = USER + AVAIL,
		.used_user_addr = USER + USED,
		.next_avail = next_avail };
	f->kick_fd = eventfd(0, EFD_NONBLOCK);
	f->call_fd = eventfd(0, EFD_NONBLOCK);
	g_assert_true(virtqueue_start(f->vq, &start, dup(f->kick_fd), dup(f->call_fd)));
}

static void set_up(struct fixture *f, gconstpointer event_idx)
{
	f->fd = memfd_create("guest", 0);
	g_assert_cmpint(ftruncate(f->fd, BYTES), ==, 0);
	f->base = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	f->memory = make_memory(f->fd);
	f->vq = virtqueue_create("test");
	f->ring = (struct vring){ .num = SIZE,
		.desc = (void *)(f->base + DESC),
		.avail = (void *)(f->base + AVAIL),
		.used = (void *)(f->base + USED) };
	f->ledger.returning = LEDGER_NO_CHAIN;
	virtqueue_set_ledger(f->vq, &f->ledger);
	virtqueue_set_features(f->vq, event_idx ? 1ull << VIRTIO_RING_F_EVENT_IDX : 0);
	virtqueue_set_memory(f->vq, f->memory);
	start(f, 0);
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

static void set_desc(vring_desc_t *table, unsigned i, uint64_t offset, uint32_t len, uint16_t flags,
	uint16_t next)
{
	table[i] = (vring_desc_t){ GUEST + offset, len, flags, next };
}

static void offer(struct fixture *f, uint16_t first_desc)
{
	f->ring.avail->ring[f->ring.avail->idx % SIZE] = first_desc;
	f->ring.avail->idx++;
}

static unsigned calls(struct fixture *f)
{
	uint64_t count = 0;
	return read(f->call_fd, &count, sizeof(count)) < 0 ? 0 : (unsigned)count;
}

static void give_back(struct fixture *f, struct chain *chain, const char *text)
{
	virtqueue_return(f->vq, chain, text, strlen(text));
}

static void test_direct(struct fixture *f, gconstpointer data)
{
	char got[16] = "";
	strcpy((char *)f->base + DATA, "question");
	set_desc(f->ring.desc, 3, DATA, 4, VRING_DESC_F_NEXT, 1);
	set_desc(f->ring.desc, 1, DATA + 4, 5, VRING_DESC_F_NEXT, 5);
	set_desc(f->ring.desc, 5, DATA + 0x100, 3, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 6);
	set_desc(f->ring.desc, 6, DATA + 0x200, 30, VRING_DESC_F_WRITE, 0);
	offer(f, 3);
	struct chain *chain = virtqueue_try_take(f->vq);
	g_assert_nonnull(chain);
	g_assert_null(virtqueue_try_take(f->vq));
	g_assert_null(chain->fault);
	g_assert_cmpuint(chain->first_desc, ==, 3);
	g_assert_cmpuint(chain->readable_bytes, ==, 9);
	g_assert_cmpuint(chain->writable_bytes, ==, 33);
	g_assert_cmpuint(chain_read(chain, 2, got, sizeof(got)), ==, 7);
	g_assert_cmpstr(got, ==, "estion");
	g_assert_cmpuint(f->ledger.taken[3], ==, 1);
	give_back(f, chain, "answer");
	g_assert_cmpuint(f->ring.used->idx, ==, 1);
	g_assert_cmpuint(f->ring.used->ring[0].id, ==, 3);
	g_assert_cmpuint(f->ring.used->ring[0].len, ==, 6);
	g_assert_cmpmem(f->base + DATA + 0x100, 3, "ans", 3);
	g_assert_cmpmem(f->base + DATA + 0x200, 3, "wer", 3);
	g_assert_cmpuint(f->ledger.taken[3], ==, 0);
	g_assert_cmpuint(f->ledger.used_index, ==, 1);
	g_assert_cmpuint(f->ledger.next_avail, ==, 1);
	g_assert_cmpuint(calls(f), ==, 1);
}

static void test_indirect(struct fixture *f, gconstpointer data)
{
	vring_desc_t *table = (void *)(f->base + TABLE);
	/* The indirect table has more pieces than the ring has entries. */
	for (unsigned i = 0; i < 100; i++)
		set_desc(table, i, DATA + i * 16, 1, VRING_DESC_F_NEXT, (uint16_t)(i + 1));
	set_desc(table, 100, DATA + 0x2000, 8, VRING_DESC_F_WRITE, 0);
	set_desc(f->ring.desc, 2, TABLE, 101 * 16, VRING_DESC_F_INDIRECT, 0);
	offer(f, 2);
	struct chain *chain = virtqueue_try_take(f->vq);
	g_assert_null(chain->fault);
	g_assert_cmpuint(chain->readable_bytes, ==, 100);
	g_assert_cmpuint(chain->writable_bytes, ==, 8);
	give_back(f, chain, "ok");
	g_assert_cmpuint(f->ring.used->ring[0].id, ==, 2);
}

/* Expects the chain to come back with a fault; only the part of it that can be trusted is used. */
static void expect_fault(struct fixture *f, uint16_t first_desc, uint64_t writable_bytes)
{
	uint16_t used = f->ring.used->idx;
	offer(f, first_desc);
	struct chain *chain = virtqueue_try_take(f->vq);
	g_assert_nonnull(chain);
	g_assert_nonnull(chain->fault);
	g_assert_cmpuint(chain->writable_bytes, ==, writable_bytes);
	give_back(f, chain, "");
	g_assert_cmpuint(f->ring.used->idx, ==, (uint16_t)(used + 1));
}

static void test_malformed(struct fixture *f, gconstpointer data)
{
	vring_desc_t *d = f->ring.desc, *table = (void *)(f->base + TABLE);
	set_desc(d, 0, DATA, 4, VRING_DESC_F_NEXT, 1); /* a loop */
	set_desc(d, 1, DATA, 4, VRING_DESC_F_NEXT, 0);
	expect_fault(f, 0, 0);
	set_desc(d, 1, DATA, 4, VRING_DESC_F_NEXT, SIZE); /* beyond the table */
	expect_fault(f, 0, 0);
	set_desc(d, 0, DATA, 4, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 1); /* readable last */
	set_desc(d, 1, DATA, 4, 0, 0);
	expect_fault(f, 0, 4);
	set_desc(d, 0, BYTES - 2, 4, VRING_DESC_F_NEXT, 1); /* outside memory, answer inside */
	set_desc(d, 1, DATA, 24, VRING_DESC_F_WRITE, 0);
	expect_fault(f, 0, 24);
	set_desc(d, 0, 0ull - GUEST - 8, 16, 0, 0); /* wraps */
	expect_fault(f, 0, 0);
	set_desc(d, 0, TABLE, 17, VRING_DESC_F_INDIRECT, 0);
	expect_fault(f, 0, 0);
	set_desc(d, 0, TABLE, 0, VRING_DESC_F_INDIRECT, 0);
	expect_fault(f, 0, 0);
	set_desc(d, 0, BYTES - 16, 32, VRING_DESC_F_INDIRECT, 0);
	expect_fault(f, 0, 0);
	set_desc(d, 0, TABLE, 16, VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT, 1);
	expect_fault(f, 0, 0);
	set_desc(table, 0, TABLE, 16, VRING_DESC_F_INDIRECT, 0); /* indirect in indirect */
	set_desc(d, 0, TABLE, 16, VRING_DESC_F_INDIRECT, 0);
	expect_fault(f, 0, 0);
	set_desc(d, 0, TABLE, 4096 * 16, VRING_DESC_F_INDIRECT, 0); /* longer than we follow */
	expect_fault(f, 0, 0);
	/* After that a good chain is taken. */
	set_desc(d, 0, DATA, 4, 0, 0);
	offer(f, 0);
	struct chain *chain = virtqueue_try_take(f->vq);
	g_assert_null(chain->fault);
	give_back(f, chain, "");
}

/*
 * A chain that begins at no descriptor is skipped; an index that jumps ends the ring until it
 * starts anew.
 */
static void test_bad_indices(struct fixture *f, gconstpointer data)
{
	set_desc(f->ring.desc, 0, DATA, 4, 0, 0);
	offer(f, SIZE);
	offer(f, 0);
	struct chain *chain = virtqueue_try_take(f->vq);
	g_assert_cmpuint(chain->first_desc, ==, 0);
	give_back(f, chain, "");
	f->ring.avail->idx = (uint16_t)(f->ring.avail->idx + SIZE + 1);
	g_assert_null(virtqueue_try_take(f->vq));
	g_assert_false(virtqueue_listen(f->vq));
	g_assert_null(virtqueue_try_take(f->vq));
	virtqueue_stop(f->vq);
	f->ring.avail->idx = 20;
	start(f, 19);
	f->ring.avail->ring[19 % SIZE] = 0;
	chain = virtqueue_try_take(f->vq);
	g_assert_nonnull(chain);
	give_back(f, chain, "");
}

/* Interrupts and kicks come only when they are asked for. */
static void test_notification(struct fixture *f, gconstpointer event_idx)
{
	set_desc(f->ring.desc, 0, DATA, 4, 0, 0);
	if (event_idx)
		vring_used_event(&f->ring) = 2; /* at the third */
	else
		f->ring.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	for (int i = 0; i < 3; i++) {
		offer(f, 0);
		give_back(f, virtqueue_try_take(f->vq), "");
	}
	g_assert_cmpuint(calls(f), ==, event_idx ? 1 : 0);
	virtqueue_quiet(f->vq);
	g_assert_cmphex(f->ring.used->flags, ==, event_idx ? 0 : VRING_USED_F_NO_NOTIFY);
	g_assert_false(virtqueue_listen(f->vq));
	g_assert_cmphex(f->ring.used->flags, ==, 0);
	if (event_idx)
		g_assert_cmpuint(vring_avail_event(&f->ring), ==, 3);
	offer(f, 0);
	g_assert_true(virtqueue_listen(f->vq));
}

/* What is answered while the ring is stopped comes when it starts, and not a byte before. */
static void test_stop(struct fixture *f, gconstpointer data)
{
	set_desc(f->ring.desc, 4, DATA, 8, VRING_DESC_F_WRITE, 0);
	offer(f, 4);
	struct chain *chain = virtqueue_try_take(f->vq);
	g_assert_cmpuint(virtqueue_stop(f->vq), ==, 1);
	offer(f, 4);
	g_assert_null(virtqueue_try_take(f->vq));
	give_back(f, chain, "late");
	g_assert_cmpuint(f->ring.used->idx, ==, 0);
	g_assert_cmpuint(f->base[DATA], ==, 0);
	f->ring.avail->idx--;
	start(f, 1);
	g_assert_cmpuint(f->ring.used->idx, ==, 1);
	g_assert_cmpuint(f->ring.used->ring[0].id, ==, 4);
	g_assert_cmpmem(f->base + DATA, 4, "late", 4);
	g_assert_cmpuint(calls(f), ==, 1);
}

/* A new guest must not find answers of the one before, nor bytes of them in its memory. */
static void test_reset(struct fixture *f, gconstpointer data)
{
	set_desc(f->ring.desc, 4, DATA, 8, VRING_DESC_F_WRITE, 0);
	set_desc(f->ring.desc, 5, DATA, 8, VRING_DESC_F_WRITE, 0);
	offer(f, 4);
	offer(f, 5);
	struct chain *kept = virtqueue_try_take(f->vq), *late = virtqueue_try_take(f->vq);
	virtqueue_stop(f->vq);
	give_back(f, kept, "kept");
	virtqueue_reset(f->vq);
	f->ring.avail->idx = 0;
	start(f, 0);
	g_assert_false(virtqueue_is_current(f->vq, late));
	give_back(f, late, "late");
	g_assert_cmpuint(f->ring.used->idx, ==, 0);
	g_assert_cmpuint(f->base[DATA], ==, 0);
	g_assert_cmpuint(f->ledger.taken[4] | f->ledger.taken[5], ==, 0);
}

/* The renderer may have died in three places (ledger.h). */
static void test_orphans(struct fixture *f, gconstpointer data)
{
	virtqueue_stop(f->vq);
	set_desc(f->ring.desc, 1, DATA, 8, VRING_DESC_F_WRITE, 0);
	f->ledger.taken[1] = 1; /* taken, not returned */
	f->ledger.taken[2] = 1; /* returned: the used index has moved */
	f->ledger.returning = 2;
	f->ledger.used_index = 6;
	f->ring.used->idx = 7;
	f->ledger.taken[3] = 1; /* about to be taken: still the next one */
	f->ledger.next_avail = 9;
	f->ring.avail->idx = 10;
	f->ring.avail->ring[9 % SIZE] = 3;
	set_desc(f->ring.desc, 3, DATA, 8, VRING_DESC_F_WRITE, 0);
	virtqueue_set_ledger(f->vq, &f->ledger);
	start(f, 9);
	struct chain *orphan = virtqueue_try_take_orphan(f->vq);
	g_assert_nonnull(orphan);
	g_assert_cmpuint(orphan->first_desc, ==, 1);
	give_back(f, orphan, "lost");
	g_assert_null(virtqueue_try_take_orphan(f->vq));
	g_assert_cmpuint(f->ring.used->idx, ==, 8);
	g_assert_cmpuint(f->ring.used->ring[7 % SIZE].id, ==, 1);
	struct chain *next = virtqueue_try_take(f->vq);
	g_assert_cmpuint(next->first_desc, ==, 3);
	give_back(f, next, "");
}

/* A table in the middle of a change does not end a ring. */
static void test_memory_change(struct fixture *f, gconstpointer data)
{
	struct memory *empty = memory_create(), *again = make_memory(f->fd);
	set_desc(f->ring.desc, 4, DATA, 8, VRING_DESC_F_WRITE, 0);
	offer(f, 4);
	struct chain *chain = virtqueue_try_take(f->vq);
	virtqueue_set_memory(f->vq, empty);
	offer(f, 4);
	g_assert_null(virtqueue_try_take(f->vq));
	give_back(f, chain, "kept");
	g_assert_cmpuint(f->ring.used->idx, ==, 0);
	virtqueue_set_memory(f->vq, again);
	g_assert_cmpuint(f->ring.used->idx, ==, 1);
	chain = virtqueue_try_take(f->vq);
	g_assert_nonnull(chain);
	give_back(f, chain, "");
	memory_unref(empty);
	memory_unref(again);
}

static bool is_marked(const uint8_t *bits, uint64_t guest_addr)
{
	uint64_t page = guest_addr >> 12;
	return bits[page / 8] & (1u << (page % 8));
}

/* While QEMU saves the guest, the pages that an answer writes to are marked, and no others. */
static void test_dirty_log(struct fixture *f, gconstpointer data)
{
	int fd = memfd_create("log", 0);
	g_assert_cmpint(ftruncate(fd, 4096 + 64), ==, 0);
	uint8_t *bits = mmap(NULL, 4096 + 64, PROT_READ, MAP_SHARED, fd, 0);
	g_assert_null(dirty_log_open(fd, 4096, 65));
	g_assert_null(dirty_log_open(fd, UINT64_MAX, 2));
	g_assert_null(dirty_log_open(fd, 0, 0));
	struct dirty_log *log = dirty_log_open(fd, 4096, 64);
	virtqueue_stop(f->vq);
	virtqueue_set_log(f->vq, log);
	dirty_log_unref(log);
	start(f, 0);
	set_desc(f->ring.desc, 0, DATA, 4, VRING_DESC_F_NEXT, 1);
	set_desc(f->ring.desc, 1, DATA + 0x3000 - 2, 4, VRING_DESC_F_WRITE, 0);
	offer(f, 0);
	struct chain *chain = virtqueue_try_take(f->vq);
	for (unsigned i = 0; i < 64; i++)
		g_assert_cmpuint(bits[4096 + i], ==, 0);
	give_back(f, chain, "four");
	static const uint64_t pages[] = { DATA + 0x2000, DATA + 0x3000, USED };
	for (uint64_t at = GUEST; at < GUEST + BYTES; at += 0x1000) {
		bool wanted = false;
		for (unsigned i = 0; i < G_N_ELEMENTS(pages); i++)
			wanted |= at == GUEST + pages[i];
		g_assert_cmpint(is_marked(bits + 4096, at), ==, wanted);
	}
	/* Guest addresses beyond the log's end are left out. */
	log = dirty_log_open(fd, 4096, 1);
	dirty_log_mark(log, 8ull << 12, UINT32_MAX);
	dirty_log_mark(log, UINT64_MAX - 3, 8);
	g_assert_cmpuint(bits[4096], ==, 0);
	dirty_log_unref(log);
	munmap(bits, 4096 + 64);
	close(fd);
}

/* One bit of the driver's shows that its memory is ours to see. */
static void test_blank(struct fixture *f, gconstpointer data)
{
	g_assert_true(virtqueue_is_blank(f->vq));
	f->ring.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	g_assert_false(virtqueue_is_blank(f->vq));
	f->ring.avail->flags = 0;
	f->ring.desc[SIZE - 1].addr = 1;
	g_assert_false(virtqueue_is_blank(f->vq));
	f->ring.desc[SIZE - 1].addr = 0;
	f->ring.desc[0].len = 8;
	offer(f, 0);
	give_back(f, virtqueue_try_take(f->vq), "");
	memset(f->ring.desc, 0, SIZE * sizeof(f->ring.desc[0]));
	memset(f->ring.avail, 0, 2 * SIZE + 6);
	g_assert_false(virtqueue_is_blank(f->vq));
	virtqueue_stop(f->vq);
	start(f, 0);
	g_assert_true(virtqueue_is_blank(f->vq));
	virtqueue_stop(f->vq);
	g_assert_false(virtqueue_is_blank(f->vq));
}

static void test_bad_start(struct fixture *f, gconstpointer data)
{
	static const struct keeper_ring_start bad[] = {
		{ .size = 0,
			.desc_user_addr = USER,
			.avail_user_addr = USER,
			.used_user_addr = USER },
		{ .size = 12,
			.desc_user_addr = USER,
			.avail_user_addr = USER,
			.used_user_addr = USER },
		{ .size = 2048,
			.desc_user_addr = USER,
			.avail_user_addr = USER,
			.used_user_addr = USER },
		{ .size = 8,
			.desc_user_addr = USER + BYTES - 16,
			.avail_user_addr = USER,
			.used_user_addr = USER },
		{ .size = 8,
			.desc_user_addr = USER + 8,
			.avail_user_addr = USER,
			.used_user_addr = USER },
		{ .size = 8,
			.desc_user_addr = USER,
			.avail_user_addr = USER,
			.used_user_addr = UINT64_MAX - 3 },
	};
	virtqueue_stop(f->vq);
	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_assert_false(virtqueue_start(f->vq, &bad[i], dup(f->kick_fd), dup(f->call_fd)));
		g_assert_null(virtqueue_try_take(f->vq));
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct fixture *f, gconstpointer data);
	} tests[] = {
		{ "direct", test_direct },
		{ "indirect", test_indirect },
		{ "malformed", test_malformed },
		{ "bad-indices", test_bad_indices },
		{ "notification", test_notification },
		{ "stop", test_stop },
		{ "reset", test_reset },
		{ "orphans", test_orphans },
		{ "memory-change", test_memory_change },
		{ "blank", test_blank },
		{ "dirty-log", test_dirty_log },
		{ "bad-start", test_bad_start },
	};
	g_test_init(&argc, &argv, NULL);
	/* Refusals are warnings, which must not end a test that is about them. */
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	for (int event_idx = 0; event_idx < 2; event_idx++) {
		for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
			g_autofree char *path = g_strdup_printf("/virtqueue/%s/%s",
				event_idx ? "event-idx" : "flags", tests[i].name);
			g_test_add(path, struct fixture, GINT_TO_POINTER(event_idx), set_up,
				tests[i].run, tear_down);
		}
	}
	return g_test_run();
}
