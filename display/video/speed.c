/* SPDX-License-Identifier: MIT */
#include "display/video/speed.h"

#include <glib.h>

/*
 * The preset changes at these shares of a frame's period. A new picture's share has this weight in
 * the mean.
 */
#define TOO_MUCH 0.5
#define LITTLE 0.125
#define SMOOTHING 0.05
/* At least this many pictures are encoded before a step, and between two. */
#define STEADY 120

static const char *const presets[] = { "ultrafast", "superfast", "veryfast", "faster" };

static struct {
	GMutex lock;
	unsigned preset;
	unsigned noted; /* since the last step */
	double share;   /* mean */
} speed;

const char *speed_preset(void)
{
	g_mutex_lock(&speed.lock);
	const char *preset = presets[speed.preset];
	g_mutex_unlock(&speed.lock);
	return preset;
}

static void step(int by)
{
	int next = CLAMP((int)speed.preset + by, 0, (int)G_N_ELEMENTS(presets) - 1);
	speed.preset = (unsigned)next;
	speed.noted = 0;
}

void speed_note(uint64_t ns, double fps)
{
	double share = MIN((double)ns * fps / 1e9, 4.0);
	g_mutex_lock(&speed.lock);
	speed.share = speed.noted++ == 0 ? share : speed.share + SMOOTHING * (share - speed.share);
	if (speed.noted >= STEADY && speed.share > TOO_MUCH)
		step(-1);
	else if (speed.noted >= STEADY && speed.share < LITTLE)
		step(1);
	g_mutex_unlock(&speed.lock);
}
