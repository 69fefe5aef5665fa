/* SPDX-License-Identifier: MIT */
#include "tests/client/fake_passwords.h"

#include <glib.h>

void fake_passwords_change(struct fake_passwords *passwords, const struct keeper_ticket *password)
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

void fake_passwords_send(struct fake_passwords *passwords, int link)
{
	struct keeper_passwords message = { .header.type = KEEPER_MESSAGE_PASSWORDS,
		.n_passwords = passwords->n };
	g_assert_cmpint(link_send(link, &message, sizeof(message), NULL, 0), ==, 0);
	for (unsigned i = 0; i < passwords->n; i++) {
		struct keeper_ticket *one = &passwords->all[i];
		g_assert_cmpint(link_send(link, one, sizeof(*one), NULL, 0), ==, 0);
	}
}
