/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <string.h>

#include "server/run/kvm.h"

/* Whatever this machine's /dev/kvm is, an answer comes soon, with a reason. */
static void test_kvm(void)
{
	const char *reason = NULL;
	int64_t began_us = g_get_monotonic_time();
	bool works = kvm_works(NULL, &reason);
	g_assert_cmpint(g_get_monotonic_time() - began_us, <, 2 * G_USEC_PER_SEC);
	g_assert_nonnull(reason);
	g_test_message("KVM %s: %s", works ? "works" : "does not work", reason);
	g_assert_false(kvm_works("/nonexistent", &reason));
	g_assert_nonnull(strstr(reason, "no /dev/kvm"));
	g_assert_false(kvm_works("/dev/null", &reason));
	g_assert_nonnull(strstr(reason, "no VM"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/server/kvm", test_kvm);
	return g_test_run();
}
