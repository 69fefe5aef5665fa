/* SPDX-License-Identifier: MIT */
/* spice-probe's USB devices, shared folder and ports, as a desktop's client lends and has them. */
#include <string.h>

#include "tests/client/probe_call.h"

/* A port channel, or the folder's. */
struct port {
	struct probe *probe;
	SpiceChannel *channel; /* owned reference */
	bool is_up;
	GByteArray *heard;
};

static void port_free(gpointer data)
{
	struct port *port = data;
	g_signal_handlers_disconnect_by_data(port->channel, port);
	g_object_unref(port->channel);
	g_byte_array_unref(port->heard);
	g_free(port);
}

static void on_data(SpicePortChannel *channel, gpointer data, int size, gpointer user)
{
	struct port *port = user;
	g_byte_array_append(port->heard, data, (guint)size);
}

static void on_event(SpiceChannel *channel, SpiceChannelEvent event, gpointer user)
{
	struct port *port = user;
	port->is_up = event == SPICE_CHANNEL_OPENED;
}

void devices_prepare(struct probe *probe)
{
	g_autoptr(GError) error = NULL;
	if (!probe->options.devices)
		return;
	g_object_set(probe->session, "enable-usbredir", TRUE, NULL);
	if (!spice_usb_device_manager_get(probe->session, &error))
		g_printerr("spice-probe: no USB: %s\n", error->message);
}

bool devices_attach(struct probe *probe, SpiceChannel *channel)
{
	if (!probe->options.devices || !SPICE_IS_PORT_CHANNEL(channel))
		return false;
	if (!probe->ports)
		probe->ports = g_ptr_array_new_with_free_func(port_free);
	struct port *port = g_new0(struct port, 1);
	port->probe = probe;
	port->channel = g_object_ref(channel);
	port->heard = g_byte_array_new();
	g_ptr_array_add(probe->ports, port);
	g_signal_connect(channel, "channel-event", G_CALLBACK(on_event), port);
	if (!SPICE_IS_WEBDAV_CHANNEL(channel))
		g_signal_connect(channel, "port-data", G_CALLBACK(on_data), port);
	spice_channel_connect(channel);
	return true;
}

void devices_detach(struct probe *probe)
{
	g_clear_pointer(&probe->ports, g_ptr_array_unref);
}

/* ---- ports ---- */

static bool is_opened(const struct port *port)
{
	gboolean opened = FALSE;
	g_object_get(port->channel, "port-opened", &opened, NULL);
	return port->is_up && opened;
}

static char *name_of(const struct port *port)
{
	char *name = NULL;
	g_object_get(port->channel, "port-name", &name, NULL);
	return name ? name : g_strdup("");
}

static struct port *find_port(const struct probe *probe, const char *wanted)
{
	for (guint i = 0; probe->ports && i < probe->ports->len; i++) {
		struct port *port = probe->ports->pdata[i];
		g_autofree char *name = name_of(port);
		if (port->is_up && strcmp(name, wanted) == 0)
			return port;
	}
	return NULL;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void run_ports(struct call *call)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; call->probe->ports && i < call->probe->ports->len; i++) {
		const struct port *port = call->probe->ports->pdata[i];
		g_autofree char *name = name_of(port);
		if (port->is_up)
			g_ptr_array_add(
				names, g_strconcat(name, is_opened(port) ? "" : ":closed", NULL));
	}
	g_ptr_array_sort(names, compare_names);
	g_ptr_array_add(names, NULL);
	g_autofree char *all = g_strjoinv(",", (char **)names->pdata);
	call_put_text(call, "ports", all);
}

struct awaited_port {
	const struct probe *probe;
	const char *name, *what;
	guint n_bytes;
};

static bool port_is_so(void *user)
{
	const struct awaited_port *awaited = user;
	const struct port *port = find_port(awaited->probe, awaited->name);
	if (strcmp(awaited->what, "gone") == 0)
		return !port;
	return port && (strcmp(awaited->what, "there") == 0 ||
			       is_opened(port) == (strcmp(awaited->what, "open") == 0));
}

static void run_wait_port(struct call *call)
{
	struct awaited_port awaited = { call->probe, call->args[0], call->args[1], 0 };
	if (!probe_wait(call_arg_int(call, 2, 0), port_is_so, &awaited))
		call_fail(call, "timeout");
}

struct writing {
	bool ended;
	GBytes *bytes;
	char *error;
};

static void on_written(GObject *source, GAsyncResult *result, gpointer user)
{
	struct writing *writing = user;
	g_autoptr(GError) error = NULL;
	spice_port_channel_write_finish(SPICE_PORT_CHANNEL(source), result, &error);
	writing->error = error ? g_strdup(error->message) : NULL;
	writing->ended = true;
}

static bool writing_has_ended(void *user)
{
	return ((struct writing *)user)->ended;
}

static void run_port_write(struct call *call)
{
	struct port *port = find_port(call->probe, call->args[0]);
	/* It outlives the call when that does not end in time. */
	struct writing *writing = g_new0(struct writing, 1);
	char *data;
	gsize size;
	if (!port || !g_file_get_contents(call->args[1], &data, &size, NULL)) {
		call_fail(call, "no such port, or file");
		g_free(writing);
		return;
	}
	writing->bytes = g_bytes_new_take(data, size);
	spice_port_channel_write_async(
		SPICE_PORT_CHANNEL(port->channel), data, size, NULL, on_written, writing);
	if (!probe_wait(call_arg_int(call, 2, 0), writing_has_ended, writing))
		call_fail(call, "timeout");
	else if (writing->error)
		call_fail(call, "%s", writing->error);
}

static bool has_heard(void *user)
{
	const struct awaited_port *awaited = user;
	const struct port *port = find_port(awaited->probe, awaited->name);
	return port && port->heard->len >= awaited->n_bytes;
}

static void run_port_read(struct call *call)
{
	struct awaited_port awaited = { call->probe, call->args[0], "",
		(guint)call_arg_int(call, 1, 0) };
	bool in_time = probe_wait(call_arg_int(call, 3, 0), has_heard, &awaited);
	struct port *port = find_port(call->probe, call->args[0]);
	if (!port) {
		call_fail(call, "no such port");
		return;
	}
	if (!in_time)
		call_fail(call, "timeout");
	call_put_int(call, "bytes", port->heard->len);
	if (!g_file_set_contents(
		    call->args[2], (const char *)port->heard->data, (gssize)port->heard->len, NULL))
		call_fail(call, "cannot write %s", call->args[2]);
	g_byte_array_set_size(port->heard, 0);
}

/* ---- a folder ---- */

static void run_share_folder(struct call *call)
{
	bool read_only = call->n_args > 1 && strcmp(call->args[1], "ro") == 0;
	g_object_set(
		call->probe->session, "shared-dir", call->args[0], "share-dir-ro", read_only, NULL);
}

/* ---- USB ---- */

static SpiceUsbDeviceManager *usb_of(struct call *call)
{
	g_autoptr(GError) error = NULL;
	SpiceUsbDeviceManager *usb = spice_usb_device_manager_get(call->probe->session, &error);
	if (!usb)
		call_fail(call, "no USB: %s", error->message);
	return usb;
}

static SpiceUsbDevice *find_cd(SpiceUsbDeviceManager *usb)
{
	g_autoptr(GPtrArray) devices = spice_usb_device_manager_get_devices(usb);
	for (guint i = 0; i < devices->len; i++) {
		if (spice_usb_device_manager_is_device_shared_cd(usb, devices->pdata[i]))
			return devices->pdata[i];
	}
	return NULL;
}

static bool has_cd(void *user)
{
	return find_cd(user) != NULL;
}

static void put_devices(struct call *call, SpiceUsbDeviceManager *usb)
{
	g_autoptr(GPtrArray) devices = spice_usb_device_manager_get_devices(usb);
	int64_t n_connected = 0;
	for (guint i = 0; i < devices->len; i++)
		n_connected += spice_usb_device_manager_is_device_connected(usb, devices->pdata[i]);
	call_put_int(call, "devices", devices->len);
	call_put_int(call, "connected", n_connected);
}

static void run_usb(struct call *call)
{
	SpiceUsbDeviceManager *usb = usb_of(call);
	int free_channels = 0;
	if (!usb)
		return;
	g_object_get(usb, "free-channels", &free_channels, NULL);
	call_put_int(call, "free", free_channels);
	put_devices(call, usb);
	SpiceUsbDevice *cd = find_cd(usb);
	g_autoptr(GError) error = NULL;
	if (cd && !spice_usb_device_manager_can_redirect_device(usb, cd, &error) && error)
		call_put_text(call, "refused", error->message);
}

struct plugging {
	bool ended;
	char *error;
};

static void on_plugged(GObject *source, GAsyncResult *result, gpointer user)
{
	struct plugging *plugging = user;
	g_autoptr(GError) error = NULL;
	if (!spice_usb_device_manager_connect_device_finish(
		    SPICE_USB_DEVICE_MANAGER(source), result, &error))
		plugging->error = g_strdup(error ? error->message : "it was refused");
	plugging->ended = true;
}

static void on_unplugged(GObject *source, GAsyncResult *result, gpointer user)
{
	struct plugging *plugging = user;
	spice_usb_device_manager_disconnect_device_finish(
		SPICE_USB_DEVICE_MANAGER(source), result, NULL);
	plugging->ended = true;
}

static bool plugging_has_ended(void *user)
{
	return ((struct plugging *)user)->ended;
}

static void await_plugging(struct call *call, unsigned time_arg, struct plugging *plugging)
{
	if (!probe_wait(call_arg_int(call, time_arg, 0), plugging_has_ended, plugging))
		call_fail(call, "timeout");
	else if (plugging->error)
		call_fail(call, "%s", plugging->error);
}

static void run_share_cd(struct call *call)
{
	SpiceUsbDeviceManager *usb = usb_of(call);
	g_autoptr(GError) error = NULL;
	if (!usb)
		return;
	if (!find_cd(usb) && !spice_usb_device_manager_create_shared_cd_device(
				     usb, (char *)call->args[0], &error)) {
		call_fail(call, "no CD: %s", error ? error->message : "");
		return;
	}
	/* The library tells itself of it as of a plugged one. */
	probe_wait(call_arg_int(call, 1, 0), has_cd, usb);
	SpiceUsbDevice *cd = find_cd(usb);
	if (!cd) {
		call_fail(call, "there is no CD in time");
		return;
	}
	struct plugging *plugging = g_new0(struct plugging, 1);
	spice_usb_device_manager_connect_device_async(usb, cd, NULL, on_plugged, plugging);
	await_plugging(call, 1, plugging);
}

static void run_unshare_cd(struct call *call)
{
	SpiceUsbDeviceManager *usb = usb_of(call);
	SpiceUsbDevice *cd = usb ? find_cd(usb) : NULL;
	if (!cd) {
		call_fail(call, "no CD");
		return;
	}
	struct plugging *plugging = g_new0(struct plugging, 1);
	spice_usb_device_manager_disconnect_device_async(usb, cd, NULL, on_unplugged, plugging);
	await_plugging(call, 0, plugging);
}

const struct command devices_commands[] = {
	{ "ports", 0, true, run_ports },
	{ "wait-port", 3, true, run_wait_port },
	{ "port-write", 3, true, run_port_write },
	{ "port-read", 4, true, run_port_read },
	{ "share-folder", 1, true, run_share_folder },
	{ "usb", 0, true, run_usb },
	{ "share-cd", 2, true, run_share_cd },
	{ "unshare-cd", 1, true, run_unshare_cd },
	{ NULL },
};
