/* SPDX-License-Identifier: MIT */
#include "server/desktop/guest_devices.h"

#include <stdbool.h>
#include <string.h>

#include "protocol/guest_ports.h"

/* These are the USB-IF's, as far as people have a word for what they plug in. */
static const struct {
	const char *name, *code;
} classes[] = {
	{ "audio", "01" },
	{ "hid", "03" },
	{ "camera", "06" },
	{ "printer", "07" },
	{ "storage", "08" },
	{ "smartcard", "0b" },
	{ "video", "0e" },
	{ "wireless", "e0" },
};

static bool is_hex(const char *text, size_t n_digits)
{
	if (strlen(text) != n_digits)
		return false;
	for (size_t i = 0; i < n_digits; i++) {
		if (!g_ascii_isxdigit(text[i]))
			return false;
	}
	return true;
}

static const char *class_code(const char *text)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(classes); i++) {
		if (strcmp(text, classes[i].name) == 0)
			return classes[i].code;
	}
	return is_hex(text, 2) ? text : NULL;
}

/* Fields are class, vendor, product, version and whether it is allowed; -1 is any. */
static bool add_rule(GString *filter, const char *text)
{
	const char *code = class_code(text);
	if (code) {
		g_string_append_printf(filter, "0x%s:-1:-1:-1:1|", code);
		return true;
	}
	g_auto(GStrv) parts = g_strsplit(text, ":", 3);
	if (g_strv_length(parts) != 2 || !is_hex(parts[0], 4))
		return false;
	bool any = strcmp(parts[1], "*") == 0;
	if (!any && !is_hex(parts[1], 4))
		return false;
	g_string_append_printf(
		filter, "-1:0x%s:%s%s:-1:1|", parts[0], any ? "" : "0x", any ? "-1" : parts[1]);
	return true;
}

static char *describe_classes(void)
{
	g_autoptr(GString) all = g_string_new(NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(classes); i++)
		g_string_append_printf(all, "%s, ", classes[i].name);
	return g_strdup_printf("no rule: %stwo hexadecimal digits of a class, or VENDOR:PRODUCT as "
			       "1d6b:0104 or 1d6b:*",
		all->str);
}

char *guest_devices_read_usb(const char *text, char **filter)
{
	g_auto(GStrv) rules = g_strsplit(text, ",", -1);
	g_autoptr(GString) all = g_string_new(NULL);
	if (g_strv_length(rules) > GUEST_USB_RULES_MAX)
		return g_strdup_printf("more than %d rules", GUEST_USB_RULES_MAX);
	for (unsigned i = 0; rules[i]; i++) {
		if (!add_rule(all, rules[i]))
			return describe_classes();
	}
	if (all->len == 0)
		return describe_classes();
	g_string_append(all, "-1:-1:-1:-1:0");
	if (filter)
		*filter = g_strdup(all->str);
	return NULL;
}

/* ---- ports ---- */

static const struct {
	const char *name;
	const char *reason;
} taken[] = {
	{ GUEST_AGENT_PORT, "is the agent's, which is always there" },
	{ GUEST_FOLDER_PORT, "is what --share-folder makes" },
	{ GUEST_CONSOLE_PORT, "is what --serial=client makes" },
	{ GUEST_STREAM_PORT, "is none that clients can have" },
};

static const char *const taken_prefixes[] = { GUEST_MONITOR_PORTS, GUEST_OWN_PORTS,
	GUEST_USB_PORT };

static char *check_name(const char *name)
{
	size_t n = strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-");
	if (n == 0 || name[n] != '\0' || n > GUEST_PORT_NAME_MAX_BYTES)
		return g_strdup_printf("a name has letters, digits, \".\", \"-\", \"_\", at most "
				       "%d",
			GUEST_PORT_NAME_MAX_BYTES);
	for (unsigned i = 0; i < G_N_ELEMENTS(taken); i++) {
		if (strcmp(name, taken[i].name) == 0)
			return g_strdup_printf("%s %s", name, taken[i].reason);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(taken_prefixes); i++) {
		if (g_str_has_prefix(name, taken_prefixes[i]))
			return g_strdup_printf(
				"names that begin with %s are not free", taken_prefixes[i]);
	}
	return NULL;
}

char *guest_devices_read_ports(const char *text, char ***names)
{
	g_auto(GStrv) all = g_strsplit(text, ",", -1);
	unsigned n = g_strv_length(all);
	if (n == 0 || n > GUEST_NAMED_PORTS_MAX)
		return g_strdup_printf("1 to %d names", GUEST_NAMED_PORTS_MAX);
	for (unsigned i = 0; i < n; i++) {
		char *reason = check_name(all[i]);
		for (unsigned j = 0; j < i && !reason; j++) {
			if (strcmp(all[i], all[j]) == 0)
				reason = g_strdup_printf("%s stands there twice", all[i]);
		}
		if (reason)
			return reason;
	}
	if (names)
		*names = g_steal_pointer(&all);
	return NULL;
}
