/* SPDX-License-Identifier: MIT */
/* sasl_client: is a client's end of a log-in by SASL, of Cyrus' library, as spice-gtk uses it. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct sasl_client;

/* It says what `mechanism` asks for, and for the identity `as` if that is not NULL. */
struct sasl_client *sasl_client_create(
	const char *mechanism, const char *name, const char *password, const char *as);
void sasl_client_destroy(struct sasl_client *client);

/*
 * Says the first and every further datum; NULL: none. The server's is NULL where it is none. The
 * bytes stay until the client is asked again. Returns false when the client gives up.
 */
bool sasl_client_begin(struct sasl_client *client, const char **bytes, unsigned *size_bytes);
bool sasl_client_go_on(struct sasl_client *client, const void *said, size_t said_bytes,
	const char **bytes, unsigned *size_bytes);
/* Returns whether it knows that the server knows the secret, too, or need not know. */
bool sasl_client_is_done(const struct sasl_client *client);
