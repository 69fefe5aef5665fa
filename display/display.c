/* SPDX-License-Identifier: MIT */
#include "display/display.h"

#include <string.h>

#include "display/display_parts.h"
#include "display/inner_key/inner_key.h"
#include "display/relay/sasl_talk.h"
#include "display/spice/spice_head.h"
#include "protocol/flight_events.h"

/* A client that is told to come again has gone within so many milliseconds, and its old picture
 * stays on its screen until the next display has sent one. */
#define SWITCH_MS 150
/* What is said of the desktop's end is shown for so long, while somebody looks. */
#define WORDS_MS 2500
#define WORDS_LOOK_MS 50
_Static_assert(WORDS_MS < KEEPER_ENDS_WAIT_MS, "the keeper lets us");

static struct tickets_terms make_terms(const struct keeper_ticket *ticket, int64_t now_us)
{
	struct tickets_terms terms = {
		.named = ticket->flags & KEEPER_TICKET_NAMED,
		.view_only = ticket->flags & KEEPER_TICKET_VIEW_ONLY,
		.once = ticket->flags & KEEPER_TICKET_ONCE,
		.spent = ticket->flags & KEEPER_TICKET_SPENT,
		.use_by_us = ticket->use_within_s > 0 ?
				     now_us + ticket->use_within_s * G_USEC_PER_SEC :
				     0,
	};
	G_STATIC_ASSERT(TICKETS_USER_MAX == KEEPER_USER_MAX);
	g_strlcpy(terms.user, ticket->user, sizeof(terms.user));
	return terms;
}

static bool on_passwords(void *user, const struct keeper_ticket *all, unsigned n)
{
	struct display *display = user;
	int64_t now_us = g_get_monotonic_time();
	struct tickets_password passwords[KEEPER_PASSWORDS_MAX];
	G_STATIC_ASSERT(TICKETS_SECRET_MAX == KEEPER_TICKET_MAX);
	for (unsigned i = 0; i < n; i++) {
		passwords[i].name = all[i].name;
		passwords[i].terms = make_terms(&all[i], now_us);
		g_strlcpy(passwords[i].secret, all[i].ticket, sizeof(passwords[i].secret));
		if (passwords[i].terms.named && !sasl_talk_is_loaded())
			g_warning_once("nobody can come in by a name: libsasl2 has not all of "
				       "SCRAM and PLAIN here (Debian's package libsasl2-modules)");
	}
	bool taken = tickets_replace(display->tickets, passwords, n, now_us);
	explicit_bzero(passwords, sizeof(passwords));
	return taken;
}

/* There is a bound on tickets; the keeper keeps below it (TICKETS_MAX in tickets/limits.h). */
static bool on_ticket(void *user, const struct keeper_ticket *ticket)
{
	struct display *display = user;
	int64_t now_us = g_get_monotonic_time();
	struct tickets_terms terms = make_terms(ticket, now_us);
	return tickets_put(display->tickets, ticket->name, ticket->ticket, &terms, now_us);
}

/* It is called on the relay's thread. */
static bool tell_ticket(void *user, uint32_t ticket, enum keeper_ticket_use use)
{
	struct display *display = user;
	return keeper_end_say_ticket(display->keeper, ticket, use);
}

static void on_video(void *user)
{
	struct display *display = user;
	g_assert(display->core);
	spice_core_set_codecs(display->core, video_codecs());
	lookers_set_codecs(display->lookers, video_codecs());
	display_walls_narrow(display->walls, video_uses_gpu());
}

/*
 * Encoders are tried when the keeper has spoken, and so knows that this process is ready: a driver
 * may crash it, and a display that has never been ready would be the desktop's end.
 */
static void begin_video(struct display *display)
{
	if (!display->video_is_begun)
		video_start(&display->video_options, on_video, display);
	display->video_is_begun = true;
}

static bool on_listener(void *user, enum keeper_listener_kind kind, int fd)
{
	struct display *display = user;
	flight_note(FLIGHT_LISTENER, kind, 0, 0);
	begin_video(display);
	return relay_listen(display->relay, kind, fd);
}

/*
 * A bad certificate is its owner's fault, not the keeper's: the link stays, and whoever comes with
 * TLS is turned away.
 */
static bool on_certificate(void *user, int certificate_fd, int key_fd)
{
	struct display *display = user;
	g_autoptr(GError) error = NULL;
	struct tls_credentials *credentials =
		tls_credentials_create(certificate_fd, key_fd, &error);
	if (!credentials)
		g_warning("nobody can connect with TLS: %s", error->message);
	relay_set_credentials(display->relay, credentials);
	return true;
}

static bool on_frame_link(void *user, int fd)
{
	struct display *display = user;
	display_close_frames(display);
	display->frames = frame_receiver_create(fd, &display_frames_ops, display);
	display_want_heads_again(display);
	display_want_formats(display);
	display_want_rates(display);
	return true;
}

static bool on_dbus(void *user, int fd)
{
	struct display *display = user;
	display_close_qemu(display);
	display->dbus = dbus_display_create(fd, display->inputs, &display_dbus_ops, display);
	display_update_desktop(display);
	return true;
}

static bool on_visitor_judged(void *user, const struct keeper_visitor_judged *judged)
{
	struct display *display = user;
	relay_judge_visitor(display->relay, judged);
	return true;
}

static void on_ends(void *user, const char *text)
{
	struct display *display = user;
	relay_set_end(display->relay, text);
	display->ends_us = g_get_monotonic_time() + WORDS_MS * INT64_C(1000);
	display_show_words(display, text);
}

static void on_says(void *user, const char *text)
{
	display_say(user, text);
}

static gboolean on_switched_late(gpointer user)
{
	struct display *display = user;
	display->switch_source = 0;
	display->done(display->user, false);
	return G_SOURCE_REMOVE;
}

/* Clients go as soon as they have read it; who has not by then is cut off. */
static void on_switched(void *user)
{
	struct display *display = user;
	if (display->switch_source)
		return;
	/* Sessions that leave go on in the next one. */
	tickets_set_teller(display->tickets, NULL, NULL);
	relay_switch(display->relay);
	display->switch_source = g_timeout_add(SWITCH_MS, on_switched_late, display);
}

static gboolean on_read(gpointer user)
{
	struct display *display = user;
	if (display_is_looked_at(display) && g_get_monotonic_time() < display->ends_us)
		return G_SOURCE_CONTINUE;
	display->words_source = 0;
	display->done(display->user, false);
	return G_SOURCE_REMOVE;
}

/* Who looks has a moment to read why the desktop ends. */
static void on_keeper_gone(void *user, bool fault)
{
	struct display *display = user;
	if (!fault && display_is_looked_at(display) && g_get_monotonic_time() < display->ends_us)
		display->words_source = g_timeout_add(WORDS_LOOK_MS, on_read, display);
	else
		display->done(display->user, fault);
}

static void on_hand_over(void *user, const char *client)
{
	struct display *display = user;
	relay_hand_over(display->relay, client);
}

static const struct keeper_end_ops keeper_end_ops = {
	.passwords = on_passwords,
	.ticket = on_ticket,
	.listener = on_listener,
	.frame_link = on_frame_link,
	.certificate = on_certificate,
	.dbus = on_dbus,
	.visitor_judged = on_visitor_judged,
	.switched = on_switched,
	.screenshot = display_take_shot,
	.ends = on_ends,
	.says = on_says,
	.hand_over = on_hand_over,
	.gone = on_keeper_gone,
};

/*
 * Tells the encoders how many bits per second the client's line carries; 0: that is not known. The
 * heads of a client share one line, so the slowest that was seen full counts. It is called on the
 * worker thread of whose pictures these are.
 */
static uint64_t line_bps(void *user)
{
	struct display *display = user;
	struct line_figures figures;
	struct line *line = line_of_thread();
	if (!line)
		line = display->line;
	uint64_t bps = 0;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		if (line_get(line, i, &figures) && !figures.rate_is_floor && figures.rate_bps &&
			(bps == 0 || figures.rate_bps < bps))
			bps = figures.rate_bps;
	}
	return bps;
}

static bool start(struct display *display, const struct display_options *options)
{
	display->core = spice_core_create(options->name, &display_core_ops, display);
	if (!display->core)
		return false;
	struct RedsState *server = spice_core_server(display->core);
	display->spice_inputs = spice_inputs_create(server, display->inputs);
	display->agent = spice_agent_create(server, &options->agent, &display_agent_ops, display);
	display->screens =
		screens_create(server, display->line, display_want_heads, &display_gl_ops, display);
	display->playback = spice_playback_create(server);
	display->record = spice_record_create(server, &display_record_ops, display);
	if (!display->spice_inputs || !display->agent || !display->screens || !display->playback ||
		!display->record)
		return false;
	video_set_line(line_bps, display);
	display->video_options = options->video;
	return display_walls_finish(display->walls) &&
	       keeper_end_say_ready(
		       display->keeper, &display->walls->state, &display->walls->inner);
}

/* Gives the line of each seat. */
static bool open_seats(struct display *display, const struct display_options *options,
	struct line *lines[RELAY_SEATS_MAX])
{
	unsigned n = options->clients.n_lookers;
	display->seats = g_hash_table_new(NULL, NULL);
	display->lookers =
		lookers_create(n, options->name, display->inputs, &display_lookers_ops, display);
	lines[0] = display->line;
	for (unsigned seat = 1; display->lookers && seat <= n; seat++)
		lines[seat] = lookers_line(display->lookers, seat);
	return display->lookers != NULL;
}

struct display *display_create(int keeper_fd, const struct display_options *options,
	void (*done)(void *user, bool fault), void *user)
{
	struct line *lines[RELAY_SEATS_MAX];
	struct display *display = g_new0(struct display, 1);
	display->done = done;
	display->user = user;
	display->walls = options->walls;
	display->n_heads = FRAME_HEADS_MAX;
	inner_key_begin();
	display->keeper = keeper_end_create(keeper_fd, &keeper_end_ops, display);
	display->line = line_create();
	display->intake = intake_create();
	const struct relay_options relay_options = {
		.server_clock = options->server_clock,
		.policy = options->clients,
		.intake = display->intake,
	};
	display->line_stats = line_stats_create(display->line);
	spice_head_set_quiet(relay_step_aside);
	display->tickets = tickets_create();
	tickets_set_desktop(display->tickets, options->name);
	tickets_set_teller(display->tickets, tell_ticket, display);
	display->inputs = inputs_create(display_send_inputs, display);
	display->microphone = microphone_create();
	if (!open_seats(display, options, lines)) {
		display_destroy(display);
		return NULL;
	}
	display->relay =
		relay_create(&relay_options, lines, display->tickets, &display_relay_ops, display);
	display->door = dmabuf_door_create(&display_door_ops, display);
	display->audience = audience_create(&display_audience_ops, display);
	if (start(display, options))
		return display;
	display_destroy(display);
	return NULL;
}

/*
 * The order matters. First go those who bring something new (video's thread, links, listeners, the
 * relay), then spice-server, which until its end calls back into inputs, screens and audience, then
 * those.
 */
void display_destroy(struct display *display)
{
	if (!display)
		return;
	video_stop();
	g_clear_handle_id(&display->switch_source, g_source_remove);
	g_clear_handle_id(&display->words_source, g_source_remove);
	g_clear_handle_id(&display->let_go_source, g_source_remove);
	display_drop_shot(display);
	g_clear_handle_id(&display->wish_source, g_source_remove);
	g_clear_handle_id(&display->settle_source, g_source_remove);
	if (display->screens)
		display_close_frames(display);
	display_close_qemu(display);
	/* Sessions that end with this process go on in the next. */
	tickets_set_teller(display->tickets, NULL, NULL);
	if (display->relay)
		relay_destroy(display->relay);
	tickets_destroy(display->tickets);
	g_clear_pointer(&display->door, dmabuf_door_destroy);
	spice_core_destroy(g_steal_pointer(&display->core));
	lookers_close(display->lookers);
	spice_playback_destroy(display->playback);
	spice_record_destroy(display->record);
	microphone_unref(display->microphone);
	spice_inputs_destroy(display->spice_inputs);
	spice_agent_destroy(display->agent);
	screens_destroy(display->screens);
	lookers_destroy(display->lookers);
	if (display->seats)
		g_hash_table_unref(display->seats);
	audience_destroy(display->audience);
	video_set_line(NULL, NULL);
	line_stats_destroy(display->line_stats);
	line_destroy(display->line);
	intake_destroy(display->intake);
	inputs_destroy(display->inputs);
	keeper_end_destroy(display->keeper);
	inner_key_end();
	g_free(display);
}
