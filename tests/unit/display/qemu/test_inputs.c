/* SPDX-License-Identifier: MIT */
/*
 * inputs: checks that order is kept, that pointers are merged, that what is down is let go, and
 * that no queue grows for ever.
 */
#include "display/qemu/inputs.h"

#include <glib.h>

#include "display/qemu/keymap.h"

static unsigned n_queued;

static void on_queued(void *user)
{
	n_queued++;
}

static struct inputs *inputs_new(bool absolute)
{
	struct inputs *inputs = inputs_create(on_queued, NULL);
	inputs_set_connected(inputs, true);
	inputs_set_absolute(inputs, absolute);
	inputs_set_desktop(inputs, 1920, 1080);
	return inputs;
}

static struct input_event next(struct inputs *inputs)
{
	struct input_event event = { 0 };
	g_assert_true(inputs_next(inputs, &event));
	inputs_answered(inputs);
	return event;
}

static void assert_empty(struct inputs *inputs)
{
	struct input_event event;
	g_assert_false(inputs_next(inputs, &event));
}

static void test_moves_are_merged(void)
{
	struct inputs *inputs = inputs_new(true);
	for (int i = 0; i < 1000; i++)
		inputs_move_to(inputs, i, 2 * i);
	inputs_set_buttons(inputs, 1u << INPUT_BUTTON_LEFT);
	inputs_move_to(inputs, 7, 8);

	struct input_event event = next(inputs);
	g_assert_cmpint(event.kind, ==, INPUT_ABSOLUTE);
	g_assert_cmpint(event.x, ==, 999);
	g_assert_cmpint(event.y, ==, 1079);
	g_assert_cmpuint(event.desktop_width, ==, 1920);
	event = next(inputs);
	g_assert_cmpint(event.kind, ==, INPUT_BUTTON);
	g_assert_true(event.down);
	event = next(inputs);
	g_assert_cmpint(event.x, ==, 7);
	assert_empty(inputs);
	inputs_destroy(inputs);
}

static void test_steps_add_up(void)
{
	struct inputs *inputs = inputs_new(false);
	for (int i = 0; i < 100; i++)
		inputs_move_by(inputs, 1, -2);
	inputs_move_by(inputs, INT32_MAX, INT32_MIN);
	struct input_event event = next(inputs);
	g_assert_cmpint(event.kind, ==, INPUT_RELATIVE);
	g_assert_cmpint(event.x, ==, INT32_MAX);
	g_assert_cmpint(event.y, ==, INT32_MIN);
	assert_empty(inputs);
	inputs_destroy(inputs);
}

/*
 * The guest has a tablet and the client sends steps (there are several heads), so the position is
 * kept here.
 */
static void test_steps_for_absolute(void)
{
	struct inputs *inputs = inputs_new(true);
	inputs_set_position(inputs, 100, 100);
	inputs_move_by(inputs, 5, -7);
	struct input_event event = next(inputs);
	g_assert_cmpint(event.kind, ==, INPUT_ABSOLUTE);
	g_assert_cmpint(event.x, ==, 105);
	g_assert_cmpint(event.y, ==, 93);
	inputs_move_by(inputs, INT32_MIN, INT32_MAX);
	event = next(inputs);
	g_assert_cmpint(event.x, ==, 0);
	g_assert_cmpint(event.y, ==, 1079);
	inputs_destroy(inputs);
}

static void test_buttons_and_wheel(void)
{
	struct inputs *inputs = inputs_new(true);
	inputs_set_buttons(inputs, 1u << INPUT_BUTTON_RIGHT | 1u << INPUT_BUTTON_SIDE);
	inputs_set_buttons(inputs, 1u << INPUT_BUTTON_SIDE);
	inputs_wheel(inputs, -1);
	static const struct {
		uint32_t code;
		bool down;
	} expected[] = {
		{ INPUT_BUTTON_RIGHT, true },
		{ INPUT_BUTTON_SIDE, true },
		{ INPUT_BUTTON_RIGHT, false },
		{ INPUT_BUTTON_WHEEL_UP, true },
		{ INPUT_BUTTON_WHEEL_UP, false },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++) {
		struct input_event event = next(inputs);
		g_assert_cmpint(event.kind, ==, INPUT_BUTTON);
		g_assert_cmpuint(event.code, ==, expected[i].code);
		g_assert_cmpint(event.down, ==, expected[i].down);
	}
	assert_empty(inputs);
	inputs_destroy(inputs);
}

static void test_release_all(void)
{
	struct inputs *inputs = inputs_new(true);
	inputs_scan_code(inputs, 0x1e);
	inputs_scan_code(inputs, 0xe0);
	inputs_scan_code(inputs, 0x48);
	inputs_scan_code(inputs, 0x1f);
	inputs_scan_code(inputs, 0x9f);
	inputs_set_buttons(inputs, 1u << INPUT_BUTTON_LEFT);
	for (int i = 0; i < 5; i++)
		next(inputs);
	inputs_release_all(inputs);
	struct input_event event = next(inputs);
	g_assert_cmphex(event.code, ==, 0x1e);
	g_assert_false(event.down);
	g_assert_cmphex(next(inputs).code, ==, 0xc8);
	event = next(inputs);
	g_assert_cmpint(event.kind, ==, INPUT_BUTTON);
	g_assert_false(event.down);
	inputs_release_all(inputs);
	assert_empty(inputs);
	inputs_destroy(inputs);
}

/* A QEMU that never answers gets no more than a bounded backlog, and nothing stays down. */
static void test_no_answers(void)
{
	struct inputs *inputs = inputs_new(true);
	struct input_event event;
	unsigned taken = 0;
	bool down[KEYMAP_KEYS] = { 0 };
	inputs_scan_code(inputs, 0x2a);
	for (unsigned i = 0; i < 10000; i++)
		inputs_scan_code(inputs, (uint8_t)(0x10 + i % 32 + (i / 32 % 2 ? 0x80 : 0)));
	while (inputs_next(inputs, &event)) {
		taken++;
		g_assert_cmpuint(taken, <=, INPUT_QUEUE_SENT_MAX);
		down[event.code] = event.down;
	}
	g_assert_cmpuint(taken, ==, INPUT_QUEUE_SENT_MAX);
	inputs_release_all(inputs);
	inputs_answered(inputs);
	while (inputs_next(inputs, &event)) {
		inputs_answered(inputs);
		g_assert_cmpuint(++taken, <=, INPUT_QUEUE_MAX + INPUT_QUEUE_SENT_MAX);
		down[event.code] = event.down;
	}
	for (unsigned key = 0; key < KEYMAP_KEYS; key++)
		g_assert_false(down[key]);
	inputs_destroy(inputs);
}

static void test_without_qemu(void)
{
	struct inputs *inputs = inputs_new(true);
	inputs_set_connected(inputs, false);
	inputs_scan_code(inputs, 0x1e);
	inputs_set_buttons(inputs, 1);
	inputs_move_to(inputs, 1, 1);
	assert_empty(inputs);
	inputs_set_connected(inputs, true);
	inputs_release_all(inputs);
	assert_empty(inputs);
	inputs_destroy(inputs);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_log_set_always_fatal(G_LOG_FATAL_MASK);
	g_test_add_func("/inputs/moves-are-merged", test_moves_are_merged);
	g_test_add_func("/inputs/steps-add-up", test_steps_add_up);
	g_test_add_func("/inputs/steps-for-absolute", test_steps_for_absolute);
	g_test_add_func("/inputs/buttons-and-wheel", test_buttons_and_wheel);
	g_test_add_func("/inputs/release-all", test_release_all);
	g_test_add_func("/inputs/no-answers", test_no_answers);
	g_test_add_func("/inputs/without-qemu", test_without_qemu);
	return g_test_run();
}
