/* SPDX-License-Identifier: MIT */
/* guest_devices: what --usb-allow and --port say. */
#include "server/desktop/guest_devices.h"

#include <string.h>

static void expect_filter(const char *text, const char *expected)
{
	g_autofree char *filter = NULL;
	g_autofree char *reason = guest_devices_read_usb(text, &filter);
	g_assert_cmpstr(reason, ==, NULL);
	g_assert_cmpstr(filter, ==, expected);
}

static void expect_refusal(char *(*check)(const char *text), const char *text, const char *reason)
{
	g_autofree char *told = check(text);
	if (!told || !strstr(told, reason))
		g_error("\"%s\" is answered by \"%s\", not \"%s\"", text, told, reason);
}

static char *check_usb(const char *text)
{
	return guest_devices_read_usb(text, NULL);
}

static void test_usb(void)
{
	expect_filter("storage", "0x08:-1:-1:-1:1|-1:-1:-1:-1:0");
	expect_filter("E0,1d6B:0104,046d:*",
		"0xE0:-1:-1:-1:1|-1:0x1d6B:0x0104:-1:1|-1:0x046d:-1:-1:1|-1:-1:-1:-1:0");
	static const char *const wrong[] = { "", ",", "storage,", "disk", "8", "008", "0x08",
		"1d6b:", "1d6b:104", "1d6b:01045", "*:0104", "1d6b:0104:1", "1d6b:**", "0g",
		"storage|hid", "storage hid", "-1" };
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++)
		expect_refusal(check_usb, wrong[i], "no rule");
	g_autoptr(GString) many = g_string_new("hid");
	for (unsigned i = 1; i < GUEST_USB_RULES_MAX; i++)
		g_string_append(many, ",hid");
	g_assert_null(check_usb(many->str));
	g_string_append(many, ",hid");
	expect_refusal(check_usb, many->str, "more than");
}

static char *check_ports(const char *text)
{
	return guest_devices_read_ports(text, NULL);
}

static void test_ports(void)
{
	g_auto(GStrv) names = NULL;
	g_assert_null(guest_devices_read_ports("org.example.0,b_-", &names));
	g_assert_cmpuint(g_strv_length(names), ==, 2);
	g_assert_cmpstr(names[0], ==, "org.example.0");
	g_assert_cmpstr(names[1], ==, "b_-");
	expect_refusal(check_ports, "", "1 to 8");
	expect_refusal(check_ports, "a,,b", "a name has");
	expect_refusal(check_ports, "a,", "a name has");
	expect_refusal(check_ports, "a=b", "a name has");
	expect_refusal(check_ports, "../a", "a name has");
	expect_refusal(check_ports, "a,b,a", "twice");
	expect_refusal(check_ports, "com.redhat.spice.0", "agent");
	expect_refusal(check_ports, "org.spice-space.webdav.0", "--share-folder");
	expect_refusal(check_ports, "org.spice-space.stream.0", "none that");
	expect_refusal(check_ports, "org.qemu.console.serial.0", "--serial");
	expect_refusal(check_ports, "org.qemu.monitor.qmp.0", "not free");
	expect_refusal(check_ports, "org.qemu.usbredir", "not free");
	expect_refusal(check_ports, "org.vitrine.lost.0", "not free");
	expect_refusal(check_ports, "a,b,c,d,e,f,g,h,i", "1 to 8");
	g_autofree char *longest = g_strnfill(GUEST_PORT_NAME_MAX_BYTES + 1, 'a');
	expect_refusal(check_ports, longest, "a name has");
	g_assert_null(check_ports(longest + 1));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/guest-devices/usb", test_usb);
	g_test_add_func("/guest-devices/ports", test_ports);
	return g_test_run();
}
