/* SPDX-License-Identifier: MIT */
/*
 * manager asks systemd by its own socket, as its own programs do, but without starting one of
 * them: in a guest whose processor is emulated systemctl takes longer to start than all else that
 * the helper does.
 */
#pragma once

#include <stdbool.h>

#define MANAGER_SOCKET "/run/systemd/private"

/*
 * Asks for a restart of the unit, and does not wait for it. Gives false when systemd has not
 * taken it, of which it says nothing here.
 */
bool manager_restart(const char *socket_path, const char *unit);
