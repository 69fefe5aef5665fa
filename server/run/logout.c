/* SPDX-License-Identifier: MIT */
#include "server/run/logout.h"

#include <gio/gio.h>

#define ASK_MS 1000
/* A file for each user who lingers (loginctl(1)); everybody may see them. */
#define LINGER_FOLDER "/var/lib/systemd/linger"

static bool is_session(const char *unit)
{
	return g_str_has_prefix(unit, "session-") && g_str_has_suffix(unit, ".scope");
}

static bool is_users_systemd(const char *unit)
{
	return g_str_has_prefix(unit, "user@") && g_str_has_suffix(unit, ".service");
}

static enum logout_place find_place_of_line(const char *line)
{
	g_auto(GStrv) units = g_strsplit(line, "/", -1);
	for (unsigned i = 0; units[i]; i++) {
		if (is_session(units[i]))
			return LOGOUT_SESSION;
		if (is_users_systemd(units[i]))
			return LOGOUT_USER;
	}
	return LOGOUT_ELSEWHERE;
}

enum logout_place logout_find_place(const char *cgroup)
{
	enum logout_place place = LOGOUT_ELSEWHERE;
	g_auto(GStrv) lines = g_strsplit(cgroup, "\n", -1);
	for (unsigned i = 0; lines[i] && place == LOGOUT_ELSEWHERE; i++)
		place = find_place_of_line(lines[i]);
	return place;
}

char *logout_describe(enum logout_place place, bool kills, bool lingers, bool has_systemd_run)
{
	const char *linger = lingers ? "" : "loginctl enable-linger, and ";
	if (place == LOGOUT_USER && !lingers)
		return g_strdup("this desktop ends when its user has logged out everywhere, unless "
				"that lingers: loginctl enable-linger");
	if (place != LOGOUT_SESSION || !kills)
		return NULL;
	return g_strdup_printf("this desktop ends when its user logs out, as logind is set "
			       "(KillUserProcesses)%s%s%s",
		has_systemd_run ? "; one that goes on: " : "", has_systemd_run ? linger : "",
		has_systemd_run ? "systemd-run --user --scope vitrine run --detach ..." : "");
}

static GVariant *ask(GDBusConnection *bus, const char *property)
{
	GVariant *value = NULL;
	g_autoptr(GVariant) answer = g_dbus_connection_call_sync(bus, "org.freedesktop.login1",
		"/org/freedesktop/login1", "org.freedesktop.DBus.Properties", "Get",
		g_variant_new("(ss)", "org.freedesktop.login1.Manager", property),
		G_VARIANT_TYPE("(v)"), G_DBUS_CALL_FLAGS_NONE, ASK_MS, NULL, NULL);
	if (answer)
		g_variant_get(answer, "(v)", &value);
	return value;
}

static bool is_in(GVariant *users, const char *user)
{
	if (!users || !g_variant_is_of_type(users, G_VARIANT_TYPE_STRING_ARRAY))
		return false;
	g_autofree const char **names = g_variant_get_strv(users, NULL);
	return g_strv_contains(names, user);
}

/* By logind.conf(5) the excluded users come first, then those who alone are meant, if any are. */
static bool kills_processes_of(const char *user)
{
	g_autoptr(GDBusConnection) bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, NULL);
	if (!bus)
		return false;
	g_autoptr(GVariant) kills = ask(bus, "KillUserProcesses");
	g_autoptr(GVariant) only = ask(bus, "KillOnlyUsers");
	g_autoptr(GVariant) excluded = ask(bus, "KillExcludeUsers");
	bool is_only = only && g_variant_is_of_type(only, G_VARIANT_TYPE_STRING_ARRAY) &&
		       g_variant_n_children(only) > 0;
	return kills && g_variant_is_of_type(kills, G_VARIANT_TYPE_BOOLEAN) &&
	       g_variant_get_boolean(kills) && !is_in(excluded, user) &&
	       (!is_only || is_in(only, user));
}

void logout_warn(void)
{
	g_autofree char *cgroup = NULL;
	if (!g_file_get_contents("/proc/self/cgroup", &cgroup, NULL, NULL))
		return;
	enum logout_place place = logout_find_place(cgroup);
	const char *user = g_get_user_name();
	g_autofree char *file = g_build_filename(LINGER_FOLDER, user, NULL);
	g_autofree char *program = g_find_program_in_path("systemd-run");
	bool kills = place == LOGOUT_SESSION && kills_processes_of(user);
	g_autofree char *words = logout_describe(
		place, kills, g_file_test(file, G_FILE_TEST_EXISTS), program != NULL);
	if (words)
		g_message("%s", words);
}
