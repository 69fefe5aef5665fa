/* SPDX-License-Identifier: MIT */
/* consoles: tests which of QEMU's consoles are found to be ours. */
#include "display/qemu/consoles.h"

#include <glib.h>
#include <string.h>

static void put(struct consoles *consoles, uint32_t id, const char *label, const char *address,
	uint32_t head, uint32_t width, uint32_t height)
{
	struct console_facts facts = {
		.id = id, .is_graphic = true, .head = head, .width = width, .height = height
	};
	g_strlcpy(facts.label, label, sizeof(facts.label));
	g_strlcpy(facts.address, address, sizeof(facts.address));
	consoles_put(consoles, &facts);
}

static uint32_t ours(const struct consoles *consoles, uint32_t head)
{
	const struct console_facts *found = consoles_find(consoles, head);
	g_assert_nonnull(found);
	return found->id;
}

static void test_alone(void)
{
	struct consoles consoles = { 0 };
	g_assert_cmpuint(consoles_count_heads(&consoles), ==, 0);
	g_assert_null(consoles_find(&consoles, 0));
	put(&consoles, 3, "anything", "", 0, 640, 480);
	g_assert_cmpuint(ours(&consoles, 0), ==, 3);
	g_assert_cmpuint(consoles_count_heads(&consoles), ==, 1);
	g_assert_null(consoles_find(&consoles, 1));
	g_assert_null(consoles_other(&consoles));
}

/* As QEMU 10 labels them, with an id and without. */
static void test_by_name(void)
{
	static const char *const names[] = { "vitrine-gpu", "vhost-user-gpu-pci",
		"vhost-user-vga" };
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		struct consoles consoles = { 0 };
		g_autofree char *first = g_strdup_printf("%s.0", names[i]);
		g_autofree char *second = g_strdup_printf("%s.1", names[i]);
		put(&consoles, 0, "VGA", "pci/0000/01.0", 0, 640, 480);
		put(&consoles, 1, first, "pci/0000/02.0", 0, 640, 480);
		put(&consoles, 2, second, "pci/0000/02.0", 1, 640, 480);
		g_assert_cmpuint(ours(&consoles, 0), ==, 1);
		g_assert_cmpuint(ours(&consoles, 1), ==, 2);
		g_assert_cmpuint(consoles_count_heads(&consoles), ==, 2);
		g_assert_cmpstr(consoles_other(&consoles), ==, "VGA");
	}
	struct consoles consoles = { 0 };
	put(&consoles, 0, "vitrine-gpu2", "", 0, 640, 480);
	put(&consoles, 1, "vitrine-gpu", "", 0, 640, 480);
	g_assert_cmpuint(ours(&consoles, 0), ==, 1);
}

/* A text console is a serial port or the monitor. */
static void test_text(void)
{
	struct consoles consoles = { 0 };
	put(&consoles, 0, "vhost-user-gpu", "", 0, 640, 480);
	consoles_get(&consoles, 0)->is_graphic = false;
	put(&consoles, 1, "video0", "", 0, 640, 480);
	g_assert_cmpuint(ours(&consoles, 0), ==, 1);
	g_assert_null(consoles_other(&consoles));
}

/* The user has named the device: only a refusal or the size tells. */
static void test_named_by_user(void)
{
	struct consoles consoles = { .told_width = 3840, .told_height = 2160 };
	put(&consoles, 0, "video0", "pci/0000/01.0", 0, 640, 480);
	put(&consoles, 1, "video1.0", "pci/0000/02.0", 0, 640, 480);
	put(&consoles, 2, "video1.1", "pci/0000/02.0", 1, 640, 480);
	g_assert_cmpuint(ours(&consoles, 0), ==, 0);
	consoles_get(&consoles, 0)->refused = true;
	g_assert_cmpuint(ours(&consoles, 0), ==, 1);
	consoles_get(&consoles, 0)->refused = false;
	g_assert_cmpuint(ours(&consoles, 0), ==, 0);
	put(&consoles, 1, "video1.0", "pci/0000/02.0", 0, 3840, 2160);
	g_assert_cmpuint(ours(&consoles, 0), ==, 1);
	g_assert_cmpuint(ours(&consoles, 1), ==, 2);
	g_assert_cmpstr(consoles_other(&consoles), ==, "video0");
	/* The size is stronger than a name that somebody else has chosen, too. */
	put(&consoles, 0, "vitrine-gpu", "pci/0000/01.0", 0, 640, 480);
	g_assert_cmpuint(ours(&consoles, 0), ==, 1);
}

/* Without addresses (QEMU before 7.1) labels tell who belongs together. */
static void test_without_addresses(void)
{
	struct consoles consoles = { 0 };
	put(&consoles, 0, "a.1.0", "", 0, 640, 480);
	put(&consoles, 1, "a.2.0", "", 0, 640, 480);
	put(&consoles, 2, "a.2.1", "", 1, 640, 480);
	g_assert_cmpuint(consoles_count_heads(&consoles), ==, 1);
	consoles_get(&consoles, 0)->refused = true;
	g_assert_cmpuint(consoles_count_heads(&consoles), ==, 2);
}

static void test_too_many(void)
{
	struct consoles consoles = { 0 };
	for (uint32_t i = 0; i < 2 * CONSOLES_MAX; i++)
		put(&consoles, i, "x", "", i, 1, 1);
	g_assert_cmpuint(consoles.n, ==, CONSOLES_MAX);
	g_assert_cmpuint(consoles_count_heads(&consoles), ==, CONSOLES_MAX);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/consoles/alone", test_alone);
	g_test_add_func("/consoles/by-name", test_by_name);
	g_test_add_func("/consoles/text", test_text);
	g_test_add_func("/consoles/named-by-user", test_named_by_user);
	g_test_add_func("/consoles/without-addresses", test_without_addresses);
	g_test_add_func("/consoles/too-many", test_too_many);
	return g_test_run();
}
