/* SPDX-License-Identifier: MIT */
/*
 * randr sets the modes of an X server whose desktop does not follow what its monitors prefer, such
 * as Xfce. A monitor that is plugged is turned on, and one that is unplugged off.
 */
#pragma once

/* Follows the server at $DISPLAY until it ends. Gives the exit status. */
int randr_follow(void);
