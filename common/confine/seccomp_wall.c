/* SPDX-License-Identifier: MIT */
/* This is the only file that knows libseccomp. */
#include <errno.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/confine/parts.h"

/* What no row names fails with this, so that a library that only probes lives on. */
#define REFUSED EPERM
#define LOW_32 UINT64_C(0xffffffff)

static const struct confine_call forbid_rows[] = {
	{ "seccomp", "more is taken", { { CONFINE_EQUAL, 0, 0, SECCOMP_SET_MODE_FILTER } } },
	{ "prctl", "libseccomp asks for no new privileges, once more",
		{ { CONFINE_EQUAL, 0, 0, PR_SET_NO_NEW_PRIVS } } },
};
const struct confine_calls confine_calls_forbid = { forbid_rows, G_N_ELEMENTS(forbid_rows) };

/* Without a filter the kernel answers that there is none to be read, if it would take one. */
const char *confine_seccomp_lacking(void)
{
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, NULL) < 0 &&
		errno == EFAULT)
		return NULL;
	return errno == EPERM ? "is refused here" : "the kernel has none";
}

static struct scmp_arg_cmp make_comparison(const struct confine_condition *condition)
{
	uint64_t mask = condition->mask ? condition->mask : LOW_32;
	uint64_t value =
		condition->compare == CONFINE_OWN_PID ? (uint64_t)getpid() : condition->value;
	return (struct scmp_arg_cmp){ .arg = condition->argument,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = mask,
		.datum_b = value };
}

/* `action` is what a row does that has no error of its own. */
static int add_call(
	scmp_filter_ctx filter, const struct confine_call *row, const char *name, uint32_t action)
{
	struct scmp_arg_cmp comparisons[CONFINE_CONDITIONS_MAX];
	unsigned n = 0;
	while (n < CONFINE_CONDITIONS_MAX && row->conditions[n].compare != CONFINE_ANY) {
		comparisons[n] = make_comparison(&row->conditions[n]);
		n++;
	}
	int number = seccomp_syscall_resolve_name(name);
	/*
	 * This architecture has no such call, or this libseccomp is older than it: it stays
	 * refused.
	 */
	if (number == __NR_SCMP_ERROR || number < 0)
		return 0;
	if (row->error)
		action = SCMP_ACT_ERRNO((uint32_t)row->error);
	return seccomp_rule_add_array(filter, action, number, n, comparisons);
}

static int add_row(scmp_filter_ctx filter, const struct confine_call *row, uint32_t action)
{
	g_auto(GStrv) names = g_strsplit(row->names, " ", -1);
	int result = 0;
	for (char **name = names; *name && result == 0; name++)
		result = add_call(filter, row, *name, action);
	return result;
}

static int add_rows(scmp_filter_ctx filter, const struct confine_calls *calls, uint32_t action)
{
	int result = 0;
	for (unsigned i = 0; i < calls->n && result == 0; i++)
		result = add_row(filter, &calls->rows[i], action);
	return result;
}

/*
 * Calls of another architecture (int 0x80, x32) are refused like the rest. The tree of numbers is
 * searched by halves: a list of a hundred would be walked at each call on kernels before 5.11.
 */
static int set_attributes(scmp_filter_ctx filter)
{
	int result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(REFUSED));
	if (result == 0)
		result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (result == 0)
		result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return result;
}

/*
 * While it makes a filter libseccomp takes some 300 KB, in small pieces that the C library would
 * keep for us, in each of our processes.
 */
static void release(scmp_filter_ctx filter)
{
	seccomp_release(filter);
	malloc_trim(0);
}

int confine_filter_calls(const struct confine_rules *rules)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(REFUSED));
	if (!filter)
		return -ENOMEM;
	int result = set_attributes(filter);
	if (result == 0)
		result = add_rows(filter, &confine_calls_sanitizer, SCMP_ACT_ALLOW);
	for (unsigned part = 0; part < CONFINE_PARTS_MAX && result == 0; part++)
		result = add_rows(filter, &rules->calls[part], SCMP_ACT_ALLOW);
	if (result == 0)
		result = seccomp_load(filter);
	release(filter);
	return result;
}

int confine_filter_more(const struct confine_calls *calls)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	if (!filter)
		return -ENOMEM;
	int result = set_attributes(filter);
	if (result == 0)
		result = add_rows(filter, calls, SCMP_ACT_ERRNO(REFUSED));
	if (result == 0)
		result = seccomp_load(filter);
	release(filter);
	return result;
}
