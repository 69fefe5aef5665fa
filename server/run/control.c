/* SPDX-License-Identifier: MIT */
#include "server/run/control.h"

#include <gio/gio.h>
#include <gio/gunixfdlist.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/desktop1.h"
#include "server/desktop/run_dir.h"
#include "server/run/key_names.h"
#include "server/run/limits.h"

#define ERROR_NAME(name) "org.vitrine.Error." name
#define INTERFACE_VERSION 1
#define HOLD_MS 100
#define HAND_OVER_MS 3000

struct control_server {
	struct machine *machine;
	struct control_events events;
	GDBusServer *server;
	GPtrArray *connections;
	VitrineDesktop1 *skeleton;
	GDBusMethodInvocation *handing; /* waits for the keeper's word; NULL: nobody does */
	unsigned handing_late;
};

/* ---- answers ---- */

static gboolean refuse(GDBusMethodInvocation *call, const char *name, const char *text)
{
	g_dbus_method_invocation_return_dbus_error(call, name, text);
	return TRUE;
}

static gboolean refuse_state(GDBusMethodInvocation *call, const struct machine *machine)
{
	g_autofree char *text =
		g_strdup_printf("the machine is %s", machine_state_word(machine->state));
	return refuse(call, ERROR_NAME("WrongState"), text);
}

/* None of the methods that wait for QEMU has anything to say but that it is done. */
static void on_answer(void *user, const char *error)
{
	GDBusMethodInvocation *call = user;
	if (error)
		refuse(call, ERROR_NAME("Refused"), error);
	else
		g_dbus_method_invocation_return_value(call, NULL);
}

static gboolean pass_on(struct control_server *control, GDBusMethodInvocation *call,
	const char *command, const char *arguments)
{
	if (!machine_ask(control->machine, command, arguments, on_answer, call))
		refuse(call, ERROR_NAME("NotReady"), "QEMU does not answer");
	return TRUE;
}

/* ---- methods ---- */

static bool runs(const struct machine *machine)
{
	return machine->state == MACHINE_RUNNING;
}

static gboolean on_pause(VitrineDesktop1 *skeleton, GDBusMethodInvocation *call, gpointer user)
{
	struct control_server *control = user;
	return runs(control->machine) ? pass_on(control, call, "stop", NULL) :
					refuse_state(call, control->machine);
}

static gboolean on_resume(VitrineDesktop1 *skeleton, GDBusMethodInvocation *call, gpointer user)
{
	struct control_server *control = user;
	const struct machine *machine = control->machine;
	if (machine->state == MACHINE_PAUSED)
		return pass_on(control, call, "cont", NULL);
	if (machine->state == MACHINE_SUSPENDED)
		return pass_on(control, call, "system_wakeup", NULL);
	/* Linux' s2idle, of which QEMU knows nothing, ends by a key; this one types nothing. */
	if (runs(machine) && strcmp(machine->driver, "none") == 0)
		return pass_on(control, call, "send-key",
			"{\"keys\":[{\"type\":\"qcode\",\"data\":\"shift\"}]}");
	return refuse_state(call, machine);
}

static gboolean on_reset(VitrineDesktop1 *skeleton, GDBusMethodInvocation *call, gpointer user)
{
	struct control_server *control = user;
	return pass_on(control, call, "system_reset", NULL);
}

static gboolean on_stop(
	VitrineDesktop1 *skeleton, GDBusMethodInvocation *call, guint within_s, gpointer user)
{
	struct control_server *control = user;
	if (within_s > STOP_WITHIN_MAX_S)
		return refuse(call, ERROR_NAME("NotUnderstood"), "within: a day at most");
	vitrine_desktop1_complete_stop(skeleton, call);
	control->events.stop(control->events.user, within_s);
	return TRUE;
}

static char *make_send_key(const char *const *keys, guint hold_ms)
{
	g_autoptr(JsonBuilder) json = json_builder_new();
	json_builder_begin_object(json);
	json_builder_set_member_name(json, "keys");
	json_builder_begin_array(json);
	for (unsigned i = 0; keys[i]; i++) {
		g_autofree char *qcode = key_name_to_qcode(keys[i]);
		if (!qcode)
			return NULL;
		json_builder_begin_object(json);
		json_builder_set_member_name(json, "type");
		json_builder_add_string_value(json, "qcode");
		json_builder_set_member_name(json, "data");
		json_builder_add_string_value(json, qcode);
		json_builder_end_object(json);
	}
	json_builder_end_array(json);
	json_builder_set_member_name(json, "hold-time");
	json_builder_add_int_value(json, hold_ms > 0 ? hold_ms : HOLD_MS);
	json_builder_end_object(json);
	g_autoptr(JsonNode) root = json_builder_get_root(json);
	return json_to_string(root, FALSE);
}

static gboolean on_send_keys(VitrineDesktop1 *skeleton, GDBusMethodInvocation *call,
	const char *const *keys, guint hold_ms, gpointer user)
{
	struct control_server *control = user;
	guint n = g_strv_length((char **)keys);
	g_autofree char *arguments = NULL;
	if (n > 0 && n <= KEY_NAMES_MAX && hold_ms <= KEYS_HOLD_MAX_MS)
		arguments = make_send_key(keys, hold_ms);
	if (!arguments)
		return refuse(call, ERROR_NAME("NotUnderstood"), "these are no keys");
	/* QEMU would take them, and drop them without a word. */
	if (control->machine->state == MACHINE_PAUSED)
		return refuse_state(call, control->machine);
	return pass_on(control, call, "send-key", arguments);
}

static void on_picture(void *user, const char *why, const struct screenshot_answer *answer, int fd)
{
	GDBusMethodInvocation *call = user;
	if (why) {
		refuse(call, ERROR_NAME("NoPicture"), why);
		return;
	}
	g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
	int index = g_unix_fd_list_append(fds, fd, NULL);
	if (index < 0) {
		refuse(call, ERROR_NAME("NoPicture"), "too many files are open");
		return;
	}
	g_dbus_method_invocation_return_value_with_unix_fd_list(
		call, g_variant_new("(huu)", index, answer->width, answer->height), fds);
}

static gboolean on_screenshot(VitrineDesktop1 *skeleton, GDBusMethodInvocation *call,
	GUnixFDList *fds, guint head, gpointer user)
{
	struct control_server *control = user;
	control->events.take_picture(control->events.user, head, on_picture, call);
	return TRUE;
}

/* ---- who drives ---- */

/* Whoever waits for a word of the keeper's is answered once. */
static void answer_hand_over(struct control_server *control, const char *error, const char *text)
{
	GDBusMethodInvocation *call = g_steal_pointer(&control->handing);
	g_clear_handle_id(&control->handing_late, g_source_remove);
	if (!call)
		return;
	if (error)
		refuse(call, error, text);
	else
		vitrine_desktop1_complete_hand_over(control->skeleton, call);
}

static gboolean on_hand_over_late(gpointer user)
{
	struct control_server *control = user;
	control->handing_late = 0;
	answer_hand_over(control, ERROR_NAME("NotReady"), "display does not answer");
	return G_SOURCE_REMOVE;
}

static gboolean on_hand_over(
	VitrineDesktop1 *skeleton, GDBusMethodInvocation *call, const char *client, gpointer user)
{
	struct control_server *control = user;
	if (control->handing)
		return refuse(call, ERROR_NAME("WrongState"), "somebody is being handed over to");
	if (strlen(client) >= KEEPER_CLIENT_NAME_BYTES)
		return refuse(call, ERROR_NAME("NotUnderstood"), "no client is called so");
	if (!control->events.hand_over(control->events.user, client))
		return refuse(call, ERROR_NAME("NotReady"), "the keeper cannot be asked");
	control->handing = call;
	control->handing_late = g_timeout_add(HAND_OVER_MS, on_hand_over_late, control);
	return TRUE;
}

static gboolean on_show(VitrineDesktop1 *skeleton, GDBusMethodInvocation *call, gpointer user)
{
	struct control_server *control = user;
	g_autofree char *json = control->events.show(control->events.user);
	vitrine_desktop1_complete_show(skeleton, call, json);
	return TRUE;
}

/* ---- those who connect ---- */

/* It is called on a thread of GDBus. */
static gboolean on_authorize(
	GDBusAuthObserver *observer, GIOStream *stream, GCredentials *credentials, gpointer user)
{
	uid_t uid = credentials ? g_credentials_get_unix_user(credentials, NULL) : (uid_t)-1;
	return uid == geteuid() || uid == 0;
}

static gboolean on_mechanism(GDBusAuthObserver *observer, const char *mechanism, gpointer user)
{
	return strcmp(mechanism, "EXTERNAL") == 0;
}

static void on_closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer user)
{
	struct control_server *control = user;
	g_dbus_interface_skeleton_unexport_from_connection(
		G_DBUS_INTERFACE_SKELETON(control->skeleton), connection);
	g_signal_handlers_disconnect_by_data(connection, control);
	g_ptr_array_remove(control->connections, connection);
}

static gboolean on_connection(GDBusServer *server, GDBusConnection *connection, gpointer user)
{
	struct control_server *control = user;
	g_autoptr(GError) error = NULL;
	if (control->connections->len == CONTROL_CONNECTIONS_MAX) {
		g_message("control: more than %d want to", CONTROL_CONNECTIONS_MAX);
		return FALSE;
	}
	if (!g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(control->skeleton),
		    connection, CONTROL_OBJECT, &error)) {
		g_warning("control: %s", error->message);
		return FALSE;
	}
	g_ptr_array_add(control->connections, g_object_ref(connection));
	g_signal_connect(connection, "closed", G_CALLBACK(on_closed), control);
	return TRUE;
}

static void make_skeleton(struct control_server *control, const char *name)
{
	static const struct {
		const char *signal;
		GCallback handler;
	} handlers[] = {
		{ "handle-pause", G_CALLBACK(on_pause) },
		{ "handle-resume", G_CALLBACK(on_resume) },
		{ "handle-reset", G_CALLBACK(on_reset) },
		{ "handle-stop", G_CALLBACK(on_stop) },
		{ "handle-send-keys", G_CALLBACK(on_send_keys) },
		{ "handle-screenshot", G_CALLBACK(on_screenshot) },
		{ "handle-hand-over", G_CALLBACK(on_hand_over) },
		{ "handle-show", G_CALLBACK(on_show) },
	};
	control->skeleton = vitrine_desktop1_skeleton_new();
	vitrine_desktop1_set_version(control->skeleton, INTERFACE_VERSION);
	vitrine_desktop1_set_name(control->skeleton, name);
	vitrine_desktop1_set_state(control->skeleton, machine_state_word(control->machine->state));
	vitrine_desktop1_set_driver(control->skeleton, control->machine->driver);
	for (unsigned i = 0; i < G_N_ELEMENTS(handlers); i++)
		g_signal_connect(
			control->skeleton, handlers[i].signal, handlers[i].handler, control);
}

struct control_server *control_create(const char *path, const char *name, struct machine *machine,
	const struct control_events *events, GError **error)
{
	g_assert(events->stop && events->take_picture && events->hand_over && events->show);
	g_autofree char *escaped = g_dbus_address_escape_value(path);
	g_autofree char *address = g_strdup_printf("unix:path=%s", escaped);
	g_autofree char *guid = g_dbus_generate_guid();
	g_autoptr(GDBusAuthObserver) observer = g_dbus_auth_observer_new();
	struct control_server *control = g_new0(struct control_server, 1);
	control->machine = machine;
	control->events = *events;
	control->connections = g_ptr_array_new_with_free_func(g_object_unref);
	make_skeleton(control, name);
	g_signal_connect(observer, "authorize-authenticated-peer", G_CALLBACK(on_authorize), NULL);
	g_signal_connect(observer, "allow-mechanism", G_CALLBACK(on_mechanism), NULL);
	control->server = g_dbus_server_new_sync(
		address, G_DBUS_SERVER_FLAGS_NONE, guid, observer, NULL, error);
	if (!control->server) {
		control_destroy(control);
		return NULL;
	}
	g_signal_connect(control->server, "new-connection", G_CALLBACK(on_connection), control);
	g_dbus_server_start(control->server);
	return control;
}

/* Nobody is waited for: who does not read must not keep a desktop from its end. */
void control_destroy(struct control_server *control)
{
	if (!control)
		return;
	if (control->server)
		g_dbus_server_stop(control->server);
	answer_hand_over(control, ERROR_NAME("NotReady"), "the desktop ends");
	for (guint i = 0; i < control->connections->len; i++) {
		GDBusConnection *connection = g_ptr_array_index(control->connections, i);
		g_signal_handlers_disconnect_by_data(connection, control);
		g_dbus_interface_skeleton_unexport_from_connection(
			G_DBUS_INTERFACE_SKELETON(control->skeleton), connection);
		g_dbus_connection_close(connection, NULL, NULL, NULL);
	}
	g_ptr_array_unref(control->connections);
	g_object_unref(control->skeleton);
	g_clear_object(&control->server);
	g_free(control);
}

void control_tell(struct control_server *control, const char *kind, const char *text)
{
	vitrine_desktop1_set_state(control->skeleton, machine_state_word(control->machine->state));
	vitrine_desktop1_set_driver(control->skeleton, control->machine->driver);
	vitrine_desktop1_emit_event(control->skeleton, kind, text);
}

void control_tell_keeper(struct control_server *control, const struct ticket_event *event)
{
	if (event->kind == TICKET_EVENT_CLIENT_CAME)
		control_tell(control, "client-came", event->text);
	else if (event->kind == TICKET_EVENT_CLIENT_LEFT)
		control_tell(control, "client-left", event->text);
	else if (event->kind == TICKET_EVENT_CLIENT_REFUSED)
		control_tell(control, "client-refused", event->text);
	else if (event->kind == TICKET_EVENT_DEVICE_LATE)
		control_tell(control, "gpu-late", event->text);
	else if (event->kind == TICKET_EVENT_CLIENT_NOT_THERE)
		answer_hand_over(control, ERROR_NAME("NotUnderstood"), event->text);
	if (event->kind != TICKET_EVENT_CLIENT_DRIVES)
		return;
	control_tell(control, "client-drives", event->text);
	answer_hand_over(control, NULL, NULL);
}
