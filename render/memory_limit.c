/* SPDX-License-Identifier: MIT */
#include "render/memory_limit.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/resource.h>

/* A driver may take this much of its own after its start, for threads and caches. */
#define GROWTH_BYTES (64ull << 20)

uint64_t memory_limit_compute(const struct quota_limits *limits, uint64_t data_bytes)
{
	uint64_t own_bytes = MAX(QUOTAS_PROCESS_BYTES, data_bytes + GROWTH_BYTES);
	uint64_t left_bytes = limits->max[QUOTA_TEXTURE_BYTES];
	return quotas_get_memory_bytes(limits) - QUOTAS_PROCESS_BYTES + own_bytes + left_bytes;
}

/* Reads VmData of proc(5), which is what the kernel compares, in bytes. */
static uint64_t read_data_bytes(void)
{
	static const char name[] = "\nVmData:";
	g_autofree char *text = NULL;
	if (!g_file_get_contents("/proc/self/status", &text, NULL, NULL))
		return 0;
	const char *at = strstr(text, name);
	return at ? g_ascii_strtoull(at + strlen(name), NULL, 10) * 1024 : 0;
}

void memory_limit_set(const struct quota_limits *limits)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_DATA, &limit) == 0) {
		rlim_t bytes = memory_limit_compute(limits, read_data_bytes());
		limit.rlim_cur = limit.rlim_max = MIN(bytes, limit.rlim_max);
		if (setrlimit(RLIMIT_DATA, &limit) == 0) {
			g_info("memory: at most %" G_GUINT64_FORMAT " MiB",
				(uint64_t)limit.rlim_cur >> 20);
			return;
		}
	}
	g_warning("memory: cannot be limited: %s", g_strerror(errno));
}
