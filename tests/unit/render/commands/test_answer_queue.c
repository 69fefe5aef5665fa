/* SPDX-License-Identifier: MIT */
/*
 * answer_queue: tests answers that are held, and those that take them along. The GPU has nothing to
 * do here.
 */
#include <glib.h>
#include <linux/virtio_gpu.h>
#include <string.h>
#include <time.h>

#include "render/commands/answer_queue.h"
#include "common/monotonic.h"
#include "render/scanout/pacing.h"
#include "tests/unit/render/guest.h"

/* Answers that are more than a header may be held up to this many bytes. */
#define ANSWER_BYTES 1000
#define LATER_NS UINT64_C(3600000000000)

/*
 * Stands in for the clock in all that is tested here, so that a machine that stands still for a
 * moment changes nothing.
 */
static uint64_t clock_ns = UINT64_C(1000000000);

int __wrap_clock_gettime(clockid_t id, struct timespec *time);
int __wrap_clock_gettime(clockid_t id, struct timespec *time)
{
	time->tv_sec = (time_t)(clock_ns / 1000000000);
	time->tv_nsec = (long)(clock_ns % 1000000000);
	return 0;
}

struct fixture {
	struct guest guest;
	struct virtqueue *vq;
	struct answer_queue *answers;
	struct quota_account account;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	guest_init(&f->guest);
	struct quota_limits limits;
	quotas_set_initial(&limits);
	limits.max[QUOTA_ANSWER_BYTES] = ANSWER_BYTES;
	quota_account_init(&f->account, &limits);
	f->vq = virtqueue_create("control");
	f->answers = answer_queue_create(f->vq, &f->account);
	guest_start_ring(&f->guest, f->vq);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	answer_queue_destroy(f->answers);
	virtqueue_destroy(f->vq);
	guest_finish(&f->guest);
}

/*
 * Submits a command and answers it. `after_ns` is from now, for an answer that is held. Returns the
 * slot.
 */
static unsigned answer(struct fixture *f, enum answer_haste haste, uint64_t after_ns)
{
	const struct virtio_gpu_ctrl_hdr header = { .type = VIRTIO_GPU_RESP_OK_NODATA };
	struct answer_timing timing = { .haste = haste,
		.not_before_ns = monotonic_now_ns() + after_ns };
	unsigned slot = guest_submit(&f->guest, &header, sizeof(header), sizeof(header));
	answer_queue_answer(
		f->answers, virtqueue_try_take(f->vq), &header, sizeof(header), &timing);
	return slot;
}

static void assert_order(struct fixture *f, unsigned n)
{
	g_assert_cmpuint(guest_count_used(&f->guest), ==, n);
	for (unsigned i = 0; i < n; i++)
		g_assert_cmpuint(guest_get_used(&f->guest, i), ==, i % GUEST_SLOTS);
}

static void test_at_once(struct fixture *f, gconstpointer data)
{
	answer(f, ANSWER_AT_ONCE, 0);
	answer(f, ANSWER_IN_ORDER, 0);
	assert_order(f, 2);
	g_assert_cmpuint(answer_queue_get_due_ns(f->answers), ==, 0);
	g_assert_false(answer_queue_is_waiting(f->answers));
}

/*
 * An answer that keeps its place waits behind a held one; one that must not wait takes both along.
 */
static void test_held(struct fixture *f, gconstpointer data)
{
	answer(f, ANSWER_HELD, LATER_NS);
	answer(f, ANSWER_IN_ORDER, 0);
	answer_queue_release(f->answers);
	assert_order(f, 0);
	g_assert_cmpuint(answer_queue_get_due_ns(f->answers), >, monotonic_now_ns());
	answer(f, ANSWER_AT_ONCE, 0);
	assert_order(f, 3);
	g_assert_cmpuint(answer_queue_get_due_ns(f->answers), ==, 0);
}

static void test_due(struct fixture *f, gconstpointer data)
{
	answer(f, ANSWER_HELD, 2000000);
	answer(f, ANSWER_IN_ORDER, 0);
	answer(f, ANSWER_HELD, LATER_NS);
	clock_ns += 1999999;
	answer_queue_release(f->answers);
	assert_order(f, 0);
	clock_ns++;
	answer_queue_release(f->answers);
	assert_order(f, 2);
}

/* A guest that waits for more answers than may be held gets its ring back. */
static void test_many(struct fixture *f, gconstpointer data)
{
	for (unsigned i = 0; i < ANSWER_HELD_MAX; i++)
		answer(f, ANSWER_HELD, LATER_NS);
	assert_order(f, 0);
	answer(f, ANSWER_HELD, LATER_NS);
	assert_order(f, ANSWER_HELD_MAX + 1);
}

/* The guest is new, so nothing of the old one is answered. */
static void test_clear(struct fixture *f, gconstpointer data)
{
	answer(f, ANSWER_HELD, LATER_NS);
	answer_queue_clear(f->answers);
	g_assert_cmpuint(answer_queue_get_due_ns(f->answers), ==, 0);
	answer(f, ANSWER_AT_ONCE, 0);
	g_assert_cmpuint(guest_count_used(&f->guest), ==, 1);
	g_assert_cmpuint(guest_get_used(&f->guest, 0), ==, 1);
}

/* Gives a longer answer that says OK_EDID; returns its slot. */
static unsigned answer_long(struct fixture *f, size_t size_bytes)
{
	const struct answer_timing timing = { .haste = ANSWER_HELD,
		.not_before_ns = monotonic_now_ns() + LATER_NS };
	struct virtio_gpu_ctrl_hdr header = {
		.type = VIRTIO_GPU_RESP_OK_EDID, .flags = VIRTIO_GPU_FLAG_FENCE, .fence_id = 99
	};
	g_autofree uint8_t *bytes = g_malloc0(size_bytes);
	memcpy(bytes, &header, sizeof(header));
	unsigned slot = guest_submit(&f->guest, &header, sizeof(header), size_bytes);
	answer_queue_answer(f->answers, virtqueue_try_take(f->vq), bytes, size_bytes, &timing);
	return slot;
}

static void assert_answer(struct fixture *f, unsigned slot, uint32_t type)
{
	const struct virtio_gpu_ctrl_hdr *header = guest_answer(&f->guest, slot);
	g_assert_cmphex(header->type, ==, type);
	g_assert_cmpuint(header->fence_id, ==, 99);
	g_assert_cmphex(header->flags, ==, VIRTIO_GPU_FLAG_FENCE);
}

/* An answer over the quota keeps its place and its fence, and loses what it would have said. */
static void test_quota(struct fixture *f, gconstpointer data)
{
	const struct quota *quota = &f->account.quotas[QUOTA_ANSWER_BYTES];
	unsigned first = answer_long(f, ANSWER_BYTES - 100);
	unsigned second = answer_long(f, 101), third = answer_long(f, 100);
	unsigned fourth = answer_long(f, sizeof(struct virtio_gpu_ctrl_hdr));
	g_assert_cmpuint(quota->used, ==, ANSWER_BYTES);
	assert_order(f, 0);
	answer(f, ANSWER_AT_ONCE, 0);
	assert_order(f, 5);
	assert_answer(f, first, VIRTIO_GPU_RESP_OK_EDID);
	assert_answer(f, second, VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY);
	assert_answer(f, third, VIRTIO_GPU_RESP_OK_EDID);
	assert_answer(f, fourth, VIRTIO_GPU_RESP_OK_EDID);
	g_assert_cmpuint(quota->used, ==, 0);
	answer_long(f, ANSWER_BYTES);
	answer_queue_clear(f->answers);
	g_assert_cmpuint(quota->used, ==, 0);
}

/* Who has waited is known when its answer leaves, and is asked for once. */
static void test_left(struct fixture *f, gconstpointer data)
{
	uint32_t context;
	g_assert_false(answer_queue_take_left(f->answers, &context));
	answer(f, ANSWER_AT_ONCE, 0);
	g_assert_false(answer_queue_take_left(f->answers, &context));
	/* Without virglrenderer there is no fence, and all counts as done. */
	answer_queue_note_work(f->answers, 42);
	answer(f, ANSWER_HELD, LATER_NS);
	g_assert_false(answer_queue_take_left(f->answers, &context));
	clock_ns += LATER_NS;
	answer_queue_release(f->answers);
	g_assert_true(answer_queue_take_left(f->answers, &context));
	g_assert_cmpuint(context, ==, 42);
	g_assert_false(answer_queue_take_left(f->answers, &context));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* Refusals are warnings, which must not end a test that is about them. */
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	static const struct {
		const char *name;
		void (*run)(struct fixture *f, gconstpointer data);
	} cases[] = {
		{ "/answers/at-once", test_at_once },
		{ "/answers/held", test_held },
		{ "/answers/due", test_due },
		{ "/answers/many", test_many },
		{ "/answers/clear", test_clear },
		{ "/answers/quota", test_quota },
		{ "/answers/left", test_left },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, NULL, set_up, cases[i].run, tear_down);
	return g_test_run();
}
