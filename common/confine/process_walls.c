/* SPDX-License-Identifier: MIT */
/* These walls are of the process itself: privileges, capabilities, tracing, limits. */
#include <dlfcn.h>
#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/confine/parts.h"

int confine_set_no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/*
 * The bounding set goes first, since it takes a capability to change it. Who has none may leave it
 * as it is: with no new privileges nothing that is executed gets anything out of it.
 */
static int drop_bounding_set(void)
{
	for (unsigned long capability = 0;; capability++) {
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
			continue;
		/* EINVAL stands behind the last one that the kernel knows. */
		return errno == EINVAL || errno == EPERM ? 0 : -errno;
	}
}

int confine_drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	int result = drop_bounding_set();
	if (result < 0)
		return result;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

int confine_set_not_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
}

/*
 * The memory by which sanitizers shadow ours counts as ours, and is a multiple of that. Their
 * library may be preloaded into a program that knows nothing of it, so it is looked for.
 */
static bool has_shadow(void)
{
	return dlsym(RTLD_DEFAULT, "__asan_init") || dlsym(RTLD_DEFAULT, "__tsan_init");
}

static bool is_bearable(const struct confine_limit *limit, const struct confine_state *state)
{
	if (limit->needs_namespaces && !((state->held >> CONFINE_NAMESPACES) & 1))
		return false;
	return limit->resource != RLIMIT_DATA || !has_shadow();
}

int confine_set_limits(const struct confine_rules *rules, const struct confine_state *state)
{
	for (unsigned i = 0; i < rules->n_limits; i++) {
		struct rlimit limit;
		if (!is_bearable(&rules->limits[i], state))
			continue;
		if (getrlimit(rules->limits[i].resource, &limit) < 0)
			return -errno;
		/* What was given to us less of stays so. */
		limit.rlim_max = MIN(limit.rlim_max, (rlim_t)rules->limits[i].value);
		limit.rlim_cur = MIN(limit.rlim_cur, limit.rlim_max);
		if (setrlimit(rules->limits[i].resource, &limit) < 0)
			return -errno;
	}
	return 0;
}
