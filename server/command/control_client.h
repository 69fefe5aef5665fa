/* SPDX-License-Identifier: MIT */
/* control_client asks a desktop's control interface (protocol/org.vitrine.Desktop1.xml). */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

#include "protocol/desktop1.h"
#include "server/command/exit_codes.h"

/* A call waits so long for its answer. */
#define CONTROL_ANSWER_MS 5000

/* Gives the desktop of this name, or NULL with `error` set. Unreference it. */
VitrineDesktop1 *control_client_connect(const char *name, GError **error);

/* Logs the error of a call, and gives the status for it. */
enum exit_code control_client_failed(const char *name, GError *error);
