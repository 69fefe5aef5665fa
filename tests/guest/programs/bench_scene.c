/* SPDX-License-Identifier: MIT */
/*
 * bench-scene SCENE draws one of scene.h's scenes on the screen with OpenGL ES, without a
 * compositor. It shows frame 0, prints "ready WIDTH HEIGHT" on standard output and then does what
 * lines on the virtio port vitrine.bench say, answering each with lines:
 *
 *   time     "time NANOSECONDS": CLOCK_MONOTONIC
 *   go       draws frame after frame; "going"
 *   stop     holds the frame that is shown; "stopped FRAME KEYS"
 *   log      "FRAME KEYS NANOSECONDS" for each frame shown so far, the time before the commit; then
 *            "end"
 *   quit     ends
 *
 * Each key pressed on any keyboard counts: scene typing shows it by a character, gl and world by a
 * strip.
 */
#include <GLES2/gl2.h>
#include <GLES2/gl2ext.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/input.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "counter_layout.h"
#include "kms_output.h"
#include "scene.h"

#define PORT_NAME "vitrine.bench"
#define INPUTS_MAX 8
#define LOG_MAX 65536
#define FLAT_MAX 1024
#define KEYS_KEPT 16

struct vertex {
	float x, y, u, v;
};

struct flat_vertex {
	float x, y, r, g, b;
};

struct log_entry {
	uint32_t frame, keys;
	int64_t ns;
};

struct bench {
	struct kms_output output;
	struct scene scene;
	GLuint textured, masked, flat;
	GLuint ground, discs, desktop, text;
	uint32_t text_lines; /* lines written to the text texture so far */
	uint32_t *pixels;
	int port, inputs[INPUTS_MAX], n_inputs;
	bool running, quit;
	uint32_t frame, keys;
	uint32_t keys_shown[KEYS_KEPT]; /* by flip */
	uint32_t n_flips;
	int64_t next_ns; /* when the next frame is due */
	struct log_entry *log;
	size_t n_log;
	char line[256];
	size_t line_length;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static GLuint program_make(const char *vertex, const char *fragment, const char *second)
{
	const struct {
		GLenum type;
		const char *source;
	} shaders[] = { { GL_VERTEX_SHADER, vertex }, { GL_FRAGMENT_SHADER, fragment } };
	const GLuint program = glCreateProgram();
	GLint linked = 0;

	for (int i = 0; i < 2; i++) {
		const GLuint shader = glCreateShader(shaders[i].type);

		glShaderSource(shader, 1, &shaders[i].source, NULL);
		glCompileShader(shader);
		glAttachShader(program, shader);
	}
	glBindAttribLocation(program, 0, "place");
	glBindAttribLocation(program, 1, second);
	glLinkProgram(program);
	glGetProgramiv(program, GL_LINK_STATUS, &linked);
	if (!linked) {
		fputs("bench-scene: shaders do not link\n", stderr);
		exit(1);
	}
	return program;
}

#define PLACE                                                                                      \
	"gl_Position = vec4(place.x / size.x * 2.0 - 1.0, 1.0 - place.y / size.y * 2.0, 0.0, "     \
	"1.0);"

static void programs_make(struct bench *bench)
{
	static const char textured_vertex[] =
		"attribute vec2 place; attribute vec2 at; uniform vec2 size;"
		"varying highp vec2 where; void main() { where = at; " PLACE " }";

	bench->textured = program_make(textured_vertex,
		"varying highp vec2 where; uniform sampler2D image;"
		"void main() { gl_FragColor = texture2D(image, where); }",
		"at");
	bench->masked = program_make(textured_vertex,
		"varying highp vec2 where; uniform sampler2D image; void main() {"
		" lowp vec4 color = texture2D(image, where); if (color.a < 0.5) discard; "
		"gl_FragColor = color; }",
		"at");
	bench->flat = program_make("attribute vec2 place; attribute vec3 color; uniform vec2 size; "
				   "varying mediump vec3 tint;"
				   "void main() { tint = color; " PLACE " }",
		"varying mediump vec3 tint; void main() { gl_FragColor = vec4(tint, 1.0); }",
		"color");
	const GLuint programs[] = { bench->textured, bench->masked, bench->flat };
	for (int i = 0; i < 3; i++) {
		glUseProgram(programs[i]);
		glUniform2f(glGetUniformLocation(programs[i], "size"), (float)bench->scene.width,
			(float)bench->scene.height);
	}
	glClearColor((float)(SCENE_DESKTOP_COLOR >> 16) / 255.0f,
		(float)(SCENE_DESKTOP_COLOR >> 8 & 255) / 255.0f,
		(float)(SCENE_DESKTOP_COLOR & 255) / 255.0f, 1.0f);
	glEnableVertexAttribArray(0);
	glEnableVertexAttribArray(1);
}

static GLuint texture_make(struct bench *bench, int width, int height, GLint wrap)
{
	GLuint texture;

	glGenTextures(1, &texture);
	glBindTexture(GL_TEXTURE_2D, texture);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, wrap);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, wrap);
	glTexImage2D(GL_TEXTURE_2D, 0, GL_BGRA_EXT, width, height, 0, GL_BGRA_EXT, GL_UNSIGNED_BYTE,
		bench->pixels);
	return texture;
}

static void text_cells(struct bench *bench, uint32_t line, int column, int n)
{
	const int width = n * SCENE_CELL_WIDTH_PX;

	for (int i = 0; i < n; i++)
		scene_fill_cell(&bench->scene, line, column + i, bench->keys,
			bench->pixels + i * SCENE_CELL_WIDTH_PX, (size_t)width);
	glBindTexture(GL_TEXTURE_2D, bench->text);
	glTexSubImage2D(GL_TEXTURE_2D, 0, column * SCENE_CELL_WIDTH_PX,
		(GLint)(line % SCENE_TEXT_LINES) * SCENE_CELL_HEIGHT_PX, width,
		SCENE_CELL_HEIGHT_PX, GL_BGRA_EXT, GL_UNSIGNED_BYTE, bench->pixels);
}

/* Writes the lines that a frame shows and no earlier one did. */
static void text_advance(struct bench *bench)
{
	const uint32_t end = scene_first_line(&bench->scene, bench->frame) +
			     (uint32_t)bench->scene.window.height / SCENE_CELL_HEIGHT_PX;

	for (; bench->text_lines < end; bench->text_lines++)
		text_cells(bench, bench->text_lines, 0, SCENE_COLUMNS);
}

static void textures_make(struct bench *bench)
{
	const struct scene *scene = &bench->scene;
	const int side = SCENE_TEXTURE_PX;

	bench->pixels = calloc((size_t)scene->width * (size_t)scene->height + (size_t)side * side,
		sizeof(uint32_t));
	scene_fill_desktop(scene, bench->pixels);
	bench->desktop = texture_make(bench, scene->width, scene->height, GL_CLAMP_TO_EDGE);
	if (scene->n_discs > 0) {
		scene_fill_ground(scene, bench->pixels);
		bench->ground = texture_make(bench, side, side, GL_REPEAT);
		scene_fill_discs(bench->pixels);
		bench->discs = texture_make(bench, side, side, GL_CLAMP_TO_EDGE);
	}
	if (scene->has_text)
		bench->text = texture_make(bench, side, side, GL_REPEAT);
}

/* Draws a rectangle of the texture, one texel a pixel, with texel u, v in its upper left corner. */
static void quad_draw(
	GLuint texture, struct scene_rect rect, int u, int v, int texture_width, int texture_height)
{
	const float left = (float)rect.x, top = (float)rect.y, right = (float)(rect.x + rect.width),
		    bottom = (float)(rect.y + rect.height);
	const float u0 = (float)u / (float)texture_width, v0 = (float)v / (float)texture_height,
		    u1 = (float)(u + rect.width) / (float)texture_width,
		    v1 = (float)(v + rect.height) / (float)texture_height;
	const struct vertex vertices[4] = { { left, top, u0, v0 }, { right, top, u1, v0 },
		{ left, bottom, u0, v1 }, { right, bottom, u1, v1 } };

	glBindTexture(GL_TEXTURE_2D, texture);
	glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, sizeof(struct vertex), &vertices[0].x);
	glVertexAttribPointer(1, 2, GL_FLOAT, GL_FALSE, sizeof(struct vertex), &vertices[0].u);
	glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
}

static int flat_rect(struct flat_vertex *vertices, int n, struct scene_rect rect, uint32_t color)
{
	const float left = (float)rect.x, top = (float)rect.y, right = (float)(rect.x + rect.width),
		    bottom = (float)(rect.y + rect.height);
	const float places[6][2] = { { left, top }, { right, top }, { left, bottom },
		{ left, bottom }, { right, top }, { right, bottom } };

	for (int i = 0; i < 6 && n < FLAT_MAX; i++)
		vertices[n++] = (struct flat_vertex){ places[i][0], places[i][1],
			(float)(color >> 16 & 255) / 255.0f, (float)(color >> 8 & 255) / 255.0f,
			(float)(color & 255) / 255.0f };
	return n;
}

static void strips_draw(const struct bench *bench)
{
	static struct flat_vertex vertices[FLAT_MAX];
	int n = 0;

	for (int i = 0; i < bench->scene.n_strips; i++) {
		const struct scene_strip *strip = &bench->scene.strips[i];
		const uint32_t value = strip->keys ? bench->keys : bench->frame;
		const struct scene_rect frame = { strip->x - COUNTER_BORDER_PX,
			strip->y - COUNTER_BORDER_PX, COUNTER_WIDTH_PX + 2 * COUNTER_BORDER_PX,
			COUNTER_HEIGHT_PX + 2 * COUNTER_BORDER_PX };

		n = flat_rect(vertices, n, frame, COUNTER_BLACK);
		for (int cell = 0; cell < COUNTER_CELLS; cell++) {
			const struct scene_rect rect = { strip->x + cell * COUNTER_CELL_PX,
				strip->y, COUNTER_CELL_PX, COUNTER_HEIGHT_PX };

			n = flat_rect(vertices, n, rect, counter_cell_color(value, cell));
		}
	}
	glUseProgram(bench->flat);
	glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, sizeof(struct flat_vertex), &vertices[0].x);
	glVertexAttribPointer(1, 3, GL_FLOAT, GL_FALSE, sizeof(struct flat_vertex), &vertices[0].r);
	glDrawArrays(GL_TRIANGLES, 0, n);
}

/* Returns what keys from + 1 .. to changed: their cells, or whole rows. */
static struct scene_rect keys_rect(const struct scene *scene, uint32_t from, uint32_t to)
{
	const struct scene_rect first = scene_key_cell(scene, from + 1),
				last = scene_key_cell(scene, to > from ? to : from + 1);

	if (first.y == last.y)
		return (struct scene_rect){ first.x, first.y, last.x + last.width - first.x,
			first.height };
	return (struct scene_rect){ scene->window.x, first.y, scene->window.width,
		last.y + last.height - first.y };
}

static struct scene_rect damage_since(const struct bench *bench, int age)
{
	if (age <= 0 || age >= KEYS_KEPT || (uint32_t)age > bench->n_flips)
		return (struct scene_rect){ 0, 0, bench->scene.width, bench->scene.height };
	if (bench->scene.kind == SCENE_TYPING)
		return keys_rect(&bench->scene,
			bench->keys_shown[(bench->n_flips - (uint32_t)age) % KEYS_KEPT],
			bench->keys);
	return bench->scene.damage;
}

static void frame_paint(struct bench *bench, struct scene_rect damage)
{
	const struct scene *scene = &bench->scene;
	const struct scene_rect all = { 0, 0, scene->width, scene->height };
	const int side = SCENE_TEXTURE_PX;
	int u, v;

	if (bench->text)
		text_advance(bench);
	glViewport(0, 0, scene->width, scene->height);
	glEnable(GL_SCISSOR_TEST);
	glScissor(damage.x, scene->height - damage.y - damage.height, damage.width, damage.height);
	glUseProgram(bench->textured);
	if (scene->kind == SCENE_GL)
		glClear(GL_COLOR_BUFFER_BIT);
	else if (damage.width == scene->width && scene->kind != SCENE_WORLD)
		quad_draw(bench->desktop, all, 0, 0, scene->width, scene->height);
	if (scene->has_ground) {
		scene_ground_offset(scene, bench->frame, &u, &v);
		quad_draw(bench->ground, scene->window, u, v, side, side);
	}
	glUseProgram(bench->masked);
	for (int i = 0; i < scene->n_discs; i++) {
		const struct scene_disc disc = scene_disc_at(scene, bench->frame, i);
		const struct scene_rect rect = { disc.x, disc.y, SCENE_DISC_PX, SCENE_DISC_PX };

		quad_draw(bench->discs, rect, disc.tile * SCENE_TILE_PX, 0, side, side);
	}
	glUseProgram(bench->textured);
	if (bench->text)
		quad_draw(bench->text, scene->window, 0,
			(int)(scene_first_line(scene, bench->frame) % SCENE_TEXT_LINES) *
				SCENE_CELL_HEIGHT_PX,
			side, side);
	if (scene->n_strips > 0)
		strips_draw(bench);
}

static void frame_show(struct bench *bench)
{
	const struct scene_rect changed = damage_since(bench, 1);
	const int clip[4] = { changed.x, changed.y, changed.x + changed.width,
		changed.y + changed.height };

	frame_paint(bench, damage_since(bench, kms_output_buffer_age(&bench->output)));
	if (bench->n_log < LOG_MAX)
		bench->log[bench->n_log++] =
			(struct log_entry){ bench->frame, bench->keys, now_ns() };
	if (!kms_output_flip(&bench->output, bench->n_flips ? clip : NULL))
		exit(1);
	bench->keys_shown[bench->n_flips++ % KEYS_KEPT] = bench->keys;
}

static void key_pressed(struct bench *bench)
{
	bench->keys++;
	if (bench->scene.kind == SCENE_TYPING)
		text_cells(bench, (bench->keys - 1) / SCENE_COLUMNS,
			(int)((bench->keys - 1) % SCENE_COLUMNS), 1);
}

static void input_read(struct bench *bench, int fd)
{
	struct input_event events[32];
	const ssize_t size = read(fd, events, sizeof(events));

	for (size_t i = 0; size > 0 && i < (size_t)size / sizeof(events[0]); i++) {
		if (events[i].type == EV_KEY && events[i].value == 1 && events[i].code < BTN_MISC)
			key_pressed(bench);
	}
}

static void say(struct bench *bench, const char *text)
{
	const size_t length = strlen(text);

	for (size_t done = 0; done < length;) {
		const ssize_t written = write(bench->port, text + done, length - done);

		if (written < 0)
			return;
		done += (size_t)written;
	}
}

static void say_log(struct bench *bench)
{
	char *text = malloc(48 * bench->n_log + 8), *end = text;

	for (size_t i = 0; i < bench->n_log; i++)
		end += sprintf(end, "%u %u %lld\n", bench->log[i].frame, bench->log[i].keys,
			(long long)bench->log[i].ns);
	strcpy(end, "end\n");
	say(bench, text);
	free(text);
}

static void obey(struct bench *bench, const char *line)
{
	char answer[64] = "";

	if (strcmp(line, "time") == 0) {
		snprintf(answer, sizeof(answer), "time %lld\n", (long long)now_ns());
	} else if (strcmp(line, "go") == 0) {
		bench->running = true;
		bench->next_ns = now_ns();
		strcpy(answer, "going\n");
	} else if (strcmp(line, "stop") == 0) {
		bench->running = false;
		snprintf(answer, sizeof(answer), "stopped %u %u\n", bench->frame, bench->keys);
	} else if (strcmp(line, "log") == 0) {
		say_log(bench);
	} else if (strcmp(line, "quit") == 0) {
		bench->quit = true;
	}
	say(bench, answer);
}

static void port_read(struct bench *bench)
{
	char data[256];
	const ssize_t size = read(bench->port, data, sizeof(data));

	for (ssize_t i = 0; i < size; i++) {
		if (data[i] != '\n') {
			if (bench->line_length < sizeof(bench->line) - 1)
				bench->line[bench->line_length++] = data[i];
			continue;
		}
		bench->line[bench->line_length] = '\0';
		bench->line_length = 0;
		obey(bench, bench->line);
	}
}

static bool port_is_ours(const char *device)
{
	char path[320], name[64] = "";

	snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", device);
	FILE *file = fopen(path, "r");
	const bool found = file && fgets(name, sizeof(name), file) &&
			   strncmp(name, PORT_NAME "\n", sizeof(PORT_NAME)) == 0;
	if (file)
		fclose(file);
	return found;
}

static int port_open(void)
{
	DIR *ports = opendir("/sys/class/virtio-ports");
	char path[320];
	int fd = -1;

	for (struct dirent *entry; ports && fd < 0 && (entry = readdir(ports));) {
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		if (port_is_ours(entry->d_name))
			fd = open(path, O_RDWR | O_CLOEXEC);
	}
	if (ports)
		closedir(ports);
	return fd;
}

static void inputs_open(struct bench *bench)
{
	for (int i = 0; i < INPUTS_MAX; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/dev/input/event%d", i);
		const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0)
			bench->inputs[bench->n_inputs++] = fd;
	}
}

/* Returns how long to sleep before a frame is due, in milliseconds; -1 until something happens. */
static int wait_ms(const struct bench *bench)
{
	if (bench->output.flip_pending || !bench->running || bench->scene.kind >= SCENE_TYPING)
		return -1;
	const int64_t left = bench->next_ns - now_ns();
	return bench->scene.rate && left > 0 ? (int)((left + 999999) / 1000000) : 0;
}

static void frame_if_due(struct bench *bench)
{
	const uint32_t shown = bench->keys_shown[(bench->n_flips - 1) % KEYS_KEPT];

	if (bench->output.flip_pending)
		return;
	if (bench->running && bench->scene.kind < SCENE_TYPING && wait_ms(bench) == 0) {
		bench->next_ns += bench->scene.rate ? 1000000000 / bench->scene.rate : 0;
		bench->frame++;
	} else if (shown == bench->keys || bench->scene.kind == SCENE_STILL) {
		return;
	}
	frame_show(bench);
}

static void bench_run(struct bench *bench)
{
	struct pollfd fds[INPUTS_MAX + 2];

	while (!bench->quit) {
		fds[0] = (struct pollfd){ bench->output.fd, POLLIN, 0 };
		fds[1] = (struct pollfd){ bench->port, POLLIN, 0 };
		for (int i = 0; i < bench->n_inputs; i++)
			fds[2 + i] = (struct pollfd){ bench->inputs[i], POLLIN, 0 };
		poll(fds, (nfds_t)(2 + bench->n_inputs), wait_ms(bench));
		if (fds[0].revents & POLLIN)
			kms_output_dispatch(&bench->output);
		if (fds[1].revents & POLLIN)
			port_read(bench);
		for (int i = 0; i < bench->n_inputs; i++) {
			if (fds[2 + i].revents & POLLIN)
				input_read(bench, bench->inputs[i]);
		}
		frame_if_due(bench);
	}
}

int main(int argc, char **argv)
{
	static struct bench bench;

	if (argc != 2 || !kms_output_open(&bench.output) ||
		!scene_init(&bench.scene, argv[1], bench.output.width, bench.output.height)) {
		fputs("usage: bench-scene gl|world|window|video|scroll|typing|still, on a screen "
		      "large "
		      "enough\n",
			stderr);
		return 2;
	}
	bench.log = calloc(LOG_MAX, sizeof(*bench.log));
	bench.port = port_open();
	if (bench.port < 0) {
		fputs("bench-scene: no virtio port " PORT_NAME "\n", stderr);
		return 1;
	}
	inputs_open(&bench);
	textures_make(&bench);
	programs_make(&bench);
	frame_show(&bench);
	printf("ready %d %d\n", bench.scene.width, bench.scene.height);
	fflush(stdout);
	bench_run(&bench);
	return 0;
}
