/* SPDX-License-Identifier: MIT */
#include "tests/client/fake_passwords.h"

#include <glib.h>

static void change(struct fake_passwords *passwords, const struct keeper_ticket *password)
{
	unsigned i = 0;
	while (i < passwords->n && passwords->all[i].name != password->name)
		i++;
	if (password->ticket[0] != '\0') {
		g_assert_cmpuint(i, <, G_N_ELEMENTS(passwords->all));
		passwords->all[i] = *password;
		passwords->n = MAX(passwords->n, i + 1);
	} else if (i < passwords->n) {
		passwords->all[i] = passwords->all[--passwords->n];
	}
}

static void say(int link, const void *message, size_t size_bytes)
{
	g_autofree void *copy = g_memdup2(message, size_bytes);
	g_assert_cmpint(link_send(link, copy, size_bytes, NULL, 0), ==, 0);
}

void fake_passwords_give(
	struct fake_passwords *passwords, int link, const struct keeper_ticket *password)
{
	if (password->flags & KEEPER_TICKET_ONCE) {
		say(link, password, sizeof(*password));
		return;
	}
	change(passwords, password);
	const struct keeper_passwords message = { .header.type = KEEPER_MESSAGE_PASSWORDS,
		.n_passwords = passwords->n };
	say(link, &message, sizeof(message));
	for (unsigned i = 0; i < passwords->n; i++)
		say(link, &passwords->all[i], sizeof(passwords->all[i]));
}
