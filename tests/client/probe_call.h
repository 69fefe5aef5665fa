/* SPDX-License-Identifier: MIT */
/*
 * call: one command of spice-probe that is being run: its arguments, and the answer that gathers.
 * Commands stand in tables by what they are for: probe_look.c, probe_await.c, probe_drive.c,
 * probe_record.c, probe_sync.c, probe_watch.c, probe_agent.c, probe_devices.c, probe_speak.c,
 * probe_commands.c.
 */
#pragma once

#include "tests/client/probe.h"

#define CALL_ARGS_MAX 64

struct call {
	struct probe *probe;
	GString *json; /* members of the answer, each with a comma before it */
	char *error;   /* NULL: ok */
	unsigned n_args;
	const char *args[CALL_ARGS_MAX];
	const char *rest; /* the line after the command's name */
};

struct command {
	const char *name;
	unsigned args_min;
	bool needs_connection;
	void (*run)(struct call *call);
};

/* Each table ends with a row whose name is NULL. */
extern const struct command look_commands[];
extern const struct command await_commands[];
extern const struct command drive_commands[];
extern const struct command record_commands[];
extern const struct command sync_commands[];
extern const struct command watch_commands[];
extern const struct command agent_commands[];
extern const struct command devices_commands[];
extern const struct command speak_commands[];

G_GNUC_PRINTF(2, 3) void call_fail(struct call *call, const char *format, ...);

void call_put_key(struct call *call, const char *key);
void call_put_int(struct call *call, const char *key, int64_t value);
void call_put_bool(struct call *call, const char *key, bool value);
void call_put_text(struct call *call, const char *key, const char *value);
/* Adds "width" and "height" to the answer, 0 if display is NULL. */
void call_put_size(struct call *call, const struct probe_display *display);
/* Adds "pixel" to the answer, or "outside" if it is -1. */
void call_put_pixel(struct call *call, int pixel);

/*
 * Returns argument `index` as a number, or `fallback` when it is left out. Fails the call when it
 * is no number.
 */
int call_arg_int(struct call *call, unsigned index, int fallback);
/*
 * Returns the display that argument `index` names, display 0 when it is left out. Returns NULL and
 * fails the call when there is none.
 */
struct probe_display *call_arg_display(struct call *call, unsigned index);

/* Gives the answer of `cursor`, which `wait-cursor` gives too. */
void look_cursor(struct call *call);
