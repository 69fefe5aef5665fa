/* SPDX-License-Identifier: MIT */
#include "display/qemu/consoles.h"

#include <glib.h>
#include <string.h>

#include "protocol/keeper_link.h"

#define OUR_TYPES "vhost-user-"

struct console_facts *consoles_get(struct consoles *consoles, uint32_t id)
{
	for (unsigned i = 0; i < consoles->n; i++) {
		if (consoles->all[i].id == id)
			return &consoles->all[i];
	}
	return NULL;
}

void consoles_put(struct consoles *consoles, const struct console_facts *facts)
{
	struct console_facts *known = consoles_get(consoles, facts->id);
	if (known)
		*known = *facts;
	else if (consoles->n < CONSOLES_MAX)
		consoles->all[consoles->n++] = *facts;
}

/* Returns how much of a label is the device's: behind it stands the head's number. */
static size_t device_length(const char *label)
{
	size_t length = strlen(label), digits = 0;
	while (digits < length && g_ascii_isdigit(label[length - digits - 1]))
		digits++;
	bool numbered = digits > 0 && digits < length && label[length - digits - 1] == '.';
	return numbered ? length - digits - 1 : length;
}

static bool is_same_device(const struct console_facts *a, const struct console_facts *b)
{
	if (a->address[0] && b->address[0])
		return strcmp(a->address, b->address) == 0;
	size_t length = device_length(a->label);
	return length == device_length(b->label) && memcmp(a->label, b->label, length) == 0;
}

static bool has_our_name(const struct console_facts *console)
{
	size_t length = device_length(console->label);
	return g_str_has_prefix(console->label, OUR_TYPES) ||
	       (length == strlen(KEEPER_GPU_ID) &&
		       memcmp(console->label, KEEPER_GPU_ID, length) == 0);
}

static int weigh(const struct consoles *consoles, const struct console_facts *console)
{
	bool told = consoles->told_width > 0 && console->width == consoles->told_width &&
		    console->height == consoles->told_height;
	return (told ? 4 : 0) + (has_our_name(console) ? 2 : 0) + (console->refused ? 0 : 1);
}

/* Returns head 0 of the device that is most likely ours; of equals, the first that QEMU made. */
static const struct console_facts *find_ours(const struct consoles *consoles)
{
	const struct console_facts *best = NULL;
	int best_weight = 0;
	for (unsigned i = 0; i < consoles->n; i++) {
		const struct console_facts *console = &consoles->all[i];
		int weight = weigh(consoles, console);
		if (!console->is_graphic || console->head != 0)
			continue;
		if (!best || weight > best_weight ||
			(weight == best_weight && console->id < best->id)) {
			best = console;
			best_weight = weight;
		}
	}
	return best;
}

const struct console_facts *consoles_find(const struct consoles *consoles, uint32_t head)
{
	const struct console_facts *ours = find_ours(consoles);
	if (!ours || head == 0)
		return ours;
	for (unsigned i = 0; i < consoles->n; i++) {
		const struct console_facts *console = &consoles->all[i];
		if (console->is_graphic && console->head == head && is_same_device(console, ours))
			return console;
	}
	return NULL;
}

unsigned consoles_count_heads(const struct consoles *consoles)
{
	unsigned n = 0;
	while (n < CONSOLES_MAX && consoles_find(consoles, n))
		n++;
	return n;
}

const char *consoles_other(const struct consoles *consoles)
{
	const struct console_facts *ours = find_ours(consoles);
	for (unsigned i = 0; ours && i < consoles->n; i++) {
		const struct console_facts *console = &consoles->all[i];
		if (console->is_graphic && console != ours && !is_same_device(console, ours))
			return console->label;
	}
	return NULL;
}
