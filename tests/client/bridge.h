/* SPDX-License-Identifier: MIT */
/*
 * bridge: starts websocket_bridge.py, through which spice-probe, which speaks no WebSocket, comes
 * to a desktop in frames: of our own making, or of a stock library.
 */
#pragma once

#include <gio/gio.h>

#include "tests/client/fake_desktop.h"

struct bridge {
	GSubprocess *process;
	GDataInputStream *output;
	char *address; /* for spice-probe */
};

/*
 * Returns the Python that has this module, or NULL. Debian's modules are for Debian's own, which
 * need not be the first in PATH.
 */
const char *bridge_find_python(const char *module);

/* Starts a Python script that dies with the test. `script` and `words` are its arguments. */
void bridge_run(
	struct bridge *bridge, const char *python, const char *script, const char *const *words);
/* Reads the script's next line; asserts that there is one. The caller frees it. */
char *bridge_read_line(struct bridge *bridge);

/* `library` is a module of Python, or NULL for the bridge's own frames. */
void bridge_start(struct bridge *bridge, const struct fake_desktop *desktop, const char *library);
/* Returns the process id of the script. */
pid_t bridge_pid(const struct bridge *bridge);
/* Closes the script's standard input, waits for its end, and asserts that it was a good one. */
void bridge_stop(struct bridge *bridge);
