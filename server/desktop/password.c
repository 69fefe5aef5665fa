/* SPDX-License-Identifier: MIT */
#include "server/desktop/password.h"

#include <string.h>

#include "server/desktop/limits.h"

char *password_read(const char *path, GError **error)
{
	g_autofree char *text = NULL;
	size_t length;
	if (!g_file_get_contents(path, &text, &length, error)) {
		g_prefix_error(error, "--password-file: ");
		return NULL;
	}
	text[strcspn(text, "\r\n")] = '\0';
	if (strlen(text) == 0 || strlen(text) > DESKTOP_PASSWORD_MAX_BYTES) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			"--password-file: %s: the first line must have 1 to %d bytes", path,
			DESKTOP_PASSWORD_MAX_BYTES);
		explicit_bzero(text, length);
		return NULL;
	}
	return g_steal_pointer(&text);
}
