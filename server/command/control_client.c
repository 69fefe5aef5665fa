/* SPDX-License-Identifier: MIT */
#include "server/command/control_client.h"

#include "server/desktop/run_dir.h"

struct reaching {
	GDBusConnection *connection;
	GError *error;
	bool is_done;
};

static void on_reached(GObject *source, GAsyncResult *result, gpointer user)
{
	struct reaching *reaching = user;
	reaching->connection = g_dbus_connection_new_for_address_finish(result, &reaching->error);
	reaching->is_done = true;
}

static gboolean on_late(gpointer user)
{
	g_cancellable_cancel(user);
	return G_SOURCE_REMOVE;
}

/* Who listens need not answer: a `vitrine run` that is stopped would be waited for, for ever. */
static GDBusConnection *reach(const char *address, GError **error)
{
	g_autoptr(GMainContext) context = g_main_context_new();
	g_autoptr(GCancellable) cancel = g_cancellable_new();
	g_autoptr(GSource) late = g_timeout_source_new(CONTROL_ANSWER_MS);
	struct reaching reaching = { 0 };
	g_source_set_callback(late, on_late, cancel, NULL);
	g_source_attach(late, context);
	g_main_context_push_thread_default(context);
	g_dbus_connection_new_for_address(address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT,
		NULL, cancel, on_reached, &reaching);
	while (!reaching.is_done)
		g_main_context_iteration(context, TRUE);
	g_main_context_pop_thread_default(context);
	g_source_destroy(late);
	if (g_error_matches(reaching.error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
		g_clear_error(&reaching.error);
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "it does not answer");
	} else if (reaching.error) {
		g_propagate_error(error, reaching.error);
	}
	return reaching.connection;
}

VitrineDesktop1 *control_client_connect(const char *name, GError **error)
{
	g_autofree char *base = run_dir_base();
	g_autofree char *path = g_build_filename(base, name, CONTROL_SOCKET_FILE, NULL);
	g_autofree char *escaped = g_dbus_address_escape_value(path);
	g_autofree char *address = g_strdup_printf("unix:path=%s", escaped);
	g_autoptr(GDBusConnection) connection = reach(address, error);
	if (!connection)
		return NULL;
	VitrineDesktop1 *desktop = vitrine_desktop1_proxy_new_sync(connection,
		G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES |
			G_DBUS_PROXY_FLAGS_DO_NOT_CONNECT_SIGNALS,
		NULL, CONTROL_OBJECT, NULL, error);
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
