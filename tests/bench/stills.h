/* SPDX-License-Identifier: MIT */
/*
 * stills: draws pictures that stand for what desktops show, each in as many versions as there are
 * seeds.
 */
#pragma once

#include <stdbool.h>

#include "tests/client/canvas.h"

/* Draws a page of letters with smoothed edges, 60 of them used as often as in a language. */
void still_text(struct canvas *canvas, struct rect area, uint32_t seed);
/* Draws windows, buttons and lines of plain colour, with few letters. */
void still_interface(struct canvas *canvas, struct rect area, uint32_t seed);
/*
 * canvas_film() and canvas_photo() draw the others: shaded by a program, and with a camera's grain.
 */
