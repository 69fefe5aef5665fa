/* SPDX-License-Identifier: MIT */
/*
 * A plugin of GStreamer that has the fake encoder of FAKE_ENCODER: the name of an element, what
 * happens to it, and the width above which it does, as in "vah264enc crashes 320"; all but the
 * first are optional.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/display/video/fake_encoder.h"

static const struct {
	const char *name;
	enum fake_fault fault;
} faults[] = { { "hangs", FAKE_HANGS }, { "hangs-at-start", FAKE_HANGS_AT_START },
	{ "says-nothing", FAKE_SAYS_NOTHING }, { "errs", FAKE_ERRS }, { "crashes", FAKE_CRASHES },
	{ "is-reset", FAKE_IS_RESET } };

static gboolean plugin_init(GstPlugin *plugin)
{
	static struct fake_encoder fake;
	char element[64], fault[64] = "";
	const char *text = getenv("FAKE_ENCODER");
	if (!text || sscanf(text, "%63s %63s %d", element, fault, &fake.fault_above) < 1)
		return TRUE;
	fake.element = strdup(element);
	for (unsigned i = 0; i < G_N_ELEMENTS(faults); i++) {
		if (strcmp(faults[i].name, fault) == 0)
			fake.fault = faults[i].fault;
	}
	fake_encoder_register(plugin, &fake);
	return TRUE;
}

#define PACKAGE "vitrine"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, vitrinefake, "Fake encoders", plugin_init,
	"0", "MIT/X11", "vitrine", "https://localhost")
