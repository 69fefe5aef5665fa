/* SPDX-License-Identifier: MIT */
/* logout: where a process belongs, and what is said of a logout. */
#include "server/run/logout.h"

#include <glib.h>
#include <string.h>

static void test_places(void)
{
	static const struct {
		const char *cgroup;
		enum logout_place place;
	} rows[] = {
		{ "0::/\n", LOGOUT_ELSEWHERE },
		{ "", LOGOUT_ELSEWHERE },
		{ "0::/system.slice/ssh.service\n", LOGOUT_ELSEWHERE },
		{ "0::/system.slice/system-vitrine.slice/vitrine@a.service\n", LOGOUT_ELSEWHERE },
		{ "0::/machine.slice/session-x\n", LOGOUT_ELSEWHERE },
		{ "0::/user.slice/user-1000.slice/session-3.scope\n", LOGOUT_SESSION },
		{ "12:pids:/\n1:name=systemd:/user.slice/user-1000.slice/session-c2.scope\n",
			LOGOUT_SESSION },
		{ "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-r1.scope\n",
			LOGOUT_USER },
		{ "0::/user.slice/user-1000.slice/user@1000.service/app.slice/"
		  "app-org.gnome.Terminal.slice/vte-spawn-1.scope\n",
			LOGOUT_USER },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
		g_assert_cmpint(logout_find_place(rows[i].cgroup), ==, rows[i].place);
}

static void test_words(void)
{
	g_assert_null(logout_describe(LOGOUT_ELSEWHERE, true, false, true));
	g_assert_null(logout_describe(LOGOUT_SESSION, false, false, true));
	g_assert_null(logout_describe(LOGOUT_USER, true, true, true));
	g_autofree char *user = logout_describe(LOGOUT_USER, false, false, true);
	g_assert_nonnull(strstr(user, "loginctl enable-linger"));
	g_autofree char *session = logout_describe(LOGOUT_SESSION, true, false, true);
	g_assert_nonnull(strstr(session, "loginctl enable-linger, and systemd-run --user --scope"));
	g_autofree char *lingers = logout_describe(LOGOUT_SESSION, true, true, true);
	g_assert_nonnull(strstr(lingers, "systemd-run --user --scope"));
	g_assert_null(strstr(lingers, "loginctl"));
	g_autofree char *bare = logout_describe(LOGOUT_SESSION, true, false, false);
	g_assert_true(g_str_has_suffix(bare, "(KillUserProcesses)"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/logout/places", test_places);
	g_test_add_func("/logout/words", test_words);
	return g_test_run();
}
