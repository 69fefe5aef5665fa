/* SPDX-License-Identifier: MIT */
/*
 * spice-probe's keys and pointer. Scan codes are PC set 1; the library wants 0x100 instead of an e0
 * prefix.
 */
#include <string.h>

#include "tests/client/probe.h"

#define SCANCODE_SHIFT 0x2a
#define SCANCODE_EXTENDED 0x100
#define CHORD_MAX 8

/* Gives the characters of each key, as printed on a US keyboard, without and with Shift. */
static const struct {
	uint8_t scancode;
	char plain, shifted;
} us_keys[] = {
	{ 0x02, '1', '!' },
	{ 0x03, '2', '@' },
	{ 0x04, '3', '#' },
	{ 0x05, '4', '$' },
	{ 0x06, '5', '%' },
	{ 0x07, '6', '^' },
	{ 0x08, '7', '&' },
	{ 0x09, '8', '*' },
	{ 0x0a, '9', '(' },
	{ 0x0b, '0', ')' },
	{ 0x0c, '-', '_' },
	{ 0x0d, '=', '+' },
	{ 0x10, 'q', 'Q' },
	{ 0x11, 'w', 'W' },
	{ 0x12, 'e', 'E' },
	{ 0x13, 'r', 'R' },
	{ 0x14, 't', 'T' },
	{ 0x15, 'y', 'Y' },
	{ 0x16, 'u', 'U' },
	{ 0x17, 'i', 'I' },
	{ 0x18, 'o', 'O' },
	{ 0x19, 'p', 'P' },
	{ 0x1a, '[', '{' },
	{ 0x1b, ']', '}' },
	{ 0x1e, 'a', 'A' },
	{ 0x1f, 's', 'S' },
	{ 0x20, 'd', 'D' },
	{ 0x21, 'f', 'F' },
	{ 0x22, 'g', 'G' },
	{ 0x23, 'h', 'H' },
	{ 0x24, 'j', 'J' },
	{ 0x25, 'k', 'K' },
	{ 0x26, 'l', 'L' },
	{ 0x27, ';', ':' },
	{ 0x28, '\'', '"' },
	{ 0x29, '`', '~' },
	{ 0x2b, '\\', '|' },
	{ 0x2c, 'z', 'Z' },
	{ 0x2d, 'x', 'X' },
	{ 0x2e, 'c', 'C' },
	{ 0x2f, 'v', 'V' },
	{ 0x30, 'b', 'B' },
	{ 0x31, 'n', 'N' },
	{ 0x32, 'm', 'M' },
	{ 0x33, ',', '<' },
	{ 0x34, '.', '>' },
	{ 0x35, '/', '?' },
	{ 0x39, ' ', ' ' },
	{ 0x1c, '\n', 0 },
	{ 0x0f, '\t', 0 },
	{ 0x0e, '\b', 0 },
	{ 0x01, '\033', 0 },
};

static void key_send(struct probe *probe, unsigned scancode, bool press)
{
	if (press)
		spice_inputs_channel_key_press(probe->inputs, scancode);
	else
		spice_inputs_channel_key_release(probe->inputs, scancode);
	probe_wait(probe->options.key_interval_ms, NULL, NULL);
}

static unsigned scancode_parse(const char *text)
{
	char *end;
	unsigned long code = strtoul(text, &end, 16);

	if (*text == '\0' || *end != '\0')
		return 0;
	if ((code & ~0x7ful) == 0xe000)
		return SCANCODE_EXTENDED | (code & 0x7f);
	return code < 0x200 ? code : 0;
}

/* Returns the number of keys, or 0 when the chord cannot be read. */
static unsigned chord_parse(const char *chord, unsigned codes[CHORD_MAX])
{
	g_auto(GStrv) parts = g_strsplit(chord, "+", CHORD_MAX + 1);
	unsigned n = 0;

	for (; parts[n]; n++) {
		if (n == CHORD_MAX || !(codes[n] = scancode_parse(parts[n])))
			return 0;
	}
	return n;
}

bool inputs_press(struct probe *probe, const char *chord, bool press)
{
	unsigned codes[CHORD_MAX], n = chord_parse(chord, codes);

	for (unsigned i = 0; i < n; i++)
		key_send(probe, codes[press ? i : n - 1 - i], press);
	return n > 0;
}

bool inputs_key(struct probe *probe, const char *chord)
{
	return inputs_press(probe, chord, true) && inputs_press(probe, chord, false);
}

static bool type_character(struct probe *probe, char character)
{
	for (size_t i = 0; i < G_N_ELEMENTS(us_keys); i++) {
		bool shift = us_keys[i].plain != character;

		if (shift && us_keys[i].shifted != character)
			continue;
		if (shift)
			key_send(probe, SCANCODE_SHIFT, true);
		key_send(probe, us_keys[i].scancode, true);
		key_send(probe, us_keys[i].scancode, false);
		if (shift)
			key_send(probe, SCANCODE_SHIFT, false);
		return true;
	}
	return false;
}

bool inputs_type(struct probe *probe, const char *text)
{
	for (; *text; text++) {
		if (!connection_is_open(probe) || !type_character(probe, *text))
			return false;
	}
	return true;
}

void inputs_move(struct probe *probe, int x, int y, int display_id)
{
	spice_inputs_channel_position(probe->inputs, x, y, display_id, probe->button_state);
}

void inputs_motion(struct probe *probe, int dx, int dy)
{
	spice_inputs_channel_motion(probe->inputs, dx, dy, probe->button_state);
}

void inputs_button(struct probe *probe, int button, bool press)
{
	int mask = button ? 1 << (button - 1) : 0;

	if (press) {
		probe->button_state |= mask;
		spice_inputs_channel_button_press(probe->inputs, button, probe->button_state);
	} else {
		probe->button_state &= ~mask;
		spice_inputs_channel_button_release(probe->inputs, button, probe->button_state);
	}
}

int inputs_leds(const struct probe *probe)
{
	int leds = -1;

	if (probe->inputs)
		g_object_get(probe->inputs, "key-modifiers", &leds, NULL);
	return leds;
}
