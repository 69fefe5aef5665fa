/* SPDX-License-Identifier: MIT */
/*
 * signals is what `vitrine run` does when it gets one. SIGINT and SIGTERM end the machine. So does
 * SIGHUP when the terminal has gone that we were started from; any other SIGHUP says that files
 * have changed which are to be read again. SIGUSR1 presses the machine's power button. What was
 * ignored at the start, as nohup(1) sees to, stays ignored.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>

#define SIGNALS_MAX 4

struct signals_events {
	void *user;
	void (*end)(void *user); /* it is logged which signal it was */
	void (*read_again)(void *user);
	void (*press_power)(void *user);
};

struct signals {
	struct signals_events events;
	bool had_terminal;
	struct signals_one {
		struct signals *signals;
		int number;
		unsigned source; /* 0: ignored */
	} all[SIGNALS_MAX];
};

void signals_init(struct signals *signals, const struct signals_events *events);
void signals_finish(struct signals *signals);
