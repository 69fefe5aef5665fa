/* SPDX-License-Identifier: MIT */
#include "display/line/line.h"

#include <glib.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "display/line/line_rate.h"
#include "protocol/frame_link.h"

struct head_line {
	unsigned name; /* of the line that is open, 0: none */
	struct line_open open;
	uint32_t held_bytes; /* taken from spice-server, not given to the client's socket yet */
	uint32_t margin_ms;
	struct line_rate rate;
	uint32_t awaited_bytes; /* a head waits for less than this; 0: nobody waits */
	void (*wake)(void *user);
	void *wake_user;
};

struct line {
	GMutex lock;
	unsigned last_name;
	uint64_t max_bps; /* of all heads together; 0: no bound */
	struct head_line heads[FRAME_HEADS_MAX];
};

struct line *line_create(void)
{
	struct line *line = g_new0(struct line, 1);
	g_mutex_init(&line->lock);
	return line;
}

void line_destroy(struct line *line)
{
	if (!line)
		return;
	g_mutex_clear(&line->lock);
	g_free(line);
}

static struct head_line *head_of(struct line *line, unsigned number)
{
	g_assert(number < FRAME_HEADS_MAX);
	return &line->heads[number];
}

/* ---- measuring ---- */

static uint32_t queued_bytes(int fd, unsigned long what)
{
	int bytes = 0;
	return fd >= 0 && ioctl(fd, what, &bytes) == 0 && bytes > 0 ? (uint32_t)bytes : 0;
}

/* SIOCOUTQ counts what waits in the socket and what was sent and is not acknowledged. */
static uint32_t measure_backlog(const struct head_line *head)
{
	return queued_bytes(head->open.outer_fd, SIOCOUTQ) + head->held_bytes +
	       queued_bytes(head->open.inner_fd, SIOCINQ);
}

/* Heads that are shown share what may be sent; what the line itself carries may be less. */
static void bound(const struct line *line, struct line_figures *figures)
{
	unsigned n = 0;
	if (line->max_bps == 0)
		return;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++)
		n += line->heads[i].name != 0;
	uint64_t share_bps = line->max_bps / MAX(n, 1);
	if (figures->rate_bps > 0 && !figures->rate_is_floor)
		share_bps = MIN(share_bps, figures->rate_bps);
	figures->rate_bps = share_bps;
	figures->rate_is_floor = false;
}

static void measure(const struct line *line, struct head_line *head, struct line_figures *figures)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);
	getsockopt(head->open.outer_fd, IPPROTO_TCP, TCP_INFO, &info, &size);
	struct line_rate_sample sample = {
		.kernel_bps = info.tcpi_delivery_rate * 8,
		.app_limited = info.tcpi_delivery_rate_app_limited,
		.acked_bytes = info.tcpi_bytes_acked,
		.backlog_bytes = measure_backlog(head),
		.rtt_min_us = info.tcpi_min_rtt,
	};
	line_rate_note(&head->rate, g_get_monotonic_time(), &sample);
	*figures = (struct line_figures){
		.rtt_us = info.tcpi_rtt,
		.rtt_var_us = info.tcpi_rttvar,
		.rtt_min_us = info.tcpi_min_rtt,
		.acked_bytes = sample.acked_bytes,
		.margin_ms = head->margin_ms,
		.backlog_bytes = (uint32_t)sample.backlog_bytes,
	};
	figures->rate_bps = line_rate_get(&head->rate, &figures->rate_is_floor);
	bound(line, figures);
	g_strlcpy(figures->client, head->open.client, sizeof(figures->client));
}

/* ---- for heads ---- */

bool line_get(struct line *line, unsigned number, struct line_figures *figures)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&line->lock);
	struct head_line *head = head_of(line, number);
	*figures = (struct line_figures){ 0 };
	if (head->name == 0)
		return false;
	measure(line, head, figures);
	return true;
}

void line_set_max(struct line *line, uint64_t max_bps)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&line->lock);
	line->max_bps = max_bps;
}

void line_set_wake(struct line *line, unsigned number, void (*wake)(void *user), void *user)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&line->lock);
	struct head_line *head = head_of(line, number);
	head->wake = wake;
	head->wake_user = user;
}

bool line_wait_below(struct line *line, unsigned number, uint32_t mark_bytes)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&line->lock);
	struct head_line *head = head_of(line, number);
	head->awaited_bytes = 0;
	if (head->name == 0 || measure_backlog(head) < mark_bytes)
		return false;
	head->awaited_bytes = mark_bytes;
	if (head->open.awaited)
		head->open.awaited(head->open.user);
	return mark_bytes > 0;
}

static __thread struct line *of_thread;

void line_set_of_thread(struct line *line)
{
	of_thread = line;
}

struct line *line_of_thread(void)
{
	return of_thread;
}

/* ---- for the relay ---- */

/*
 * Must be called with the lock held, and gives it back for the call: whoever is woken may ask this
 * line.
 */
static void wake(struct line *line, const struct head_line *head)
{
	void (*call)(void *user) = head->wake;
	void *user = head->wake_user;
	g_mutex_unlock(&line->lock);
	if (call)
		call(user);
	g_mutex_lock(&line->lock);
}

static void stop_waiting(struct line *line, struct head_line *head)
{
	if (head->awaited_bytes == 0)
		return;
	head->awaited_bytes = 0;
	wake(line, head);
}

unsigned line_open(struct line *line, unsigned number, const struct line_open *open)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&line->lock);
	struct head_line *head = head_of(line, number);
	if (++line->last_name == 0)
		line->last_name = 1;
	head->name = line->last_name;
	head->open = *open;
	head->held_bytes = 0;
	head->margin_ms = 0;
	head->rate = (struct line_rate){ 0 };
	stop_waiting(line, head);
	return line->last_name;
}

void line_close(struct line *line, unsigned number, unsigned name)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&line->lock);
	struct head_line *head = head_of(line, number);
	if (head->name != name)
		return;
	head->name = 0;
	stop_waiting(line, head);
}

void line_set_held(struct line *line, unsigned number, unsigned name, uint32_t held_bytes)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&line->lock);
	struct head_line *head = head_of(line, number);
	if (head->name == name)
		head->held_bytes = held_bytes;
}

void line_set_margin(struct line *line, unsigned number, unsigned name, uint32_t margin_ms)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&line->lock);
	struct head_line *head = head_of(line, number);
	if (head->name == name)
		head->margin_ms = margin_ms;
}

bool line_check(struct line *line, unsigned number, unsigned name)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&line->lock);
	struct head_line *head = head_of(line, number);
	if (head->name != name || head->awaited_bytes == 0)
		return false;
	if (measure_backlog(head) < head->awaited_bytes)
		stop_waiting(line, head);
	return head->awaited_bytes > 0;
}
