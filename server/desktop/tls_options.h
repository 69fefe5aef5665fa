/* SPDX-License-Identifier: MIT */
/* tls_options are those members of struct desktop that say how clients connect with TLS. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct tls_options {
	unsigned port;           /* 0: no TLS */
	char *certificate, *key; /* PEM files; both where there is a port */
};

/* Checks that all three or none are given, and that the files are a certificate and its key. */
bool tls_options_check(const struct tls_options *options, GError **error);

/*
 * Copies both files to be handed on, into memory that nobody can write to: who gets it needs no
 * right to the files. The descriptors are the caller's.
 */
bool tls_options_open(const struct tls_options *options, int fds[2], GError **error);

/* Checks that two such copies are a certificate and its key, as display will. */
bool tls_pair_check(const int fds[2], GError **error);

/* What a client must be told to trust a certificate. */
struct tls_trust {
	char *subject;   /* of the certificate, as SPICE clients compare it */
	char *authority; /* the certificate at the end of the chain, as PEM; NULL: it is not there
			  */
};

/*
 * Reads it from a certificate's file. The authority is there when the file's last certificate is
 * signed by itself: the only one, or the one that vouches for those before. Otherwise it is one
 * that the client's system knows, or not. Call tls_trust_finish() in any case.
 */
bool tls_trust_read(struct tls_trust *trust, const char *path, GError **error);
void tls_trust_finish(struct tls_trust *trust);
