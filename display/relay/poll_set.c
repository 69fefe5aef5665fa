/* SPDX-License-Identifier: MIT */
#include "display/relay/poll_set.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <unistd.h>

/* So many descriptors are looked at in one turn of the loop; the others have their turn next. */
#define EVENTS_MAX 64

/* GIOCondition's bits are those of poll(2), and epoll's are, too. */
G_STATIC_ASSERT((int)EPOLLIN == (int)G_IO_IN && (int)EPOLLOUT == (int)G_IO_OUT);
G_STATIC_ASSERT((int)EPOLLERR == (int)G_IO_ERR && (int)EPOLLHUP == (int)G_IO_HUP);

struct poll_end {
	struct poll_source *source;
	int fd; /* -1: the end is free */
	GIOCondition came;
};

struct poll_source {
	struct poll_set *set;
	void (*ready)(void *user);
	void *user;
	struct poll_end ends[POLL_SOURCE_ENDS];
	GList call;     /* in set->calls */
	bool is_called; /* is in it */
	gint64 time_us; /* -1: never */
	guint place;    /* in set->times, while time_us is not -1 */
	gint woken;     /* atomic */
};

struct poll_set {
	GThread *thread; /* that runs it; NULL: not known yet */
	int epoll_fd;
	GSource *loop;
	GQueue calls;     /* struct poll_source that are to be called in this turn */
	GPtrArray *times; /* struct poll_source, a heap: the one whose time comes first is first */
	GPtrArray *all;   /* struct poll_source */
	gint woken;       /* atomic: some source is */
};

struct poll_loop {
	GSource source;
	struct poll_set *set;
};

/* ---- times ---- */

static bool is_sooner(const struct poll_set *set, guint one, guint other)
{
	const struct poll_source *a = set->times->pdata[one], *b = set->times->pdata[other];
	return a->time_us < b->time_us;
}

static void swap(struct poll_set *set, guint one, guint other)
{
	struct poll_source *a = set->times->pdata[one], *b = set->times->pdata[other];
	set->times->pdata[one] = b;
	set->times->pdata[other] = a;
	b->place = one;
	a->place = other;
}

static void sift_up(struct poll_set *set, guint place)
{
	for (; place > 0 && is_sooner(set, place, (place - 1) / 2); place = (place - 1) / 2)
		swap(set, place, (place - 1) / 2);
}

static void sift_down(struct poll_set *set, guint place)
{
	for (;;) {
		guint child = 2 * place + 1;
		if (child + 1 < set->times->len && is_sooner(set, child + 1, child))
			child++;
		if (child >= set->times->len || !is_sooner(set, child, place))
			return;
		swap(set, child, place);
		place = child;
	}
}

static void leave_times(struct poll_source *source)
{
	struct poll_set *set = source->set;
	guint place = source->place;
	swap(set, place, set->times->len - 1);
	g_ptr_array_set_size(set->times, (gint)set->times->len - 1);
	source->time_us = -1;
	if (place < set->times->len) {
		sift_down(set, place);
		sift_up(set, place);
	}
}

static void enter_times(struct poll_source *source, gint64 time_us)
{
	struct poll_set *set = source->set;
	source->time_us = time_us;
	source->place = set->times->len;
	g_ptr_array_add(set->times, source);
	sift_up(set, source->place);
}

static void set_loop_time(struct poll_set *set)
{
	const struct poll_source *first = set->times->len > 0 ? set->times->pdata[0] : NULL;
	gint64 time_us = first ? first->time_us : -1;
	if (g_source_get_ready_time(set->loop) != time_us)
		g_source_set_ready_time(set->loop, time_us);
}

void poll_source_plan(struct poll_source *source, gint64 time_us)
{
	if (time_us == source->time_us)
		return;
	if (source->time_us >= 0)
		leave_times(source);
	if (time_us >= 0)
		enter_times(source, time_us);
	/* The loop itself does it once, after all of its calls. */
	if (g_main_current_source() != source->set->loop)
		set_loop_time(source->set);
}

void poll_source_wake(struct poll_source *source)
{
	struct poll_set *set = source->set;
	g_atomic_int_set(&source->woken, 1);
	g_atomic_int_set(&set->woken, 1);
	g_source_set_ready_time(set->loop, 0);
}

/* ---- the loop ---- */

static void want_call(struct poll_source *source)
{
	if (source->is_called)
		return;
	source->is_called = true;
	g_queue_push_tail_link(&source->set->calls, &source->call);
}

static void take_descriptors(struct poll_set *set)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(set->epoll_fd, events, EVENTS_MAX, 0);
	for (int i = 0; i < n; i++) {
		struct poll_end *end = events[i].data.ptr;
		end->came = (GIOCondition)events[i].events;
		want_call(end->source);
	}
}

static void take_woken(struct poll_set *set)
{
	if (!g_atomic_int_compare_and_exchange(&set->woken, 1, 0))
		return;
	for (guint i = 0; i < set->all->len; i++) {
		struct poll_source *source = set->all->pdata[i];
		if (g_atomic_int_compare_and_exchange(&source->woken, 1, 0))
			want_call(source);
	}
}

static void take_times(struct poll_set *set)
{
	gint64 now_us = g_get_monotonic_time();
	while (set->times->len > 0) {
		struct poll_source *first = set->times->pdata[0];
		if (first->time_us > now_us)
			return;
		leave_times(first);
		want_call(first);
	}
}

static void call_first(struct poll_set *set)
{
	struct poll_source *source = g_queue_pop_head_link(&set->calls)->data;
	source->is_called = false;
	source->ready(source->user);
	for (unsigned i = 0; i < POLL_SOURCE_ENDS; i++)
		source->ends[i].came = 0;
}

static gboolean on_turn(GSource *loop, GSourceFunc callback, gpointer user)
{
	struct poll_set *set = ((struct poll_loop *)loop)->set;
	/* From here on a wake has the loop turn once more. */
	g_source_set_ready_time(loop, -1);
	take_woken(set);
	take_descriptors(set);
	take_times(set);
	while (set->calls.length > 0)
		call_first(set);
	if (g_atomic_int_get(&set->woken) == 0)
		set_loop_time(set);
	if (g_atomic_int_get(&set->woken) != 0)
		g_source_set_ready_time(loop, 0);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs loop_funcs = {
	.dispatch = on_turn,
};

struct poll_set *poll_set_create(GMainContext *context)
{
	struct poll_set *set = g_new0(struct poll_set, 1);
	set->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	g_assert(set->epoll_fd >= 0);
	g_queue_init(&set->calls);
	set->times = g_ptr_array_new();
	set->all = g_ptr_array_new();
	set->loop = g_source_new(&loop_funcs, sizeof(struct poll_loop));
	((struct poll_loop *)set->loop)->set = set;
	g_source_add_unix_fd(set->loop, set->epoll_fd, G_IO_IN);
	g_source_attach(set->loop, context);
	return set;
}

void poll_set_destroy(struct poll_set *set)
{
	if (!set)
		return;
	g_assert(set->all->len == 0);
	g_source_destroy(set->loop);
	g_source_unref(set->loop);
	close(set->epoll_fd);
	g_ptr_array_unref(set->times);
	g_ptr_array_unref(set->all);
	g_free(set);
}

/* ---- sources ---- */

struct poll_source *poll_source_create(struct poll_set *set, void (*ready)(void *user), void *user)
{
	struct poll_source *source = g_new0(struct poll_source, 1);
	source->set = set;
	source->ready = ready;
	source->user = user;
	source->call.data = source;
	source->time_us = -1;
	for (unsigned i = 0; i < POLL_SOURCE_ENDS; i++)
		source->ends[i] = (struct poll_end){ .source = source, .fd = -1 };
	g_ptr_array_add(set->all, source);
	return source;
}

void poll_source_stop(struct poll_source *source)
{
	for (unsigned i = 0; i < POLL_SOURCE_ENDS; i++)
		g_assert(source->ends[i].fd < 0);
	poll_source_plan(source, -1);
	if (source->is_called)
		g_queue_unlink(&source->set->calls, &source->call);
	source->is_called = false;
	g_ptr_array_remove_fast(source->set->all, source);
}

void poll_source_destroy(struct poll_source *source)
{
	g_free(source);
}

struct poll_end *poll_source_add(struct poll_source *source, int fd, GIOCondition wants)
{
	struct poll_end *end = &source->ends[0];
	while (end < source->ends + POLL_SOURCE_ENDS && end->fd >= 0)
		end++;
	g_assert(end < source->ends + POLL_SOURCE_ENDS);
	*end = (struct poll_end){ .source = source, .fd = fd };
	struct epoll_event event = { .events = (uint32_t)wants, .data.ptr = end };
	if (epoll_ctl(source->set->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		g_warning("relay: a connection cannot be polled: %s", g_strerror(errno));
	return end;
}

void poll_end_remove(struct poll_end *end)
{
	epoll_ctl(end->source->set->epoll_fd, EPOLL_CTL_DEL, end->fd, NULL);
	end->fd = -1;
	end->came = 0;
}

void poll_end_want(struct poll_end *end, GIOCondition wants)
{
	struct epoll_event event = { .events = (uint32_t)wants, .data.ptr = end };
	epoll_ctl(end->source->set->epoll_fd, EPOLL_CTL_MOD, end->fd, &event);
}

GIOCondition poll_end_came(const struct poll_end *end)
{
	return end->came;
}
