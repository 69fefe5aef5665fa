/* SPDX-License-Identifier: MIT */
/*
 * preload_libraries: has calls of the libraries fail that display uses, and those by which bytes
 * come and go (preload.h). Each fails as the library's manual says: most for want of memory.
 */
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/faults/preload.h"

/* ---- bytes ---- */

/* An eventfd of ours, by which a thread wakes another, does not fail. */
static bool is_socket(int fd)
{
	struct stat st;
	int before = errno;
	bool is = fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
	errno = before;
	return is;
}

#define ON_SOCKET(function, name, parameters, arguments)                                           \
	ssize_t name parameters                                                                    \
	{                                                                                          \
		NEXT(ssize_t, name, parameters);                                                   \
		if (is_socket(fd) && faults_fails(function, __builtin_return_address(0))) {        \
			errno = EIO;                                                               \
			return -1;                                                                 \
		}                                                                                  \
		return next arguments;                                                             \
	}
ON_SOCKET(F_READ, read, (int fd, void *bytes, size_t n), (fd, bytes, n))
ON_SOCKET(F_WRITE, write, (int fd, const void *bytes, size_t n), (fd, bytes, n))
ON_SOCKET(F_WRITE, writev, (int fd, const struct iovec *parts, int n), (fd, parts, n))
STAND_BEFORE(F_EPOLL, int, epoll_create1, (int flags), (flags), EMFILE, -1)
STAND_BEFORE(F_EPOLL, int, epoll_ctl, (int epoll, int what, int fd, struct epoll_event *event),
	(epoll, what, fd, event), ENOSPC, -1)
STAND_BEFORE(F_CONNECT, int, connect, (int fd, const struct sockaddr *address, socklen_t n),
	(fd, address, n), ENOBUFS, -1)
STAND_BEFORE(F_CONNECT, int, bind, (int fd, const struct sockaddr *address, socklen_t n),
	(fd, address, n), EADDRINUSE, -1)
STAND_BEFORE(F_CONNECT, int, listen, (int fd, int n), (fd, n), EADDRINUSE, -1)

/* ---- walls ---- */

STAND_BEFORE(F_WALL, void *, seccomp_init, (uint32_t action), (action), ENOMEM, NULL)
STAND_BEFORE(F_WALL, int, seccomp_rule_add_array,
	(void *filter, uint32_t action, int call, unsigned n, const void *arguments),
	(filter, action, call, n, arguments), ENOMEM, -ENOMEM)
STAND_BEFORE(F_WALL, int, seccomp_load, (void *filter), (filter), ENOMEM, -ENOMEM)

/* ---- GStreamer: enum GstFlowReturn and its kind ---- */

#define FLOW_ERROR (-5)
#define LINK_REFUSED (-6)
#define STATE_CHANGE_FAILURE 0

STAND_BEFORE(F_GST, void *, gst_element_factory_find, (const char *name), (name), 0, NULL)
STAND_BEFORE(F_GST, void *, gst_element_factory_create, (void *factory, const char *name),
	(factory, name), 0, NULL)
STAND_BEFORE(F_GST, void *, gst_element_factory_make, (const char *factory, const char *name),
	(factory, name), 0, NULL)
STAND_BEFORE(F_GST, void *, gst_plugin_feature_load, (void *feature), (feature), 0, NULL)
STAND_BEFORE(F_GST, int, gst_element_register,
	(void *plugin, const char *name, unsigned rank, size_t type), (plugin, name, rank, type), 0,
	0)
STAND_BEFORE(F_GST, int, gst_element_set_state, (void *element, int state), (element, state), 0,
	STATE_CHANGE_FAILURE)
STAND_BEFORE(F_GST, int, gst_pad_link, (void *from, void *to), (from, to), 0, LINK_REFUSED)
STAND_BEFORE(F_GST, void *, gst_buffer_new_allocate, (void *allocator, size_t n, void *parameters),
	(allocator, n, parameters), 0, NULL)
STAND_BEFORE(F_GST, int, gst_buffer_map, (void *buffer, void *map, int flags), (buffer, map, flags),
	0, 0)
STAND_BEFORE(F_GST, int, gst_video_frame_map, (void *frame, void *info, void *buffer, int flags),
	(frame, info, buffer, flags), 0, 0)
STAND_BEFORE(F_GST, int, gst_buffer_pool_set_active, (void *pool, int active), (pool, active), 0, 0)
STAND_BEFORE(F_GST, int, gst_buffer_pool_acquire_buffer,
	(void *pool, void **buffer, void *parameters), (pool, buffer, parameters), 0, FLOW_ERROR)

/* ---- GnuTLS, SASL, libcrypto, spice-server ---- */

#define TLS_NO_MEMORY (-25)
#define SASL_NO_MEMORY (-2)

STAND_BEFORE(F_TLS, int, gnutls_init, (void **session, unsigned flags), (session, flags), 0,
	TLS_NO_MEMORY)
STAND_BEFORE(F_TLS, int, gnutls_priority_set_direct,
	(void *session, const char *priorities, const char **where), (session, priorities, where),
	0, TLS_NO_MEMORY)
STAND_BEFORE(F_TLS, int, gnutls_credentials_set, (void *session, int type, void *credentials),
	(session, type, credentials), 0, TLS_NO_MEMORY)
STAND_BEFORE(F_TLS, int, gnutls_handshake, (void *session), (session), 0, TLS_NO_MEMORY)
STAND_BEFORE(F_TLS, ssize_t, gnutls_record_send, (void *session, const void *bytes, size_t n),
	(session, bytes, n), 0, TLS_NO_MEMORY)
STAND_BEFORE(F_TLS, ssize_t, gnutls_record_recv, (void *session, void *bytes, size_t n),
	(session, bytes, n), 0, TLS_NO_MEMORY)
STAND_BEFORE(F_TLS, int, gnutls_certificate_allocate_credentials, (void **credentials),
	(credentials), 0, TLS_NO_MEMORY)
STAND_BEFORE(F_TLS, int, gnutls_certificate_set_x509_key_mem,
	(void *credentials, const void *certificate, const void *key, int format),
	(credentials, certificate, key, format), 0, TLS_NO_MEMORY)

STAND_BEFORE(F_SASL, int, sasl_server_init, (const void *callbacks, const char *name),
	(callbacks, name), 0, SASL_NO_MEMORY)
STAND_BEFORE(F_SASL, int, sasl_auxprop_add_plugin, (const char *name, void *init), (name, init), 0,
	SASL_NO_MEMORY)
STAND_BEFORE(F_SASL, int, sasl_server_new,
	(const char *service, const char *host, const char *realm, const char *local,
		const char *remote, const void *callbacks, unsigned flags, void **conn),
	(service, host, realm, local, remote, callbacks, flags, conn), 0, SASL_NO_MEMORY)
STAND_BEFORE(F_SASL, int, sasl_setprop, (void *conn, int what, const void *value),
	(conn, what, value), 0, SASL_NO_MEMORY)
STAND_BEFORE(F_SASL, int, sasl_listmech,
	(void *conn, const char *user, const char *prefix, const char *separator,
		const char *suffix, const char **result, unsigned *n, int *count),
	(conn, user, prefix, separator, suffix, result, n, count), 0, SASL_NO_MEMORY)
STAND_BEFORE(F_SASL, int, sasl_server_start,
	(void *conn, const char *mechanism, const char *in, unsigned n_in, const char **out,
		unsigned *n_out),
	(conn, mechanism, in, n_in, out, n_out), 0, SASL_NO_MEMORY)
STAND_BEFORE(F_SASL, int, sasl_server_step,
	(void *conn, const char *in, unsigned n_in, const char **out, unsigned *n_out),
	(conn, in, n_in, out, n_out), 0, SASL_NO_MEMORY)

STAND_BEFORE(F_CRYPTO, void *, EVP_PKEY_CTX_new, (void *key, void *engine), (key, engine), 0, NULL)
STAND_BEFORE(F_CRYPTO, int, EVP_PKEY_decrypt_init, (void *context), (context), 0, 0)
STAND_BEFORE(F_CRYPTO, int, EVP_PKEY_encrypt_init, (void *context), (context), 0, 0)
STAND_BEFORE(F_CRYPTO, int, EVP_PKEY_decrypt,
	(void *context, void *out, size_t *n_out, const void *in, size_t n),
	(context, out, n_out, in, n), 0, 0)
STAND_BEFORE(F_CRYPTO, int, EVP_PKEY_encrypt,
	(void *context, void *out, size_t *n_out, const void *in, size_t n),
	(context, out, n_out, in, n), 0, 0)
STAND_BEFORE(F_CRYPTO, int, EVP_Digest,
	(const void *in, size_t n, void *out, unsigned *n_out, const void *type, void *engine),
	(in, n, out, n_out, type, engine), 0, 0)
STAND_BEFORE(
	F_CRYPTO, void *, d2i_PUBKEY, (void **key, const void **in, long n), (key, in, n), 0, NULL)
STAND_BEFORE(F_CRYPTO, int, i2d_PUBKEY, (const void *key, unsigned char **out), (key, out), 0, -1)
STAND_BEFORE(F_CRYPTO, int, PKCS5_PBKDF2_HMAC,
	(const char *in, int n, const void *salt, int n_salt, int times, const void *type,
		int n_out, void *out),
	(in, n, salt, n_salt, times, type, n_out, out), 0, 0)

STAND_BEFORE(F_SPICE, void *, spice_server_new, (void), (), 0, NULL)
STAND_BEFORE(F_SPICE, int, spice_server_init, (void *server, void *core), (server, core), 0, -1)
STAND_BEFORE(F_SPICE, int, spice_server_add_interface, (void *server, void *instance),
	(server, instance), 0, -1)
STAND_BEFORE(F_SPICE, int, spice_server_add_client, (void *server, int fd, int skips),
	(server, fd, skips), 0, -1)
STAND_BEFORE(F_SPICE, int, spice_server_set_noauth, (void *server), (server), 0, -1)
STAND_BEFORE(F_SPICE, int, spice_server_set_video_codecs, (void *server, const char *codecs),
	(server, codecs), 0, -1)

/* ---- D-Bus: what came is put away, and an error told ---- */

extern void g_set_error_literal(void **error, uint32_t domain, int code, const char *text)
	__attribute__((weak));
extern uint32_t g_io_error_quark(void) __attribute__((weak));
extern void g_object_unref(void *object) __attribute__((weak));
extern void g_variant_unref(void *variant) __attribute__((weak));
#define IO_ERROR_FAILED 0

#define D_BUS(name, parameters, arguments, put_away)                                               \
	void *name parameters;                                                                     \
	void *name parameters                                                                      \
	{                                                                                          \
		NEXT(void *, name, parameters);                                                    \
		bool fails = faults_fails(F_DBUS, __builtin_return_address(0));                    \
		void *result = next arguments;                                                     \
		if (!fails || !result)                                                             \
			return result;                                                             \
		put_away(result);                                                                  \
		g_set_error_literal(                                                               \
			error, g_io_error_quark(), IO_ERROR_FAILED, "it fails on purpose");        \
		return NULL;                                                                       \
	}
D_BUS(g_dbus_connection_new_finish, (void *result_of, void **error), (result_of, error),
	g_object_unref)
D_BUS(g_dbus_connection_call_finish, (void *connection, void *result_of, void **error),
	(connection, result_of, error), g_variant_unref)
D_BUS(g_dbus_connection_call_with_unix_fd_list_finish,
	(void *connection, void *fds, void *result_of, void **error),
	(connection, fds, result_of, error), g_variant_unref)

unsigned g_dbus_connection_register_object(void *connection, const char *path, void *interface,
	const void *table, void *user, void *free_user, void **error);
unsigned g_dbus_connection_register_object(void *connection, const char *path, void *interface,
	const void *table, void *user, void *free_user, void **error)
{
	NEXT(unsigned, g_dbus_connection_register_object,
		(void *, const char *, void *, const void *, void *, void *, void **));
	if (!faults_fails(F_DBUS, __builtin_return_address(0)))
		return next(connection, path, interface, table, user, free_user, error);
	g_set_error_literal(error, g_io_error_quark(), IO_ERROR_FAILED, "it fails on purpose");
	return 0;
}

void *g_socket_new_from_fd(int fd, void **error);
void *g_socket_new_from_fd(int fd, void **error)
{
	NEXT(void *, g_socket_new_from_fd, (int, void **));
	if (!faults_fails(F_DBUS, __builtin_return_address(0)))
		return next(fd, error);
	g_set_error_literal(error, g_io_error_quark(), IO_ERROR_FAILED, "it fails on purpose");
	return NULL;
}
