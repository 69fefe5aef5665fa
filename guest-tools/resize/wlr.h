/* SPDX-License-Identifier: MIT */
/*
 * wlr sets the modes of a compositor that has wlr-output-management-unstable-v1. wlroots reads a
 * connector's modes once, when it is plugged, and not when the kernel says that they are others.
 */
#pragma once

/*
 * Follows the compositor at this display until it ends. Gives the exit status: 0 also where the
 * compositor has no such protocol, as GNOME's and KDE's, which follow by themselves.
 */
int wlr_follow(const char *display);
