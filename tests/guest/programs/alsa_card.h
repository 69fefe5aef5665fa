/* SPDX-License-Identifier: MIT */
/*
 * alsa_card: the first sound card's first device, for playing or for recording, spoken to through
 * the kernel's own interface (sound/asound.h), so that the guest needs no sound library. It has one
 * thread, and nothing blocks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ALSA_CARD_RATE 48000
#define ALSA_CARD_PERIOD_FRAMES 512
#define ALSA_CARD_BUFFER_FRAMES 8192

struct alsa_card {
	int fd;
	uint64_t n_written; /* stereo frames, all in all */
	unsigned n_dry; /* times that the card ran dry, or over; it goes on with what comes next */
};

/*
 * Opens it for 16-bit stereo at ALSA_CARD_RATE, with every volume up and every switch on. Returns
 * false, with a line on standard error, when there is no such card.
 */
bool alsa_card_open(struct alsa_card *card);
/* The same for the microphone, which records from now on. */
bool alsa_card_open_microphone(struct alsa_card *card);
/* Returns how many frames there were. */
unsigned alsa_card_read(struct alsa_card *card, int16_t *samples, unsigned n_frames);
/* Returns how many of the frames were taken. */
unsigned alsa_card_write(struct alsa_card *card, const int16_t *samples, unsigned n_frames);
/* Returns how many frames the card has fetched, which the guest takes for heard. */
uint64_t alsa_card_played(struct alsa_card *card);
