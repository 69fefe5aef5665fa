/* SPDX-License-Identifier: MIT */
/*
 * starter_walls takes from the starter what neither it nor its workers ever need. Workers inherit
 * it, and drivers do anything while they start, so it is a list of what is refused and not of what
 * is allowed; each worker puts up its own walls later. Of Landlock there is only what holds signals
 * and abstract sockets: behind its rules on files nobody may mount, which hides files from workers.
 */
#pragma once

/* Where the kernel has no seccomp nothing happens, which the workers say of themselves. */
void starter_walls_put_up(void);
