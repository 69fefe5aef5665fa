/* SPDX-License-Identifier: MIT */
/*
 * lost_contexts: what went with a renderer is remembered once, whatever the ledger says, and a
 * guest is told it in a line that has no byte of a name's own making, with those that have painted
 * first.
 */
#include <glib.h>
#include <string.h>

#include "protocol/guest_lost.h"
#include "server/keeper/lost_contexts.h"

static struct ledger_memory ledger;
static struct lost_contexts lost;

static void put(unsigned slot, uint32_t id, const char *name, bool has_painted)
{
	struct ledger_context *entry = &ledger.map->contexts[slot];
	*entry = (struct ledger_context){ .id = id, .has_painted = has_painted };
	memcpy(entry->name, name, MIN(strlen(name), sizeof(entry->name)));
}

static void begin(void)
{
	ledger_memory_clear(&ledger);
	lost_contexts_clear(&lost);
}

static void expect(const char *line)
{
	g_autofree char *written = lost_contexts_write(&lost, 7, 2);
	g_assert_cmpstr(written, ==, line);
}

static void test_line(void)
{
	begin();
	put(0, 3, "glxgears", false);
	put(4, 1, "Xorg", true);
	put(9, 8, "a b,c%\n\xff", false);
	put(1023, 9, "", false);
	lost_contexts_add(&lost, &ledger, WORKER_CRASHED);
	ledger_memory_lose_context(&ledger, 3);
	lost_contexts_judge(&lost, &ledger, 3);
	expect("vitrine-lost 1 7 crash 4 2 1,p,Xorg 3,br,glxgears 8,-,a%20b%2cc%25%0a%ff 9,-,\n");
}

static void test_nothing(void)
{
	begin();
	lost_contexts_add(&lost, &ledger, WORKER_HUNG);
	g_assert_cmpuint(lost.n, ==, 0);
	g_assert_null(lost.cause);
}

/* The next renderer may end before it is ready: what it had not made is lost all the same. */
static void test_twice(void)
{
	begin();
	put(0, 1, "sway", true);
	put(1, 2, "foot", false);
	lost_contexts_add(&lost, &ledger, WORKER_GPU_RESET);
	ledger_memory_clear(&ledger);
	put(0, 2, "foot", false);
	put(1, 2, "foot", false);
	lost_contexts_add(&lost, &ledger, WORKER_CRASHED);
	expect("vitrine-lost 1 7 gpu-reset 2 2 1,p,sway 2,-,foot\n");
}

/* One that made place for another, as in an upgrade, has lost them, too. */
static void test_replaced(void)
{
	begin();
	put(0, 1, "sway", true);
	lost_contexts_add(&lost, &ledger, WORKER_REPLACED);
	lost_contexts_judge(&lost, &ledger, 0);
	expect("vitrine-lost 1 7 replaced 1 2 1,p,sway\n");
}

/* One context, that the ledger has, and no other. */
static void test_refused(void)
{
	begin();
	put(0, 1, "sway", true);
	put(3, 7, "foot", false);
	lost_contexts_add_refused(&lost, &ledger, 8);
	g_assert_cmpuint(lost.n, ==, 0);
	g_assert_null(lost.cause);
	lost_contexts_add_refused(&lost, &ledger, 0);
	g_assert_cmpuint(lost.n, ==, 0);
	lost_contexts_add_refused(&lost, &ledger, 7);
	expect("vitrine-lost 1 7 refused 1 2 7,b,foot\n");
}

static void test_room(void)
{
	char name[LEDGER_NAME_BYTES];
	memset(name, ' ', sizeof(name));
	begin();
	for (unsigned i = 0; i < LEDGER_CONTEXTS_MAX; i++) {
		put(i, i + 1, "", i == LEDGER_CONTEXTS_MAX - 1);
		memcpy(ledger.map->contexts[i].name, name, sizeof(name));
	}
	lost_contexts_add(&lost, &ledger, WORKER_ENDED_FROM_OUTSIDE);
	g_autofree char *line = lost_contexts_write(&lost, G_MAXUINT64, G_MAXUINT64);
	g_assert_cmpuint(strlen(line), <=, GUEST_LOST_TEXT_LINE_MAX);
	g_assert_cmpuint(strlen(line), >, GUEST_LOST_TEXT_LINE_MAX - 3 * LEDGER_NAME_BYTES - 10);
	g_assert_nonnull(strstr(line, " killed 1024 18446744073709551615 1024,p,%20%20"));
	g_assert_true(g_str_has_suffix(line, "%20\n"));
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_test_init(&argc, &argv, NULL);
	g_assert_true(ledger_memory_init(&ledger, &error));
	g_test_add_func("/lost-contexts/line", test_line);
	g_test_add_func("/lost-contexts/nothing", test_nothing);
	g_test_add_func("/lost-contexts/twice", test_twice);
	g_test_add_func("/lost-contexts/replaced", test_replaced);
	g_test_add_func("/lost-contexts/refused", test_refused);
	g_test_add_func("/lost-contexts/room", test_room);
	int status = g_test_run();
	ledger_memory_finish(&ledger);
	return status;
}
