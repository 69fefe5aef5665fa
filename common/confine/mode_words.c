/* SPDX-License-Identifier: MIT */
/* They stand alone, so that who only knows the option is not linked with libseccomp. */
#include "common/confine/confine.h"

const char *const confine_mode_words[] = {
	[CONFINE_AUTO] = "auto",
	[CONFINE_MUST] = "must",
	[CONFINE_OFF] = "off",
	NULL,
};
