/* SPDX-License-Identifier: MIT */
/*
 * draws: takes out of a stream what may have something compiled. What is bound and made stays as it
 * is said.
 */
#pragma once

#include <stdint.h>

/*
 * Takes every draw, and what is like one, out of words that streams_check() has passed, and moves
 * the rest together. Returns how many words are left.
 */
uint32_t draws_leave_out(uint32_t *words, uint32_t n_words);
