/* SPDX-License-Identifier: MIT */
/* The seam to tgsi.h. */
#pragma once

#if __has_include("render/stream/tgsi.h")
#include "render/stream/tgsi.h"
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "render/stream/fault.h"
struct tgsi_facts {
	uint32_t n_constants;
};
static inline bool tgsi_check(const char *text, size_t length, unsigned stage,
	struct tgsi_facts *facts, struct stream_fault *fault)
{
	*facts = (struct tgsi_facts){ .n_constants = 0 };
	return true;
}
static inline bool tgsi_check_link(const struct tgsi_facts *earlier, const struct tgsi_facts *later,
	struct stream_fault *fault)
{
	return true;
}
static inline bool tgsi_has_output(const struct tgsi_facts *facts, unsigned output)
{
	return true;
}
#endif
