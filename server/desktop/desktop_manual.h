/* SPDX-License-Identifier: MIT */
/*
 * desktop_manual: the options' part of a man page.
 */
#pragma once

#include "server/desktop/desktop.h"

/* man(7) text: a .SS for each section, a .TP for each option. Caller frees. */
char *desktop_manual_make(enum desktop_program program);
