/* SPDX-License-Identifier: MIT */
/*
 * gl_client NODE URI: a SPICE client that takes dma-bufs, imports them with an EGL of its own on
 * NODE and reads their pixels, as a viewer would show them. It reads lines on stdin and answers
 * each with one line:
 *
 *   wait-gl MS        until a dma-buf has been drawn since the last wait: "gl WIDTH HEIGHT FOURCC
 * STRIDE" wait-2d MS        until ordinary pictures are what is shown: "2d WIDTH HEIGHT" save FILE
 * what is shown now, as XRGB8888 rows: "gl WIDTH HEIGHT" or "2d WIDTH HEIGHT" ack on|off whether
 * draws are acknowledged: "ok" leave             hangs up: "ok" connect URI       the same, and
 * comes as a new client: "ok" drain             a round of the main loop: "ok"
 *
 * It answers "timeout" when nothing came, "gone" when the server has hung up.
 */
#include <epoxy/egl.h>
#include <errno.h>
#include <glib-unix.h>
#include <spice-client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <drm_fourcc.h>

#include "tests/wire/consumer_gpu.h"

struct client {
	GMainLoop *loop;
	SpiceSession *session;
	SpiceDisplayChannel *display;
	bool gl, gone, silent;
	unsigned draws; /* since the last wait-gl */
	unsigned unacked;
	bool timed_out;
};

/* ---- what the server says ---- */

static void on_gl_draw(SpiceDisplayChannel *channel, guint x, guint y, guint width, guint height,
	struct client *client)
{
	client->gl = true;
	client->draws++;
	if (client->silent)
		client->unacked++;
	else
		spice_display_channel_gl_draw_done(channel);
}

/* Stops showing the dma-buf, whose place a surface takes in every viewer. */
static void on_primary(SpiceChannel *channel, gint format, gint width, gint height, gint stride,
	gint shmid, gpointer data, struct client *client)
{
	client->gl = false;
}

static void on_event(SpiceChannel *channel, SpiceChannelEvent event, struct client *client)
{
	if (event != SPICE_CHANNEL_OPENED && event != SPICE_CHANNEL_SWITCHING)
		client->gone = true;
}

static void on_channel(SpiceSession *session, SpiceChannel *channel, struct client *client)
{
	g_signal_connect(channel, "channel-event", G_CALLBACK(on_event), client);
	if (!SPICE_IS_DISPLAY_CHANNEL(channel) || client->display)
		return;
	client->display = SPICE_DISPLAY_CHANNEL(channel);
	g_signal_connect(channel, "gl-draw", G_CALLBACK(on_gl_draw), client);
	g_signal_connect(channel, "display-primary-create", G_CALLBACK(on_primary), client);
	spice_channel_connect(channel);
}

static void client_connect(struct client *client, const char *uri)
{
	client->session = spice_session_new();
	g_object_set(
		client->session, "uri", uri, "enable-audio", FALSE, "enable-usbredir", FALSE, NULL);
	g_signal_connect(client->session, "channel-new", G_CALLBACK(on_channel), client);
	spice_session_connect(client->session);
}

/*
 * Disconnects, and first the handlers, so that old channels say nothing about the next connection.
 */
static void client_leave(struct client *client)
{
	if (!client->session)
		return;
	g_autoptr(GList) channels = spice_session_get_channels(client->session);
	for (GList *l = channels; l; l = l->next)
		g_signal_handlers_disconnect_by_data(l->data, client);
	g_signal_handlers_disconnect_by_data(client->session, client);
	spice_session_disconnect(client->session);
	g_clear_object(&client->session);
	client->display = NULL;
	client->gl = client->gone = false;
	client->draws = client->unacked = 0;
}

/* ---- pixels ---- */

static bool write_pixels(
	const char *path, const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t stride)
{
	FILE *file = fopen(path, "we");
	for (uint32_t row = 0; file && row < height; row++)
		fwrite(pixels + (size_t)row * stride, 4, width, file);
	return file && fclose(file) == 0;
}

static bool save_gl(struct client *client, const char *path, uint32_t *width, uint32_t *height)
{
	const SpiceGlScanout *scanout = spice_display_channel_get_gl_scanout(client->display);
	if (!scanout || scanout->fd < 0 || !scanout->y0top)
		return false;
	struct frame_buffer_add add = {
		.width = scanout->width,
		.height = scanout->height,
		.stride_bytes = scanout->stride,
		.fourcc = scanout->format,
		.modifier = DRM_FORMAT_MOD_INVALID,
	};
	struct consumer_image *image = consumer_gpu_import(&add, scanout->fd);
	if (!image)
		return false;
	g_autofree uint8_t *pixels = g_malloc((size_t)add.width * add.height * 4);
	consumer_gpu_read(image, pixels);
	consumer_gpu_free(image);
	*width = add.width;
	*height = add.height;
	return write_pixels(path, pixels, add.width, add.height, add.width * 4);
}

static bool save_2d(struct client *client, const char *path, uint32_t *width, uint32_t *height)
{
	SpiceDisplayPrimary primary;
	if (!spice_display_channel_get_primary(SPICE_CHANNEL(client->display), 0, &primary))
		return false;
	*width = (uint32_t)primary.width;
	*height = (uint32_t)primary.height;
	return write_pixels(path, primary.data, *width, *height, (uint32_t)primary.stride);
}

/* ---- lines ---- */

static gboolean on_timeout(gpointer user)
{
	((struct client *)user)->timed_out = true;
	return G_SOURCE_REMOVE;
}

static bool is_2d(const struct client *client)
{
	SpiceDisplayPrimary primary;
	return client->display && !client->gl &&
	       spice_display_channel_get_primary(SPICE_CHANNEL(client->display), 0, &primary);
}

static bool is_gl(const struct client *client)
{
	return client->gl && client->draws > 0;
}

static bool wait_until(
	struct client *client, bool (*reached)(const struct client *), int timeout_ms)
{
	client->timed_out = false;
	guint timer = g_timeout_add((guint)timeout_ms, on_timeout, client);
	while (!reached(client) && !client->timed_out && !client->gone)
		g_main_context_iteration(NULL, TRUE);
	if (!client->timed_out)
		g_source_remove(timer);
	return reached(client);
}

static void answer_wait(struct client *client, const char *name, bool reached)
{
	const SpiceGlScanout *scanout =
		client->gl ? spice_display_channel_get_gl_scanout(client->display) : NULL;
	if (!reached)
		puts(client->gone ? "gone" : "timeout");
	else if (scanout)
		printf("%s %u %u %.4s %u\n", name, scanout->width, scanout->height,
			(const char *)&scanout->format, scanout->stride);
	else
		printf("%s\n", name);
}

static void do_save(struct client *client, const char *path)
{
	uint32_t width, height;
	bool ok =
		client->display && (client->gl ? save_gl : save_2d)(client, path, &width, &height);
	if (ok)
		printf("%s %u %u\n", client->gl ? "gl" : "2d", width, height);
	else
		puts("nothing");
}

static void do_line(struct client *client, char *line)
{
	g_auto(GStrv) words = g_strsplit(g_strstrip(line), " ", 2);
	const char *argument = words[0] && words[1] ? words[1] : "";
	if (!g_strcmp0(words[0], "wait-gl")) {
		answer_wait(client, "gl", wait_until(client, is_gl, atoi(argument)));
		client->draws = 0;
	} else if (!g_strcmp0(words[0], "wait-2d")) {
		answer_wait(client, "2d", wait_until(client, is_2d, atoi(argument)));
	} else if (!g_strcmp0(words[0], "save")) {
		do_save(client, argument);
	} else if (!g_strcmp0(words[0], "leave")) {
		client_leave(client);
		puts("ok");
	} else if (!g_strcmp0(words[0], "connect")) {
		client_leave(client);
		client_connect(client, argument);
		puts("ok");
	} else if (!g_strcmp0(words[0], "ack")) {
		client->silent = g_str_equal(argument, "off");
		for (; !client->silent && client->unacked > 0; client->unacked--)
			spice_display_channel_gl_draw_done(client->display);
		puts("ok");
	} else {
		puts(client->gone ? "gone" : "ok");
	}
	fflush(stdout);
}

static gboolean on_line(GIOChannel *input, GIOCondition condition, gpointer user)
{
	struct client *client = user;
	g_autofree char *line = NULL;
	if (g_io_channel_read_line(input, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL) {
		g_main_loop_quit(client->loop);
		return G_SOURCE_REMOVE;
	}
	do_line(client, line);
	return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv)
{
	struct client client = { 0 };
	if (argc != 3) {
		fprintf(stderr, "usage: gl_client NODE URI\n");
		return 2;
	}
	/* Answers go to stdout, so the log must go to stderr. */
	g_log_writer_default_set_use_stderr(TRUE);
	consumer_gpu_open(argv[1]);
	client.loop = g_main_loop_new(NULL, FALSE);
	client_connect(&client, argv[2]);
	GIOChannel *input = g_io_channel_unix_new(STDIN_FILENO);
	g_io_add_watch(input, G_IO_IN | G_IO_HUP, on_line, &client);
	g_main_loop_run(client.loop);
	client_leave(&client);
	return 0;
}
