/* SPDX-License-Identifier: MIT */
/*
 * tls: speaks the server's end of TLS on a client's socket, with GnuTLS: version 1.2 or later, with
 * our certificate and none of the client's.
 *
 * Threads: any thread may use credentials once they are made. A struct tls belongs to the relay's.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tls_credentials;

/* Reads two PEM files: the certificate, which its issuers' may follow, and its key. It reads each
 * file from its beginning and leaves the descriptors open. Returns NULL with `error` set. */
struct tls_credentials *tls_credentials_create(int certificate_fd, int key_fd, GError **error);
struct tls_credentials *tls_credentials_ref(struct tls_credentials *credentials);
void tls_credentials_unref(struct tls_credentials *credentials);
/*
 * Gives the certificate's subject in the form in which SPICE's clients compare it with a
 * certificate: "2.5.4.10=Example,2.5.4.3=host", in the certificate's order, with "\\" before each
 * "," and "\\". NULL: it has none, or one that cannot be said so. The caller frees it.
 */
char *tls_credentials_describe_subject(const struct tls_credentials *credentials);

struct tls;

/*
 * The socket stays the caller's and must be open until tls_destroy. Returns NULL when GnuTLS makes
 * no session (logged).
 */
struct tls *tls_create(struct tls_credentials *credentials, int fd);
/* Says goodbye first (tls_finish) if the socket has room. */
void tls_destroy(struct tls *tls);

/*
 * Goes on with the handshake. Returns 0 when it is done, -EAGAIN when it waits for the socket
 * (tls_wants_out), -EPROTO when it has failed (tls_reason) and the client was sent an alert, -EPIPE
 * when the client has ended, and -ECONNRESET when the connection is lost.
 */
int tls_shake(struct tls *tls);
/* Returns why the handshake has failed, for the log. */
const char *tls_reason(const struct tls *tls);
/* Says what tls_shake waits for: true when it is room to write, false when it is something to read.
 */
bool tls_wants_out(const struct tls *tls);

/* Says goodbye (close_notify). Returns 0 when it is said or cannot be said, and -EAGAIN when it
 * waits for room in the socket. */
int tls_finish(struct tls *tls);

/* These are like read(2) and write(2), but return -errno. */
ssize_t tls_read(struct tls *tls, uint8_t *bytes, size_t size_bytes);
/* After -EAGAIN the next call must pass the same bytes, and may pass more behind them. */
ssize_t tls_write(struct tls *tls, const uint8_t *bytes, size_t size_bytes);
