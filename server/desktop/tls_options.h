/* SPDX-License-Identifier: MIT */
/*
 * tls options: those of vitrine-gpu and "vitrine run" that say how clients connect with TLS.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct tls_options {
	unsigned port;           /* 0: no TLS */
	char *certificate, *key; /* PEM files; both where there is a port */
};

/* To be added to a GOptionContext. */
const GOptionEntry *tls_options_entries(void);

/* What was parsed, moved and checked: the files are a certificate and its key. Finish it in any
 * case. */
bool tls_options_take(struct tls_options *options, GError **error);
void tls_options_finish(struct tls_options *options);

/* Opens both files to be handed on; they are the caller's. */
bool tls_options_open(const struct tls_options *options, int fds[2], GError **error);
