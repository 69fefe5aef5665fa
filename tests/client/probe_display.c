/* SPDX-License-Identifier: MIT */
/*
 * spice-probe's display channels. spice-client-glib paints bitmaps into one canvas whose memory it
 * shows us, and video too: it decodes that itself because nobody takes its gst-video-overlay
 * signal.
 */
#include <png.h>
#include <stdio.h>
#include <string.h>

#include "tests/client/probe.h"

static void primary_create(SpiceChannel *channel, gint format, gint width, gint height, gint stride,
	gint shmid, gpointer data, gpointer user)
{
	struct probe_display *display = user;

	display->data = data;
	display->format = format;
	display->width = width;
	display->height = height;
	display->stride_bytes = stride;
	display->n_primaries++;
	display->probe->n_updates++;
}

static void primary_destroy(SpiceChannel *channel, gpointer user)
{
	struct probe_display *display = user;

	display->data = NULL;
	display->marked = false;
}

static void invalidate(
	SpiceChannel *channel, gint x, gint y, gint width, gint height, gpointer user)
{
	struct probe_display *display = user;

	display->n_invalidates++;
	display->n_pixels += (uint64_t)width * height;
	display->probe->n_updates++;
}

static void mark(SpiceChannel *channel, gint marked, gpointer user)
{
	struct probe_display *display = user;
	display->marked = marked;
}

static void display_event(SpiceChannel *channel, SpiceChannelEvent event, gpointer user)
{
	struct probe_display *display = user;

	if (event == SPICE_CHANNEL_OPENED) {
		display->opened = true;
		return;
	}
	display->opened = false;
	display->data = NULL;
}

void display_attach(struct probe *probe, SpiceChannel *channel)
{
	int id = 0;

	g_object_get(channel, "channel-id", &id, NULL);
	if (id < 0 || id >= PROBE_DISPLAYS_MAX || probe->displays[id].channel)
		return;
	struct probe_display *display = &probe->displays[id];
	*display = (struct probe_display){ .probe = probe, .channel = g_object_ref(channel) };
	g_signal_connect(channel, "display-primary-create", G_CALLBACK(primary_create), display);
	g_signal_connect(channel, "display-primary-destroy", G_CALLBACK(primary_destroy), display);
	g_signal_connect(channel, "display-invalidate", G_CALLBACK(invalidate), display);
	g_signal_connect(channel, "display-mark", G_CALLBACK(mark), display);
	g_signal_connect(channel, "channel-event", G_CALLBACK(display_event), display);
}

void display_detach_all(struct probe *probe)
{
	for (int i = 0; i < PROBE_DISPLAYS_MAX; i++) {
		struct probe_display *display = &probe->displays[i];

		if (!display->channel)
			continue;
		g_signal_handlers_disconnect_by_data(display->channel, display);
		g_object_unref(display->channel);
		*display = (struct probe_display){ .probe = probe };
	}
}

struct probe_display *display_get(struct probe *probe, int id)
{
	if (id < 0 || id >= PROBE_DISPLAYS_MAX || !probe->displays[id].data)
		return NULL;
	return &probe->displays[id];
}

static uint32_t pixel_expand_555(uint32_t pixel)
{
	uint32_t red = (pixel >> 10) & 31, green = (pixel >> 5) & 31, blue = pixel & 31;

	return (red << 3 | red >> 2) << 16 | (green << 3 | green >> 2) << 8 |
	       (blue << 3 | blue >> 2);
}

int display_pixel(const struct probe_display *display, int x, int y)
{
	if (x < 0 || y < 0 || x >= display->width || y >= display->height)
		return -1;
	const uint8_t *row = display->data + (ptrdiff_t)y * display->stride_bytes;
	if (display->format == SPICE_SURFACE_FMT_16_555)
		return pixel_expand_555(((const uint16_t *)row)[x]);
	return ((const uint32_t *)row)[x] & 0xffffff;
}

uint8_t *display_copy_rgb(const struct probe_display *display, int x, int y, int width, int height)
{
	if (x < 0 || y < 0 || width <= 0 || height <= 0 || width > display->width - x ||
		height > display->height - y)
		return NULL;
	uint8_t *copy = g_malloc((size_t)width * height * 3), *out = copy;
	for (int row = y; row < y + height; row++) {
		for (int column = x; column < x + width; column++, out += 3) {
			int pixel = display_pixel(display, column, row);
			out[0] = pixel >> 16;
			out[1] = pixel >> 8;
			out[2] = pixel;
		}
	}
	return copy;
}

char *display_hash(const struct probe_display *display, int x, int y, int width, int height)
{
	g_autofree uint8_t *rgb = display_copy_rgb(display, x, y, width, height);

	return rgb ? g_compute_checksum_for_data(
			     G_CHECKSUM_SHA256, rgb, (gsize)width * height * 3) :
		     NULL;
}

static bool save_ppm(const char *path, int width, int height, const uint8_t *rgb)
{
	FILE *file = fopen(path, "wb");

	if (!file)
		return false;
	size_t size = (size_t)width * height * 3;
	bool written = fprintf(file, "P6\n%d %d\n255\n", width, height) > 0 &&
		       fwrite(rgb, 1, size, file) == size;
	return fclose(file) == 0 && written;
}

static bool save_png(const char *path, int width, int height, const uint8_t *rgb)
{
	png_image image = { .version = PNG_IMAGE_VERSION,
		.width = width,
		.height = height,
		.format = PNG_FORMAT_RGB };

	image.flags = PNG_IMAGE_FLAG_FAST;
	return png_image_write_to_file(&image, path, 0, rgb, 0, NULL) != 0;
}

bool display_save(const struct probe_display *display, const char *path, GError **error)
{
	g_autofree uint8_t *rgb = display_copy_rgb(display, 0, 0, display->width, display->height);
	bool png = g_str_has_suffix(path, ".png");
	bool saved = false;

	if (rgb)
		saved = (png ? save_png : save_ppm)(path, display->width, display->height, rgb);
	if (!saved)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "cannot write %s: %s", path,
			g_strerror(errno));
	return saved;
}
