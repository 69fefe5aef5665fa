/* SPDX-License-Identifier: MIT */
#include "server/run/signals.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

static const struct {
	int number;
	const char *name;
} names[SIGNALS_MAX] = { { SIGINT, "SIGINT" }, { SIGTERM, "SIGTERM" }, { SIGHUP, "SIGHUP" },
	{ SIGUSR1, "SIGUSR1" } };

/* A session whose terminal has hung up has none any more. */
static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static const char *name_of(int number)
{
	for (unsigned i = 0; i < SIGNALS_MAX; i++) {
		if (names[i].number == number)
			return names[i].name;
	}
	g_assert_not_reached();
}

static gboolean on_signal(gpointer user)
{
	struct signals_one *one = user;
	struct signals *signals = one->signals;
	bool hung_up = one->number == SIGHUP && signals->had_terminal && !has_terminal();
	if (one->number == SIGHUP && !hung_up) {
		signals->events.read_again(signals->events.user);
		return G_SOURCE_CONTINUE;
	}
	if (one->number == SIGUSR1) {
		signals->events.press_power(signals->events.user);
		return G_SOURCE_CONTINUE;
	}
	g_message("ends: %s%s", name_of(one->number), hung_up ? ", the terminal has gone" : "");
	signals->events.end(signals->events.user);
	return G_SOURCE_CONTINUE;
}

static bool is_ignored(int number)
{
	struct sigaction action;
	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

void signals_init(struct signals *signals, const struct signals_events *events)
{
	g_assert(events->end && events->read_again && events->press_power);
	*signals = (struct signals){ .events = *events, .had_terminal = has_terminal() };
	for (unsigned i = 0; i < SIGNALS_MAX; i++) {
		struct signals_one *one = &signals->all[i];
		*one = (struct signals_one){ .signals = signals, .number = names[i].number };
		if (!is_ignored(one->number))
			one->source = g_unix_signal_add(one->number, on_signal, one);
	}
}

void signals_finish(struct signals *signals)
{
	for (unsigned i = 0; i < SIGNALS_MAX; i++)
		g_clear_handle_id(&signals->all[i].source, g_source_remove);
}
