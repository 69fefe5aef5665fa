/* SPDX-License-Identifier: MIT */
#include "display/relay/session.h"

#include <glib.h>

#include "display/relay/clock.h"

/* spice-server 0.14 and 0.15 start at 400 ms (MM_TIME_DELTA in reds.cpp). A server whose clock is
 * less behind needs no correction; one that is further behind counts from some other time. */
#define SERVER_DELAY_MIN_MS 100
#define SERVER_DELAY_MAX_MS 10000
/* A client cannot have more time left than the margin, unless its clock is behind what it was told.
 */
#define DRIFT_MS 10
#define TELL_AGAIN_US G_USEC_PER_SEC

struct session {
	unsigned n_refs;
	struct sessions *sessions;
	unsigned seat;
	unsigned number;
	uint32_t name; /* 0: none yet */
	const struct session_ops *ops;
	void *user;       /* the main connection; NULL: it has ended */
	GArray *channels; /* uint16_t: type and number of those that are open */
	bool may_correct, corrects;
	bool plays;
	unsigned n_streams;
	int32_t server_delay_ms;
	int64_t told_us;
	int64_t touched_us; /* when it last did something, or came */
	bool warned;        /* and has done nothing since */
	struct clock clock;
};

struct sessions {
	bool correct;
	unsigned n_made;
	unsigned newest[RELAY_SEATS_MAX]; /* number of the session that came last to each seat */
	GPtrArray *all;                   /* struct session, of main connections, not owned */
};

struct sessions *sessions_create(bool correct)
{
	struct sessions *sessions = g_new0(struct sessions, 1);
	sessions->correct = correct;
	sessions->all = g_ptr_array_new();
	return sessions;
}

void sessions_destroy(struct sessions *sessions)
{
	if (!sessions)
		return;
	g_ptr_array_unref(sessions->all);
	g_free(sessions);
}

uint32_t session_name(const struct session *session)
{
	return session->name;
}

unsigned session_seat(const struct session *session)
{
	return session->seat;
}

unsigned sessions_free_seat(const struct sessions *sessions, unsigned n)
{
	bool taken[RELAY_SEATS_MAX] = { false };
	for (guint i = 0; i < sessions->all->len; i++)
		taken[((const struct session *)sessions->all->pdata[i])->seat] = true;
	for (unsigned seat = 1; seat <= n && seat < RELAY_SEATS_MAX; seat++) {
		if (!taken[seat])
			return seat;
	}
	return 0;
}

struct session *session_create(struct sessions *sessions, unsigned seat, bool correct,
	const struct session_ops *ops, void *user)
{
	g_assert(seat < RELAY_SEATS_MAX);
	struct session *session = g_new0(struct session, 1);
	session->n_refs = 1;
	session->channels = g_array_new(FALSE, FALSE, sizeof(uint16_t));
	session->may_correct = correct && sessions->correct;
	session->sessions = sessions;
	session->touched_us = g_get_monotonic_time();
	session->seat = seat;
	session->number = sessions->newest[seat] = ++sessions->n_made;
	session->ops = ops;
	session->user = user;
	g_ptr_array_add(sessions->all, session);
	return session;
}

struct session *session_join(struct sessions *sessions, uint32_t name)
{
	for (guint i = 0; name != 0 && i < sessions->all->len; i++) {
		struct session *session = sessions->all->pdata[i];
		if (session->name == name) {
			session->n_refs++;
			return session;
		}
	}
	return NULL;
}

static guint find_channel(const struct session *session, uint16_t channel)
{
	guint i = 0;
	while (i < session->channels->len &&
		g_array_index(session->channels, uint16_t, i) != channel)
		i++;
	return i;
}

static uint16_t channel_of(uint8_t type, uint8_t id)
{
	return (uint16_t)(type << 8 | id);
}

bool session_take_channel(struct session *session, uint8_t type, uint8_t id)
{
	uint16_t channel = channel_of(type, id);
	if (find_channel(session, channel) < session->channels->len)
		return false;
	g_array_append_val(session->channels, channel);
	return true;
}

void session_give_channel(struct session *session, uint8_t type, uint8_t id)
{
	guint at = find_channel(session, channel_of(type, id));
	if (at < session->channels->len)
		g_array_remove_index_fast(session->channels, at);
}

void session_touch(struct session *session)
{
	bool warned = session->warned;
	session->touched_us = g_get_monotonic_time();
	session->warned = false;
	if (warned && session->user)
		session->ops->touched(session->user);
}

int64_t session_touched_us(const struct session *session)
{
	return session->touched_us;
}

void session_warn(struct session *session)
{
	session->warned = true;
}

bool session_is_warned(const struct session *session)
{
	return session->warned;
}

bool session_is_newest(const struct session *session)
{
	return session->number == session->sessions->newest[session->seat];
}

void session_unref(struct session *session)
{
	if (!session || --session->n_refs > 0)
		return;
	session_end(session);
	g_array_unref(session->channels);
	g_free(session);
}

void session_end(struct session *session)
{
	session->user = NULL;
	if (session->sessions)
		g_ptr_array_remove(session->sessions->all, session);
	session->sessions = NULL;
}

static void tell(struct session *session)
{
	if (session->user && session->corrects)
		session->ops->tell(session->user);
}

/* ---- what passes ---- */

static int64_t now_ms(void)
{
	return g_get_monotonic_time() / 1000;
}

static int32_t delay_of(uint32_t time_ms)
{
	return (int32_t)((uint32_t)now_ms() - time_ms);
}

static uint32_t our_time(const struct session *session)
{
	return (uint32_t)now_ms() - session->clock.margin_ms;
}

uint32_t session_init(struct session *session, uint32_t name, uint32_t time_ms)
{
	int32_t delay_ms = delay_of(time_ms);
	if (session->name == 0 && session->user)
		session->ops->named(session->user, name);
	session->name = name;
	if (!session->may_correct)
		return time_ms;
	if (delay_ms < SERVER_DELAY_MIN_MS || delay_ms > SERVER_DELAY_MAX_MS) {
		g_info("client: clock left alone: the server's is %d ms behind", delay_ms);
		return time_ms;
	}
	session->corrects = true;
	session->server_delay_ms = delay_ms;
	clock_start(&session->clock, g_get_monotonic_time());
	return our_time(session);
}

/* spice-server sends this time also when sound has ended. */
uint32_t session_time(struct session *session, uint32_t time_ms)
{
	if (!session->corrects)
		return time_ms;
	session->server_delay_ms = CLAMP(delay_of(time_ms), 0, SERVER_DELAY_MAX_MS);
	return our_time(session);
}

/* A client with more time left than we gave it has another clock than we told: our message came
 * late, or the client's clock drifts. It is told again. */
static void check_drift(struct session *session, int32_t left_ms)
{
	if (left_ms > (int32_t)session->clock.margin_ms + DRIFT_MS &&
		g_get_monotonic_time() - session->told_us > TELL_AGAIN_US)
		tell(session);
}

void session_report(struct session *session, struct session_report *report)
{
	const struct clock_report seen = { report->n_frames, report->n_late, report->left_ms };
	if (!session->corrects || session->plays)
		return;
	g_debug("client: report: %u frames, %u late, the last had %d ms of %u left",
		report->n_frames, report->n_late, report->left_ms, session->clock.margin_ms);
	int32_t short_ms = session->server_delay_ms - (int32_t)session->clock.margin_ms;
	check_drift(session, report->left_ms);
	if (clock_report(&session->clock, &seen, g_get_monotonic_time()))
		tell(session);
	/* A frame that is late by our clock is not late by the server's, which is further behind.
	 */
	if (report->left_ms > -short_ms)
		report->n_late = 0;
	report->left_ms = (int32_t)CLAMP((int64_t)report->left_ms + short_ms, INT32_MIN, INT32_MAX);
}

void session_streams(struct session *session, int more)
{
	bool any = session->n_streams > 0;
	session->n_streams = more < 0 && session->n_streams < (unsigned)-more ?
				     0 :
				     session->n_streams + (unsigned)more;
	if (any || session->n_streams == 0 || !session->corrects || session->plays)
		return;
	clock_start(&session->clock, g_get_monotonic_time());
	tell(session);
}

void session_playback(struct session *session, bool plays)
{
	if (session->plays == plays)
		return;
	session->plays = plays;
	if (plays || !session->corrects)
		return;
	clock_start(&session->clock, g_get_monotonic_time());
	tell(session);
}

uint32_t session_sound_start(const struct session *session, uint32_t time_ms)
{
	return session->corrects ? time_ms - clock_sound_start_ms(&session->clock) : time_ms;
}

uint32_t session_sound_time(const struct session *session, uint32_t time_ms)
{
	return session->corrects ? time_ms - CLOCK_SOUND_MS : time_ms;
}

uint32_t session_latency(struct session *session, uint32_t latency_ms)
{
	if (!session->corrects)
		return latency_ms;
	session->server_delay_ms = (int32_t)MIN(latency_ms, SERVER_DELAY_MAX_MS);
	return MIN(latency_ms, MAX(session->clock.margin_ms, CLOCK_START_MS));
}

void session_line(struct session *session, uint32_t rtt_min_us, uint32_t rtt_var_us)
{
	clock_set_line(&session->clock, rtt_min_us, rtt_var_us);
}

/* ---- the clock ---- */

int64_t session_next_us(const struct session *session)
{
	return session->corrects && !session->plays ? clock_next_us(&session->clock) : -1;
}

void session_tick(struct session *session)
{
	if (session->corrects && !session->plays &&
		clock_tick(&session->clock, g_get_monotonic_time()))
		tell(session);
}

bool session_make_time(struct session *session, uint32_t *time_ms)
{
	if (!session->corrects || session->plays)
		return false;
	session->told_us = g_get_monotonic_time();
	*time_ms = our_time(session);
	return true;
}

uint32_t session_margin_ms(const struct session *session)
{
	return session->corrects && !session->plays ? session->clock.margin_ms : 0;
}
