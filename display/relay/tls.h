/* SPDX-License-Identifier: MIT */
/*
 * tls: TLS 1.2 and later on the client's socket, with GnuTLS, as a server with a certificate.
 *
 * Threads: credentials any, after they were made; a session the relay's.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Chains and keys of any use are smaller. */
#define TLS_FILE_BYTES_MAX (256 * 1024)

struct tls_credentials;

/* From PEM files: the certificate, those that vouch for it behind, and its key. Reads the whole of
 * each, leaves the descriptors open. NULL with `error` set. */
struct tls_credentials *tls_credentials_create(int certificate_fd, int key_fd, GError **error);
struct tls_credentials *tls_credentials_ref(struct tls_credentials *credentials);
void tls_credentials_unref(struct tls_credentials *credentials);

struct tls;

/* The socket stays the caller's and must be there until the end. NULL: no memory (logged). */
struct tls *tls_create(struct tls_credentials *credentials, int fd);
/* Says goodbye if that can be done at once. */
void tls_destroy(struct tls *tls);

/* 0: the handshake is done; -EAGAIN: poll; -EPROTO: it has failed (tls_reason), and the client is
 * told by an alert; -EPIPE: the client ended; -ECONNRESET: it is gone. */
int tls_shake(struct tls *tls);
const char *tls_reason(const struct tls *tls);
/* What -EAGAIN of tls_shake waits for: true when it is room to write. */
bool tls_wants_out(const struct tls *tls);

/* Says goodbye (close_notify): 0: it is said, or cannot be; -EAGAIN: poll for room. */
int tls_finish(struct tls *tls);

/* As read(2) and write(2), but return -errno. */
ssize_t tls_read(struct tls *tls, uint8_t *bytes, size_t size_bytes);
/* After -EAGAIN: the same bytes again, or more that begin with them. */
ssize_t tls_write(struct tls *tls, const uint8_t *bytes, size_t size_bytes);
