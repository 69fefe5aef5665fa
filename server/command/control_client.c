/* SPDX-License-Identifier: MIT */
#include "server/command/control_client.h"

#include "server/desktop/run_dir.h"

VitrineDesktop1 *control_client_connect(const char *name, GError **error)
{
	g_autofree char *base = run_dir_base();
	g_autofree char *path = g_build_filename(base, name, CONTROL_SOCKET_FILE, NULL);
	g_autofree char *escaped = g_dbus_address_escape_value(path);
	g_autofree char *address = g_strdup_printf("unix:path=%s", escaped);
	g_autoptr(GDBusConnection) connection = g_dbus_connection_new_for_address_sync(
		address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL, NULL, error);
	if (!connection)
		return NULL;
	VitrineDesktop1 *desktop = vitrine_desktop1_proxy_new_sync(
		connection, G_DBUS_PROXY_FLAGS_NONE, NULL, CONTROL_OBJECT, NULL, error);
	if (desktop)
		g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(desktop), CONTROL_ANSWER_MS);
	return desktop;
}

enum exit_code control_client_failed(const char *name, GError *error)
{
	static const struct {
		const char *name;
		enum exit_code code;
	} rows[] = {
		{ "org.vitrine.Error.NotUnderstood", EXIT_CODE_USAGE },
		{ "org.vitrine.Error.WrongState", EXIT_CODE_WRONG_STATE },
		{ "org.vitrine.Error.Refused", EXIT_CODE_FAILED },
		{ "org.vitrine.Error.NoPicture", EXIT_CODE_FAILED },
		{ "org.vitrine.Error.NotReady", EXIT_CODE_NOT_ANSWERED },
	};
	g_autofree char *remote = g_dbus_error_get_remote_error(error);
	g_dbus_error_strip_remote_error(error);
	g_warning("%s: %s", name, error->message);
	for (unsigned i = 0; remote && i < G_N_ELEMENTS(rows); i++) {
		if (g_strcmp0(remote, rows[i].name) == 0)
			return rows[i].code;
	}
	return EXIT_CODE_NOT_ANSWERED;
}
