/* SPDX-License-Identifier: MIT */
/*
 * frame-counter [--size WIDTHxHEIGHT] [--fullscreen] [--frames N] [--still]: a Wayland client that
 * draws with OpenGL ES a moving scene, the counter strips and the colour bars of counter_layout.h.
 * It prints its GL renderer at the start and, each hundred frames, the counter. --frames ends it
 * after N frames; --still has it draw one frame and then wait.
 */
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wayland-client.h>
#include <wayland-egl.h>

#include "counter_layout.h"
#include "xdg-shell-client-protocol.h"

#define VERTICES_MAX 2048
#define SPOKES 7

struct window {
	struct wl_display *display;
	struct wl_compositor *compositor;
	struct xdg_wm_base *shell;
	struct wl_surface *surface;
	struct xdg_surface *xdg_surface;
	struct xdg_toplevel *toplevel;
	struct wl_egl_window *native;
	EGLDisplay egl;
	EGLSurface egl_surface;
	int width, height;
	bool configured, closed, fullscreen, still;
	long frames; /* to draw; -1: for ever */
};

/* Holds one frame's geometry, in pixels from the window's upper left corner. */
struct vertex {
	float x, y, r, g, b;
};

struct geometry {
	struct vertex vertices[VERTICES_MAX];
	int n;
};

static const char vertex_source[] =
	"attribute vec2 place; attribute vec3 color; uniform vec2 size; varying vec3 tint;"
	"void main() { tint = color; gl_Position = vec4(place.x / size.x * 2.0 - 1.0,"
	" 1.0 - place.y / size.y * 2.0, 0.0, 1.0); }";
static const char fragment_source[] = "precision mediump float; varying vec3 tint; void main() { "
				      "gl_FragColor = vec4(tint, 1.0); }";

static void geometry_vertex(struct geometry *geometry, float x, float y, uint32_t color)
{
	if (geometry->n < VERTICES_MAX)
		geometry->vertices[geometry->n++] = (struct vertex){ x, y,
			(float)(color >> 16 & 0xff) / 255.0f, (float)(color >> 8 & 0xff) / 255.0f,
			(float)(color & 0xff) / 255.0f };
}

static void geometry_rect(
	struct geometry *geometry, int x, int y, int width, int height, uint32_t color)
{
	const float left = (float)x, top = (float)y, right = (float)(x + width),
		    bottom = (float)(y + height);

	geometry_vertex(geometry, left, top, color);
	geometry_vertex(geometry, right, top, color);
	geometry_vertex(geometry, left, bottom, color);
	geometry_vertex(geometry, left, bottom, color);
	geometry_vertex(geometry, right, top, color);
	geometry_vertex(geometry, right, bottom, color);
}

/* Adds the strip with its first cell at x, y and its black frame around it. */
static void geometry_strip(struct geometry *geometry, int x, int y, uint32_t value)
{
	geometry_rect(geometry, x - COUNTER_BORDER_PX, y - COUNTER_BORDER_PX,
		COUNTER_WIDTH_PX + 2 * COUNTER_BORDER_PX, COUNTER_HEIGHT_PX + 2 * COUNTER_BORDER_PX,
		COUNTER_BLACK);
	for (int cell = 0; cell < COUNTER_CELLS; cell++)
		geometry_rect(geometry, x + cell * COUNTER_CELL_PX, y, COUNTER_CELL_PX,
			COUNTER_HEIGHT_PX, counter_cell_color(value, cell));
}

static void geometry_bars(struct geometry *geometry, int x, int y)
{
	for (int bar = 0; bar < COUNTER_BARS; bar++)
		geometry_rect(geometry, x + bar * COUNTER_BAR_WIDTH_PX, y + COUNTER_BAR_OFFSET_Y_PX,
			COUNTER_BAR_WIDTH_PX, COUNTER_BAR_HEIGHT_PX, counter_bar_colors[bar]);
}

/* Adds a wheel of coloured triangles, a step further with each frame. */
static void geometry_wheel(struct geometry *geometry, int width, int height, uint32_t value)
{
	static const uint32_t colors[SPOKES] = { 0xe6194b, 0xf58231, 0xffe119, 0x3cb44b, 0x42d4f4,
		0x4363d8, 0x911eb4 };
	const float x = (float)width / 2, y = (float)height / 2 + 24,
		    radius = (float)height / 2 - 70;

	for (int spoke = 0; spoke < SPOKES; spoke++) {
		const float angle = (float)(value % 720) * (float)M_PI / 120 +
				    (float)spoke * 2 * (float)M_PI / SPOKES;

		geometry_vertex(geometry, x, y, 0xffffff);
		geometry_vertex(geometry, x + radius * cosf(angle), y + radius * sinf(angle),
			colors[spoke]);
		geometry_vertex(geometry, x + radius * cosf(angle + 0.6f),
			y + radius * sinf(angle + 0.6f), colors[spoke]);
	}
}

static void window_draw(struct window *window, GLint size_location, uint32_t value)
{
	static struct geometry geometry;
	const int left = COUNTER_BORDER_PX;

	geometry.n = 0;
	geometry_wheel(&geometry, window->width, window->height, value);
	geometry_strip(&geometry, left, COUNTER_BORDER_PX, value);
	geometry_bars(&geometry, left, COUNTER_BORDER_PX);
	geometry_strip(
		&geometry, left, window->height - COUNTER_BORDER_PX - COUNTER_HEIGHT_PX, value);

	glViewport(0, 0, window->width, window->height);
	glClearColor(0.1f, 0.1f, 0.15f, 1.0f);
	glClear(GL_COLOR_BUFFER_BIT);
	glUniform2f(size_location, (float)window->width, (float)window->height);
	glVertexAttribPointer(
		0, 2, GL_FLOAT, GL_FALSE, sizeof(struct vertex), &geometry.vertices[0].x);
	glVertexAttribPointer(
		1, 3, GL_FLOAT, GL_FALSE, sizeof(struct vertex), &geometry.vertices[0].r);
	glEnableVertexAttribArray(0);
	glEnableVertexAttribArray(1);
	glDrawArrays(GL_TRIANGLES, 0, geometry.n);
	eglSwapBuffers(window->egl, window->egl_surface);
}

static GLuint shader_make(GLenum type, const char *source)
{
	const GLuint shader = glCreateShader(type);

	glShaderSource(shader, 1, &source, NULL);
	glCompileShader(shader);
	return shader;
}

static bool program_use(GLint *size_location)
{
	const GLuint program = glCreateProgram();
	GLint linked = 0;

	glAttachShader(program, shader_make(GL_VERTEX_SHADER, vertex_source));
	glAttachShader(program, shader_make(GL_FRAGMENT_SHADER, fragment_source));
	glBindAttribLocation(program, 0, "place");
	glBindAttribLocation(program, 1, "color");
	glLinkProgram(program);
	glGetProgramiv(program, GL_LINK_STATUS, &linked);
	glUseProgram(program);
	*size_location = glGetUniformLocation(program, "size");
	return linked;
}

static void shell_ping(void *user, struct xdg_wm_base *shell, uint32_t serial)
{
	xdg_wm_base_pong(shell, serial);
}

static const struct xdg_wm_base_listener shell_listener = { .ping = shell_ping };

static void registry_global(void *user, struct wl_registry *registry, uint32_t name,
	const char *interface, uint32_t version)
{
	struct window *window = user;

	if (strcmp(interface, wl_compositor_interface.name) == 0)
		window->compositor = wl_registry_bind(registry, name, &wl_compositor_interface, 1);
	if (strcmp(interface, xdg_wm_base_interface.name) == 0)
		window->shell = wl_registry_bind(registry, name, &xdg_wm_base_interface, 1);
}

static void registry_global_remove(void *user, struct wl_registry *registry, uint32_t name)
{
}

static const struct wl_registry_listener registry_listener = { registry_global,
	registry_global_remove };

static void surface_configure(void *user, struct xdg_surface *xdg_surface, uint32_t serial)
{
	struct window *window = user;

	xdg_surface_ack_configure(xdg_surface, serial);
	window->configured = true;
}

static const struct xdg_surface_listener surface_listener = { .configure = surface_configure };

static void toplevel_configure(void *user, struct xdg_toplevel *toplevel, int32_t width,
	int32_t height, struct wl_array *states)
{
	struct window *window = user;

	if (!window->fullscreen || width <= 0 || height <= 0)
		return;
	window->width = width;
	window->height = height;
	if (window->native)
		wl_egl_window_resize(window->native, width, height, 0, 0);
}

static void toplevel_close(void *user, struct xdg_toplevel *toplevel)
{
	struct window *window = user;

	window->closed = true;
}

static const struct xdg_toplevel_listener toplevel_listener = { .configure = toplevel_configure,
	.close = toplevel_close };

static bool window_open(struct window *window)
{
	struct wl_registry *registry;

	window->display = wl_display_connect(NULL);
	if (!window->display)
		return false;
	registry = wl_display_get_registry(window->display);
	wl_registry_add_listener(registry, &registry_listener, window);
	wl_display_roundtrip(window->display);
	if (!window->compositor || !window->shell)
		return false;
	xdg_wm_base_add_listener(window->shell, &shell_listener, window);
	window->surface = wl_compositor_create_surface(window->compositor);
	window->xdg_surface = xdg_wm_base_get_xdg_surface(window->shell, window->surface);
	xdg_surface_add_listener(window->xdg_surface, &surface_listener, window);
	window->toplevel = xdg_surface_get_toplevel(window->xdg_surface);
	xdg_toplevel_add_listener(window->toplevel, &toplevel_listener, window);
	xdg_toplevel_set_app_id(window->toplevel, "frame-counter");
	xdg_toplevel_set_title(window->toplevel, "frame counter");
	if (window->fullscreen)
		xdg_toplevel_set_fullscreen(window->toplevel, NULL);
	wl_surface_commit(window->surface);
	while (!window->configured && wl_display_dispatch(window->display) >= 0)
		continue;
	return window->configured;
}

static bool window_start_gl(struct window *window)
{
	static const EGLint config_attributes[] = { EGL_SURFACE_TYPE, EGL_WINDOW_BIT, EGL_RED_SIZE,
		8, EGL_GREEN_SIZE, 8, EGL_BLUE_SIZE, 8, EGL_RENDERABLE_TYPE, EGL_OPENGL_ES2_BIT,
		EGL_NONE };
	static const EGLint context_attributes[] = { EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE };
	EGLConfig config;
	EGLContext context;
	EGLint n_configs = 0;

	window->egl = eglGetPlatformDisplay(EGL_PLATFORM_WAYLAND_KHR, window->display, NULL);
	if (!eglInitialize(window->egl, NULL, NULL) || !eglBindAPI(EGL_OPENGL_ES_API) ||
		!eglChooseConfig(window->egl, config_attributes, &config, 1, &n_configs) ||
		n_configs < 1)
		return false;
	context = eglCreateContext(window->egl, config, EGL_NO_CONTEXT, context_attributes);
	window->native = wl_egl_window_create(window->surface, window->width, window->height);
	window->egl_surface =
		eglCreatePlatformWindowSurface(window->egl, config, window->native, NULL);
	return eglMakeCurrent(window->egl, window->egl_surface, window->egl_surface, context);
}

static void window_run(struct window *window, GLint size_location)
{
	uint32_t value = 0;

	while (!window->closed && window->frames != 0) {
		window_draw(window, size_location, value);
		if (value % 100 == 0)
			printf("frame-counter %u\n", value);
		value = (value + 1) & COUNTER_VALUE_MASK;
		window->frames -= window->frames > 0;
		if (window->still) {
			while (!window->closed && wl_display_dispatch(window->display) >= 0)
				continue;
			return;
		}
		if (wl_display_dispatch_pending(window->display) < 0)
			return;
	}
}

static void options_read(struct window *window, int argc, char **argv)
{
	static const struct option options[] = { { "size", required_argument, NULL, 's' },
		{ "fullscreen", no_argument, NULL, 'f' },
		{ "frames", required_argument, NULL, 'n' }, { "still", no_argument, NULL, 'p' },
		{ NULL } };

	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option == 's' && sscanf(optarg, "%dx%d", &window->width, &window->height) == 2)
			continue;
		else if (option == 'f')
			window->fullscreen = true;
		else if (option == 'n')
			window->frames = atol(optarg);
		else if (option == 'p')
			window->still = true;
		else
			exit(2);
	}
}

int main(int argc, char **argv)
{
	struct window window = { .width = 640, .height = 480, .frames = -1 };
	GLint size_location;

	setvbuf(stdout, NULL, _IOLBF, 0);
	options_read(&window, argc, argv);
	if (!window_open(&window)) {
		fputs("frame-counter: no Wayland compositor with xdg-shell\n", stderr);
		return 1;
	}
	if (!window_start_gl(&window) || !program_use(&size_location)) {
		fprintf(stderr, "frame-counter: no OpenGL ES: EGL error 0x%x\n",
			(unsigned)eglGetError());
		return 1;
	}
	printf("GL_RENDERER: %s\n", (const char *)glGetString(GL_RENDERER));
	window_run(&window, size_location);
	return 0;
}
