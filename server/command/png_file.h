/* SPDX-License-Identifier: MIT */
/* png_file writes a picture as a PNG file. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * `pixels` are rows of XRGB8888 without padding. They may change meanwhile: then so does what is in
 * the file. Another file of this name is replaced when the new one is whole.
 */
bool png_file_write(
	const char *path, const uint8_t *pixels, uint32_t width, uint32_t height, GError **error);
