/* SPDX-License-Identifier: MIT */
/*
 * This tests the scenes of vitrine-guest-check on this machine's own OpenGL, and the parts of the
 * guest tools that need none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest-tools/bench/measure.h"
#include "guest-tools/check/redact.h"
#include "guest-tools/check/scenes.h"
#include "guest-tools/common/array.h"
#include "guest-tools/common/json.h"

static int n_tests, n_failed;

static void ok(bool good, const char *name)
{
	n_failed += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", ++n_tests, name);
}

static void test_scene(struct gl *gl, const char *name)
{
	static uint32_t pixels[SCENE_SIZE * SCENE_SIZE];
	const struct scene *scene = scene_find(name);
	struct gl_target target;
	char text[128];
	bool drawn = gl_target_init(gl, &target, SCENE_SIZE, SCENE_SIZE) && scene->draw(gl);
	gl->fn.ReadPixels(0, 0, SCENE_SIZE, SCENE_SIZE, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
	gl_target_finish(gl, &target);
	snprintf(text, sizeof text, "scene %s is drawn as expected", name);
	struct scene_result result = scene_compare(scene, pixels);
	ok(drawn && result.n_wrong == 0 && result.n_judged > SCENE_SIZE * SCENE_SIZE / 2, text);
	pixels[12 * SCENE_SIZE + 19] ^= 0x17;
	result = scene_compare(scene, pixels);
	snprintf(text, sizeof text, "scene %s: one wrong pixel is seen", name);
	ok(result.n_wrong == 1 && result.x == 19 && result.y == 12, text);
}

static void test_scenes(void)
{
	static const char *const names[] = { "clear", "triangles", "texture", "blending", "depth",
		"instancing" };
	struct gl gl;
	if (!gl_open(&gl, NULL)) {
		printf("# no OpenGL ES here (%s): scenes are not drawn\n", gl.error);
		gl_close(&gl);
		return;
	}
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		test_scene(&gl, names[i]);
	uint32_t words[256];
	if (gl.is_31) {
		bool right = scene_compute(&gl, words, 256);
		for (uint32_t i = 0; right && i < 256; i++)
			right = words[i] == scene_compute_expected(i);
		ok(right, "compute");
	}
	gl_close(&gl);
}

static void test_redact(void)
{
	static const struct {
		const char *before, *after;
	} rows[] = {
		{ "root=/dev/vda password=hunter2 quiet",
			"root=/dev/vda password=(removed) quiet" },
		{ "Token: abc.def", "Token: (removed)" },
		{ "at 192.168.1.20 and 52:54:00:12:34:56", "at (address) and (address)" },
		{ "fe80::5054:ff:fe12:3456", "(address)" },
		{ "pci 0000:00:02.0 (1af4:1050)", "pci 0000:00:02.0 (1af4:1050)" },
		{ "Mesa 22.3.6, GL 4.3", "Mesa 22.3.6, GL 4.3" },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		char *text = NULL, name[128];
		size_t size;
		FILE *memory = open_memstream(&text, &size);
		redact_write(memory, rows[i].before);
		fclose(memory);
		snprintf(name, sizeof name, "redact: %s", rows[i].before);
		ok(strcmp(text, rows[i].after) == 0, name);
		if (strcmp(text, rows[i].after) != 0)
			printf("# got: %s\n", text);
		free(text);
	}
}

static void test_json(void)
{
	char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);
	struct json json = { .file = memory, .one_line = true };
	json_object(&json, NULL);
	json_string(&json, "a", "quote \" slash \\ line \n bad \xff\xc0\x80 good \xc3\xa4");
	json_array(&json, "b");
	json_integer(&json, NULL, -3);
	json_bool(&json, NULL, true);
	json_string(&json, NULL, NULL);
	json_array_end(&json);
	json_number(&json, "c", 1.0 / 0.0);
	json_object_end(&json);
	fclose(memory);
	ok(strcmp(text, "{\"a\":\"quote \\\" slash \\\\ line \\u000a bad ??? good \xc3\xa4\","
			"\"b\":[-3,true,null],\"c\":null}\n") == 0,
		"json: escapes, bad UTF-8, nesting");
	free(text);
}

/* There are one hundred runs of 1 to 100 ms, the longest first. */
static void test_measurement(void)
{
	struct measurement measurement = { .n_runs = 100 };
	double times_ms[100];
	for (int i = 0; i < 100; i++)
		times_ms[i] = 100 - i;
	measurement_sum_up(&measurement, times_ms, 5.05);
	ok(measurement.done && (int)(measurement.rate * 1000 + 0.5) == 100000, "measurement: rate");
	ok((int)measurement.median_ms == 51 && (int)measurement.p95_ms == 96 &&
			(int)measurement.worst_ms == 100,
		"measurement: median, p95, worst");
	measurement = (struct measurement){ .n_runs = 0 };
	measurement_sum_up(&measurement, times_ms, 1);
	ok(!measurement.done, "measurement: without a run there are no figures");
}

int main(void)
{
	test_json();
	test_measurement();
	test_redact();
	test_scenes();
	printf("1..%d\n", n_tests);
	return n_failed > 0;
}
