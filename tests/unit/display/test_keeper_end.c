/* SPDX-License-Identifier: MIT */
/*
 * keeper_end: tests display's end of the keeper link: each message becomes one call, and its
 * descriptors are kept or closed.
 */
#include "display/keeper_end.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "common/shm.h"

#define WAIT_US (10 * G_USEC_PER_SEC)
/* A desktop grows by a pixel this often, which is more than the link's queue holds. */
#define AREAS 5000

struct fixture {
	int fd; /* the keeper's end */
	struct keeper_end *keeper;
	bool refuse; /* what the ops answer */
	GString *calls;
	int taken_fd; /* the last descriptor that was handed over, -1: none */
	int certificate_fd, key_fd;
	struct keeper_ready ready;
	struct keeper_pointer_area area;
	unsigned n_areas;
	struct keeper_ticket_used used;
};

/* ---- display ---- */

static bool take_fd(struct fixture *f, const char *call, int fd)
{
	g_string_append(f->calls, call);
	g_assert_cmpint(fcntl(fd, F_GETFD), >=, 0);
	if (f->taken_fd >= 0)
		close(f->taken_fd);
	f->taken_fd = fd;
	return !f->refuse;
}

static void note_ticket(struct fixture *f, const struct keeper_ticket *ticket)
{
	g_string_append_printf(f->calls, "ticket %u %u %u=%s;", ticket->name, ticket->flags,
		ticket->use_within_s, ticket->ticket);
}

static bool on_ticket(void *user, const struct keeper_ticket *ticket)
{
	struct fixture *f = user;
	note_ticket(f, ticket);
	return !f->refuse;
}

static bool on_passwords(void *user, const struct keeper_ticket *all, unsigned n)
{
	struct fixture *f = user;
	g_string_append_printf(f->calls, "passwords %u:", n);
	for (unsigned i = 0; i < n; i++)
		note_ticket(f, &all[i]);
	return !f->refuse;
}

static bool on_listener(void *user, enum keeper_listener_kind kind, int fd)
{
	g_autofree char *call = g_strdup_printf("listener=%d;", kind);
	return take_fd(user, call, fd);
}

static bool on_frame_link(void *user, int fd)
{
	return take_fd(user, "frame_link;", fd);
}

static bool on_dbus(void *user, int fd)
{
	return take_fd(user, "dbus;", fd);
}

static bool on_certificate(void *user, int certificate_fd, int key_fd)
{
	struct fixture *f = user;
	char bytes[2] = "";
	g_assert_cmpint(pread(certificate_fd, &bytes[0], 1, 0), ==, 1);
	g_assert_cmpint(pread(key_fd, &bytes[1], 1, 0), ==, 1);
	g_string_append_printf(f->calls, "certificate=%c%c;", bytes[0], bytes[1]);
	f->certificate_fd = certificate_fd;
	f->key_fd = key_fd;
	return !f->refuse;
}

static void on_gone(void *user, bool fault)
{
	struct fixture *f = user;
	g_string_append(f->calls, fault ? "fault;" : "gone;");
}

static bool on_visitor_judged(void *user, const struct keeper_visitor_judged *judged)
{
	struct fixture *f = user;
	g_string_append_printf(f->calls, "visitor %u %s %u;", judged->serial,
		judged->welcome ? "in" : "out", judged->uid);
	return !f->refuse;
}

static void on_ends(void *user, const char *text)
{
	struct fixture *f = user;
	g_string_append_printf(f->calls, "ends %s;", text);
}

static void on_says(void *user, const char *text)
{
	struct fixture *f = user;
	g_string_append_printf(f->calls, "says %s;", text);
}

static void on_switched(void *user)
{
	struct fixture *f = user;
	g_string_append(f->calls, "switched;");
}

static void on_screenshot(void *user, uint32_t head)
{
	struct fixture *f = user;
	g_string_append_printf(f->calls, "screenshot %u;", head);
}

static void on_hand_over(void *user, const char *client)
{
	struct fixture *f = user;
	g_string_append_printf(f->calls, "hand-over %s;", client);
}

static const struct keeper_end_ops ops = {
	.hand_over = on_hand_over,
	.passwords = on_passwords,
	.ticket = on_ticket,
	.listener = on_listener,
	.frame_link = on_frame_link,
	.dbus = on_dbus,
	.visitor_judged = on_visitor_judged,
	.certificate = on_certificate,
	.switched = on_switched,
	.screenshot = on_screenshot,
	.ends = on_ends,
	.says = on_says,
	.gone = on_gone,
};

/* ---- the keeper ---- */

static bool on_ready(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fixture *f = user;
	f->ready = *(const struct keeper_ready *)message;
	return true;
}

static bool on_area(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fixture *f = user;
	f->area = *(const struct keeper_pointer_area *)message;
	f->n_areas++;
	return true;
}

static bool on_used(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fixture *f = user;
	f->used = *(const struct keeper_ticket_used *)message;
	return true;
}

static const struct link_handler handlers[] = {
	{ KEEPER_MESSAGE_TICKET_USED, "TICKET_USED", sizeof(struct keeper_ticket_used), 0, 0,
		on_used },
	{ KEEPER_MESSAGE_READY, "READY", sizeof(struct keeper_ready), 0, 0, on_ready },
	{ KEEPER_MESSAGE_POINTER_AREA, "POINTER_AREA", sizeof(struct keeper_pointer_area), 0, 0,
		on_area },
};

static void hear_all(struct fixture *f)
{
	int result;
	do
		result = link_dispatch(f->fd, "display", handlers, G_N_ELEMENTS(handlers), f);
	while (result == 1);
	g_assert_cmpint(result, ==, 0);
}

static void set_up(struct fixture *f, gconstpointer data)
{
	int pair[2];
	g_assert_cmpint(link_pair(pair), ==, 0);
	f->fd = pair[0];
	f->taken_fd = -1;
	f->calls = g_string_new(NULL);
	f->keeper = keeper_end_create(pair[1], &ops, f);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	keeper_end_destroy(f->keeper);
	if (f->fd >= 0)
		close(f->fd);
	if (f->taken_fd >= 0)
		close(f->taken_fd);
	g_string_free(f->calls, TRUE);
}

/* Runs the main loop until there is nothing more to do. */
static void settle(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void say(struct fixture *f, uint32_t type, void *message, size_t size_bytes, const int *fds,
	unsigned n_fds)
{
	((struct link_header *)message)->type = type;
	g_assert_cmpint(link_send(f->fd, message, size_bytes, fds, n_fds), ==, 0);
}

static void assert_calls(struct fixture *f, const char *wanted)
{
	settle();
	g_assert_cmpstr(f->calls->str, ==, wanted);
	g_string_truncate(f->calls, 0);
}

static void say_listener(struct fixture *f, uint32_t kind)
{
	struct keeper_listener listener = { .kind = kind };
	int fd = shm_create("listener", 4096);
	say(f, KEEPER_MESSAGE_LISTENER, &listener, sizeof(listener), &fd, 1);
	close(fd);
}

/* ---- tests ---- */

static void test_ready(struct fixture *f, gconstpointer data)
{
	const struct confine_state walls = { .held = 1u << CONFINE_SECCOMP };
	const struct confine_state inner = { .held = 1u << CONFINE_LIMITS };
	g_assert_true(keeper_end_say_ready(f->keeper, &walls, &inner));
	hear_all(f);
	g_assert_cmpuint(f->ready.version, ==, KEEPER_LINK_VERSION);
	g_assert_cmphex(f->ready.walls.held, ==, walls.held);
	g_assert_cmphex(f->ready.inner_walls.held, ==, inner.held);
	close(f->fd);
	f->fd = -1;
	g_assert_false(keeper_end_say_ready(f->keeper, &walls, &inner));
}

static void say_ticket(struct fixture *f, uint32_t name, uint32_t flags, const char *text)
{
	struct keeper_ticket ticket = { .name = name, .flags = flags, .use_within_s = 60 };
	memcpy(ticket.ticket, text, MIN(strlen(text), sizeof(ticket.ticket)));
	say(f, KEEPER_MESSAGE_TICKET, &ticket, sizeof(ticket), NULL, 0);
}

static void say_passwords(struct fixture *f, uint32_t n)
{
	struct keeper_passwords passwords = { .n_passwords = n };
	say(f, KEEPER_MESSAGE_PASSWORDS, &passwords, sizeof(passwords), NULL, 0);
}

/* A ticket that fills its field has no zero byte behind it; what lies behind is not its own. */
static void test_ticket(struct fixture *f, gconstpointer data)
{
	say_ticket(f, 7, KEEPER_TICKET_ONCE | KEEPER_TICKET_VIEW_ONLY, "secret");
	assert_calls(f, "ticket 7 3 60=secret;");
	g_autofree char *longer = g_strnfill(2 * KEEPER_TICKET_MAX, 'x');
	g_autofree char *longest = g_strnfill(KEEPER_TICKET_MAX, 'x');
	g_autofree char *wanted = g_strdup_printf("ticket 7 2 60=%s;", longest);
	say_ticket(f, 7, KEEPER_TICKET_ONCE, longer);
	assert_calls(f, wanted);
	say_ticket(f, 8, KEEPER_TICKET_ONCE | KEEPER_TICKET_SPENT, "used");
	assert_calls(f, "ticket 8 10 60=used;");
	say_ticket(f, 7, KEEPER_TICKET_ONCE, "");
	assert_calls(f, "fault;");
}

static void test_visitor(struct fixture *f, gconstpointer data)
{
	struct keeper_visitor_judged judged = { .serial = 7, .welcome = 1, .uid = 1000 };
	say(f, KEEPER_MESSAGE_VISITOR_JUDGED, &judged, sizeof(judged), NULL, 0);
	judged = (struct keeper_visitor_judged){ .serial = 8, .uid = KEEPER_UID_UNKNOWN };
	say(f, KEEPER_MESSAGE_VISITOR_JUDGED, &judged, sizeof(judged), NULL, 0);
	struct keeper_screenshot shot = { .head = 3 };
	say(f, KEEPER_MESSAGE_SCREENSHOT, &shot, sizeof(shot), NULL, 0);
	assert_calls(f, "visitor 7 in 1000;visitor 8 out 4294967295;screenshot 3;");
}

/* A text without an end is one that is cut. */
static void test_ends(struct fixture *f, gconstpointer data)
{
	struct keeper_ends ends = { .text = "the guest has powered off" };
	say(f, KEEPER_MESSAGE_ENDS, &ends, sizeof(ends), NULL, 0);
	memset(ends.text, 'x', sizeof(ends.text));
	say(f, KEEPER_MESSAGE_ENDS, &ends, sizeof(ends), NULL, 0);
	g_autofree char *cut = g_strnfill(sizeof(ends.text) - 1, 'x');
	g_autofree char *calls = g_strdup_printf("ends the guest has powered off;ends %s;", cut);
	assert_calls(f, calls);
}

static void test_says(struct fixture *f, gconstpointer data)
{
	struct keeper_says says = { .text = "QEMU waits" };
	say(f, KEEPER_MESSAGE_SAYS, &says, sizeof(says), NULL, 0);
	memset(says.text, 'x', sizeof(says.text));
	say(f, KEEPER_MESSAGE_SAYS, &says, sizeof(says), NULL, 0);
	g_autofree char *cut = g_strnfill(sizeof(says.text) - 1, 'x');
	g_autofree char *calls = g_strdup_printf("says QEMU waits;says %s;", cut);
	assert_calls(f, calls);
}

static void test_used(struct fixture *f, gconstpointer data)
{
	g_assert_true(keeper_end_say_ticket(f->keeper, 16, KEEPER_TICKET_IN_SESSION));
	hear_all(f);
	g_assert_true(f->used.name == 16 && f->used.use == 1);
	g_assert_true(keeper_end_say_ticket(f->keeper, 16, KEEPER_TICKET_UNUSED));
	hear_all(f);
	g_assert_true(f->used.name == 16 && f->used.use == 0);
	close(f->fd);
	f->fd = -1;
	g_assert_false(keeper_end_say_ticket(f->keeper, 17, KEEPER_TICKET_IN_SESSION));
}

/* Passwords count when all of them are there; what comes between two of them is not of them. */
static void test_passwords(struct fixture *f, gconstpointer data)
{
	say_passwords(f, 3);
	say_ticket(f, 1, 0, "one");
	say_ticket(f, 16, KEEPER_TICKET_ONCE, "ticket");
	say_ticket(f, 2, KEEPER_TICKET_VIEW_ONLY, "two");
	assert_calls(f, "ticket 16 2 60=ticket;");
	say_ticket(f, 3, KEEPER_TICKET_NAMED, "three");
	assert_calls(f, "passwords 3:ticket 1 0 60=one;ticket 2 1 60=two;ticket 3 4 60=three;");
	say_passwords(f, 1);
	say_ticket(f, 1, 0, "another");
	assert_calls(f, "passwords 1:ticket 1 0 60=another;");
	say_passwords(f, 0);
	assert_calls(f, "passwords 0:");
	/* Some have not come when the link ends. */
	say_passwords(f, KEEPER_PASSWORDS_MAX);
	say_ticket(f, 1, 0, "one");
	assert_calls(f, "");
}

static void test_wrong_passwords(struct fixture *f, gconstpointer data)
{
	switch (*(const uint32_t *)data) {
	case 0:
		say_ticket(f, 1, 0, "not announced");
		break;
	case 1:
		say_passwords(f, KEEPER_PASSWORDS_MAX + 1);
		break;
	case 2:
		say_passwords(f, 2);
		say_passwords(f, 2);
		break;
	default:
		say_passwords(f, 1);
		say_ticket(f, 1, KEEPER_TICKET_FLAGS + 1, "of an unknown kind");
	}
	assert_calls(f, "fault;");
}

static void test_listeners(struct fixture *f, gconstpointer data)
{
	say_listener(f, KEEPER_LISTENER_TCP);
	say_listener(f, KEEPER_LISTENER_UNIX);
	say_listener(f, KEEPER_LISTENER_TLS);
	assert_calls(f, "listener=1;listener=2;listener=3;");
}

static void test_unknown_listener(struct fixture *f, gconstpointer data)
{
	const uint32_t *kind = data;
	say_listener(f, *kind);
	assert_calls(f, "fault;");
	g_assert_cmpint(f->taken_fd, ==, -1);
}

static void test_links(struct fixture *f, gconstpointer data)
{
	struct keeper_frame_link link = { 0 };
	struct keeper_dbus dbus = { 0 };
	int fd = shm_create("link", 4096);
	say(f, KEEPER_MESSAGE_FRAME_LINK, &link, sizeof(link), &fd, 1);
	say(f, KEEPER_MESSAGE_DBUS, &dbus, sizeof(dbus), &fd, 1);
	assert_calls(f, "frame_link;dbus;");
	/* The descriptor is the callee's and still open. */
	g_assert_cmpint(fcntl(f->taken_fd, F_GETFD), >=, 0);
	close(fd);
}

/* Both descriptors stay the link's, which closes them. */
static void test_certificate(struct fixture *f, gconstpointer data)
{
	struct keeper_certificate certificate = { 0 };
	int fds[] = { shm_create("certificate", 4096), shm_create("key", 4096) };
	g_assert_cmpint(pwrite(fds[0], "c", 1, 0), ==, 1);
	g_assert_cmpint(pwrite(fds[1], "k", 1, 0), ==, 1);
	say(f, KEEPER_MESSAGE_CERTIFICATE, &certificate, sizeof(certificate), fds, 2);
	close(fds[0]);
	close(fds[1]);
	assert_calls(f, "certificate=ck;");
	g_assert_cmpint(fcntl(f->certificate_fd, F_GETFD), ==, -1);
	g_assert_cmpint(fcntl(f->key_fd, F_GETFD), ==, -1);
}

static void test_gone(struct fixture *f, gconstpointer data)
{
	say_listener(f, KEEPER_LISTENER_TCP);
	close(f->fd);
	f->fd = -1;
	/* What the keeper said before it ended is heard, and its end once. */
	assert_calls(f, "listener=1;gone;");
	assert_calls(f, "");
}

/* A callee that refuses ends the link; nothing behind it is heard. */
static void test_refused(struct fixture *f, gconstpointer data)
{
	f->refuse = true;
	say_listener(f, KEEPER_LISTENER_TCP);
	say_listener(f, KEEPER_LISTENER_UNIX);
	assert_calls(f, "listener=1;fault;");
}

static void test_nonsense(struct fixture *f, gconstpointer data)
{
	struct keeper_reset reset = { 0 };
	say(f, KEEPER_MESSAGE_RESET, &reset, sizeof(reset), NULL, 0);
	assert_calls(f, "fault;");
}

static void test_short_stats(struct fixture *f, gconstpointer data)
{
	struct keeper_stats stats = { 0 };
	int fd = shm_create("stats", 4096);
	say(f, KEEPER_MESSAGE_STATS, &stats, sizeof(stats), &fd, 1);
	close(fd);
	assert_calls(f, "fault;");
}

static void test_area(struct fixture *f, gconstpointer data)
{
	keeper_end_say_pointer_area(f->keeper, 1920, 1080);
	keeper_end_say_pointer_area(f->keeper, 1920, 1080);
	hear_all(f);
	g_assert_cmpuint(f->n_areas, ==, 1);
	g_assert_cmpuint(f->area.width, ==, 1920);
	g_assert_cmpuint(f->area.height, ==, 1080);
	keeper_end_say_pointer_area(f->keeper, 1920, 1081);
	hear_all(f);
	g_assert_cmpuint(f->n_areas, ==, 2);
}

/* The keeper is slow: the queue fills up, the rest is left out, and the last one comes. */
static void test_slow_keeper(struct fixture *f, gconstpointer data)
{
	for (uint32_t i = 1; i <= AREAS; i++)
		keeper_end_say_pointer_area(f->keeper, i, 1);
	settle();
	gint64 end_us = g_get_monotonic_time() + WAIT_US;
	while (f->area.width < AREAS && g_get_monotonic_time() < end_us) {
		hear_all(f);
		settle();
	}
	g_assert_cmpuint(f->area.width, ==, AREAS);
	g_assert_cmpuint(f->n_areas, <, AREAS);
	/* The link sends at once again. */
	keeper_end_say_pointer_area(f->keeper, 1, 1);
	hear_all(f);
	g_assert_cmpuint(f->area.width, ==, 1);
}

int main(int argc, char **argv)
{
	static const uint32_t wrong[] = { 0, 1, 2, 3 };
	static const uint32_t unknown[] = { 0, KEEPER_LISTENER_TLS + 1, UINT32_MAX };
	static const struct {
		const char *name;
		void (*run)(struct fixture *f, gconstpointer data);
		gconstpointer data;
	} cases[] = {
		{ "/keeper-end/ready", test_ready },
		{ "/keeper-end/ticket", test_ticket },
		{ "/keeper-end/visitor", test_visitor },
		{ "/keeper-end/used", test_used },
		{ "/keeper-end/ends", test_ends },
		{ "/keeper-end/says", test_says },
		{ "/keeper-end/passwords", test_passwords },
		{ "/keeper-end/passwords-unannounced", test_wrong_passwords, &wrong[0] },
		{ "/keeper-end/passwords-too-many", test_wrong_passwords, &wrong[1] },
		{ "/keeper-end/passwords-twice", test_wrong_passwords, &wrong[2] },
		{ "/keeper-end/passwords-unknown", test_wrong_passwords, &wrong[3] },
		{ "/keeper-end/listeners", test_listeners },
		{ "/keeper-end/listener-0", test_unknown_listener, &unknown[0] },
		{ "/keeper-end/listener-4", test_unknown_listener, &unknown[1] },
		{ "/keeper-end/listener-max", test_unknown_listener, &unknown[2] },
		{ "/keeper-end/links", test_links },
		{ "/keeper-end/certificate", test_certificate },
		{ "/keeper-end/gone", test_gone },
		{ "/keeper-end/refused", test_refused },
		{ "/keeper-end/nonsense", test_nonsense },
		{ "/keeper-end/short-stats", test_short_stats },
		{ "/keeper-end/area", test_area },
		{ "/keeper-end/slow-keeper", test_slow_keeper },
	};
	g_test_init(&argc, &argv, NULL);
	/* Refusals are warnings, which must not end a test that is about them. */
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, cases[i].data, set_up, cases[i].run,
			tear_down);
	return g_test_run();
}
