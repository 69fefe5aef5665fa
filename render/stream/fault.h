/* SPDX-License-Identifier: MIT */
/*
 * fault: says what is wrong with a command stream, for a log line and a count.
 *
 * command, field and why are static strings: nobody frees them, and they outlive the stream.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct stream_fault {
	const char *command;
	const char *field;
	uint64_t value, limit;
	const char *why;
	bool over_quota; /* nothing is wrong with it but that there is too much of it */
};
