/* SPDX-License-Identifier: MIT */
#include "server/run/qemu_ports.h"

#include "protocol/guest_ports.h"
#include "server/desktop/guest_devices.h"

static void add_pair(GPtrArray *argv, const char *option, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

static void add_pair(GPtrArray *argv, const char *option, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_ptr_array_add(argv, g_strdup(option));
	g_ptr_array_add(argv, g_strdup_vprintf(format, args));
	va_end(args);
}

/*
 * In QEMU's D-Bus display the id becomes part of a path: QEMU 10.0 does not survive one with a "-"
 * in it.
 */
static void add_port(GPtrArray *argv, const char *bus, const char *id, const char *name)
{
	add_pair(argv, "-chardev", "dbus,id=%s,name=%s", id, name);
	add_pair(argv, "-device", "virtserialport,bus=%s.0,chardev=%s,name=%s", bus, id, name);
}

static void add_named_ports(GPtrArray *argv, const struct desktop *o, const char *bus)
{
	g_auto(GStrv) names = NULL;
	g_free(guest_devices_read_ports(o->ports, &names));
	for (unsigned i = 0; names && names[i]; i++) {
		g_autofree char *id = g_strdup_printf("vitrine_port%u", i);
		add_port(argv, bus, id, names[i]);
	}
}

/*
 * A device of a client's is plugged when the client says so, into a controller that takes USB 2 and
 * 3. QEMU itself compares the devices with the rules, and tells clients of them. Where one port
 * were free it would make a hub for it.
 */
static void add_usb(GPtrArray *argv, const struct desktop *o)
{
	g_autofree char *filter = NULL;
	if (o->usb_allow)
		g_free(guest_devices_read_usb(o->usb_allow, &filter));
	unsigned n_plugs = o->n_usb + 1;
	add_pair(argv, "-device", "qemu-xhci,id=vitrine-usb,p2=%u,p3=%u", n_plugs, n_plugs);
	for (unsigned i = 0; i < o->n_usb; i++) {
		add_pair(
			argv, "-chardev", "dbus,id=vitrine_usb%u,name=" GUEST_USB_PORT ".%u", i, i);
		add_pair(argv, "-device", "usb-redir,bus=vitrine-usb.0,chardev=vitrine_usb%u%s%s",
			i, filter ? ",filter=" : "", filter ? filter : "");
	}
}

void qemu_add_ports(GPtrArray *argv, const struct desktop *o, const char *bus)
{
	add_port(argv, bus, "vitrine_agent", GUEST_AGENT_PORT);
	if (o->share_folder)
		add_port(argv, bus, "vitrine_folder", GUEST_FOLDER_PORT);
	if (o->ports)
		add_named_ports(argv, o, bus);
	if (o->n_usb > 0)
		add_usb(argv, o);
}

void qemu_add_client_serial(GPtrArray *argv, const char *log)
{
	add_pair(argv, "-chardev", "dbus,id=vitrine_serial,name=" GUEST_CONSOLE_PORT ",logfile=%s",
		log);
	add_pair(argv, "-serial", "chardev:vitrine_serial");
}
