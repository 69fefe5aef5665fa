/* SPDX-License-Identifier: MIT */
/*
 * hear-tone MS SKIP_MS records for SKIP_MS and then for MS, and prints of the latter
 * "heard HZ Hz peak VALUE of FRAMES dry TIMES": how often the left side rose through zero, its
 * largest sample, how many frames came, and how often the card ran over.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "alsa_card.h"

/* Below this it is silence, or what a codec makes of it. */
#define NOISE 200

struct tone {
	uint64_t n_frames, n_rises, first_rise, last_rise;
	int peak;
	bool is_low;
};

static void tone_hear(struct tone *tone, int sample)
{
	if (abs(sample) > tone->peak)
		tone->peak = abs(sample);
	if (tone->is_low && sample > NOISE) {
		tone->is_low = false;
		tone->last_rise = tone->n_frames;
		if (tone->n_rises++ == 0)
			tone->first_rise = tone->n_frames;
	} else if (sample < -NOISE) {
		tone->is_low = true;
	}
	tone->n_frames++;
}

static double tone_hz(const struct tone *tone)
{
	if (tone->n_rises < 2)
		return 0;
	return (double)(tone->n_rises - 1) * ALSA_CARD_RATE /
	       (double)(tone->last_rise - tone->first_rise);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void record(struct alsa_card *card, uint64_t ms, struct tone *tone)
{
	const uint64_t end_ms = now_ms() + ms;

	while (now_ms() < end_ms) {
		int16_t samples[ALSA_CARD_PERIOD_FRAMES * 2];
		const unsigned n = alsa_card_read(card, samples, ALSA_CARD_PERIOD_FRAMES);

		for (unsigned i = 0; i < n; i++)
			tone_hear(tone, samples[2 * i]);
		if (n == 0)
			poll(NULL, 0, 2);
	}
}

int main(int argc, char **argv)
{
	struct alsa_card card;
	struct tone skipped = { 0 }, tone = { 0 };

	if (argc != 3 || !alsa_card_open_microphone(&card))
		return 1;
	record(&card, strtoull(argv[2], NULL, 10), &skipped);
	record(&card, strtoull(argv[1], NULL, 10), &tone);
	printf("heard %.1f Hz peak %d of %llu dry %u\n", tone_hz(&tone), tone.peak,
		(unsigned long long)tone.n_frames, card.n_dry);
	return 0;
}
