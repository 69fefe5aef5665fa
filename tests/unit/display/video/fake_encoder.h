/* SPDX-License-Identifier: MIT */
/*
 * fake encoder: elements with the names, properties and manners of GPUs' encoders, for a machine
 * that has no such GPU. What they make is no video but NAL units of the sizes that follow from the
 * settings: a key frame has FAKE_KEY_TIMES what a picture has at that rate.
 *
 * It is a plugin as well (fake_plugin.c), which reads FAKE_ENCODERS from the environment.
 *
 * Threads: any.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>

#define FAKE_KEY_TIMES 4
/* A picture of constant quality has this many bits per pixel, whatever rate is set. */
#define FAKE_CONSTANT_BITS 2

enum fake_fault {
	FAKE_NO_FAULT,
	FAKE_HANGS,          /* never comes back from a picture */
	FAKE_HANGS_AT_START, /* never comes back from its start */
	FAKE_SAYS_NOTHING,   /* takes pictures and makes none */
	FAKE_ERRS,           /* refuses a picture */
	FAKE_CRASHES,
	FAKE_IS_RESET,   /* a thread of Mesa's ends the process, since the GPU was reset */
	FAKE_POSTS_LATE, /* a thread of its own posts an error when fake_encoder_post() says so */
};

struct fake_encoder {
	const char *element; /* "vah264enc", "nvh264enc", ...: its properties are that one's */
	bool no_cbr;         /* as VA-API without firmware: "cbr" is not in the enumeration */
	bool ignores_cbr;    /* as NVENC, whose enumeration has all, and which ignores some */
	bool drops_cbr;      /* as VA-API, which finds out at the first picture */
	int least, most;     /* sides of its pictures; 0: any */
	int n_sessions;      /* as many may be started at a time; 0: any number */
	enum fake_fault fault;
	unsigned fault_at; /* the number of its picture, from 0, that it happens at */
	int fault_above;   /* only pictures of more columns: the trial's have fewer */
	const char *says;  /* of what it ERRS; NULL: "the driver says no" */
	const char *node;  /* of its GPU; NULL: it does not say */
};

/* Registers it. The struct must stay. `plugin` is NULL in a test's own process. */
void fake_encoder_register(GstPlugin *plugin, const struct fake_encoder *fake);

/* Returns how many elements of all fakes have been started so far. */
unsigned fake_encoder_count_starts(void);

/*
 * All FAKE_POSTS_LATE that have been started post their error now, with their elements gone or not.
 * Returns how many did.
 */
unsigned fake_encoder_post(void);
