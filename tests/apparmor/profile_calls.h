/* SPDX-License-Identifier: MIT */
/* profile_calls are the climbs: each makes few system calls, and nothing that allocates. */
#pragma once

#include <sys/types.h>

/* Paths are the test's own, and live as long as it. */
struct profile_targets {
	char *directory, *secret, *hidden, *written, *cached, *qmp;
	const char *renderer, *keeper; /* programs */
	pid_t victim;                  /* a process without a profile; each climb has a new one */
};

struct profile_climb {
	const char *name;
	/* Of "rdk" (render, display, keeper): profiles that do not hold it, "" none. */
	const char *up;
	/* Returns 0 when it got through, else errno. */
	int (*go)(const struct profile_targets *targets);
};

/* The last has no name. */
extern const struct profile_climb profile_climbs[];
