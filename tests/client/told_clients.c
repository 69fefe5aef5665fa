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

char *told_clients_find(const GString *clients, enum keeper_client_what what, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(clients->str, "\n", -1);
	char *name = NULL;
	for (char **line = lines; *line && **line; line++) {
		const char *begin = strstr(*line, "client "), *end = strstr(*line, ": ");
		if (g_ascii_strtoull(*line, NULL, 10) != what || !strstr(*line, text) || !begin ||
			!end)
			continue;
		g_free(name);
		name = g_strndup(begin + 7, (gsize)(end - begin - 7));
	}
	return name;
}

bool told_clients_have(const GString *clients, enum keeper_client_what what, const char *text)
{
	g_autofree char *found = told_clients_find(clients, what, text);
	return found || (what == KEEPER_CLIENT_NOT_THERE && strstr(clients->str, text));
}
