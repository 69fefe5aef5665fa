/* SPDX-License-Identifier: MIT */
/* run_state writes the JSON of org.vitrine.Desktop1's Show. */
#pragma once

#include "server/desktop/desktop.h"
#include "server/desktop/run_dir.h"
#include "server/run/machine.h"

/* The caller frees the text. */
char *run_state_write(
	const struct desktop *desktop, const struct run_dir *dir, const struct machine *machine);
