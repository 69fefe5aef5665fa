/* SPDX-License-Identifier: MIT */
/*
 * checked: runs a script through the checker of command streams (render/stream/streams.h), as the
 * renderer calls it.
 */
#pragma once

#include "render/stream/fault.h"
#include "render/stream/streams.h"
#include "tests/fuzz/script/script.h"

struct checked_options {
	stream_submit submit; /* what passes; NULL: nowhere */
	void (*on_unref)(
		void *user, uint32_t resource); /* after the checker knows; NULL: nothing */
	void *user;
};

/*
 * Returns false when the checker has refused a command; *fault says which. Asserts what the checker
 * promises: that it passes whole commands, and would pass them again.
 */
bool checked_run(const struct script *script, const struct checked_options *options,
	struct stream_fault *fault);
/* Says what is wrong, and aborts: a fuzzer takes that for a finding. */
G_NORETURN void checked_fail(const char *what, const struct stream_fault *fault);
