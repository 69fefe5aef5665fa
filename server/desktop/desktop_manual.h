/* SPDX-License-Identifier: MIT */
/* desktop_manual writes the options' part of a man page. */
#pragma once

#include "server/desktop/desktop.h"

/* Gives man(7) text with a .SS for each section and a .TP for each option. The caller frees it. */
char *desktop_manual_make(enum desktop_program program);
