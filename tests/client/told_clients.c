/* SPDX-License-Identifier: MIT */
#include "tests/client/told_clients.h"

#include <string.h>

bool told_clients_note(GString *clients, const struct keeper_client *client)
{
	if (!memchr(client->text, '\0', sizeof(client->text)))
		return false;
	g_string_append_printf(clients, "%u %s\n", client->what, client->text);
	return true;
}

bool told_clients_have(const GString *clients, enum keeper_client_what what, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(clients->str, "\n", -1);
	for (char **line = lines; *line && **line; line++) {
		if (g_ascii_strtoull(*line, NULL, 10) == what && strstr(*line, text))
			return true;
	}
	return false;
}
