/* SPDX-License-Identifier: MIT */
#include "display/inner_key/inner_key.h"

#include <dlfcn.h>
#include <glib.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* SPICE_TICKET_KEY_PAIR_LENGTH of spice/protocol.h. */
#define INNER_KEY_BITS 1024

typedef EVP_PKEY *keygen_func(OSSL_LIB_CTX *, const char *, const char *, ...);

/* There is a global since libcrypto's function has no user pointer. */
static struct {
	GThread *owner; /* NULL: nobody is given a key */
	GThread *maker; /* NULL: it is waited for already */
	EVP_PKEY *key;  /* NULL: none */
	unsigned n_given;
	bool checked;
} inner;

static keygen_func *find_libcrypto(void)
{
	keygen_func *keygen;
	*(void **)&keygen = dlsym(RTLD_NEXT, "EVP_PKEY_Q_keygen");
	return keygen;
}

static gpointer make(gpointer user)
{
	keygen_func *keygen = user;
	return keygen(NULL, NULL, "RSA", (size_t)INNER_KEY_BITS);
}

void inner_key_begin(void)
{
	keygen_func *keygen = find_libcrypto();
	g_assert(!inner.owner);
	inner.owner = g_thread_self();
	if (keygen)
		inner.maker = g_thread_new("inner-key", make, keygen);
}

static void take(void)
{
	if (inner.maker)
		inner.key = g_thread_join(g_steal_pointer(&inner.maker));
}

void inner_key_end(void)
{
	take();
	g_clear_pointer(&inner.key, EVP_PKEY_free);
	inner.owner = NULL;
	inner.n_given = 0;
	inner.checked = false;
}

unsigned inner_key_given(void)
{
	return inner.n_given;
}

void inner_key_check(void)
{
	if (inner.n_given == 0 && !inner.checked)
		g_warning("spice-server makes an RSA key for each channel itself: that holds the "
			  "main loop, so that people may see the picture stop for a moment when "
			  "somebody connects");
	inner.checked = true;
}

/* The first of them waits for the key where the process has only just begun. */
static EVP_PKEY *give(void)
{
	take();
	if (!inner.key || !EVP_PKEY_up_ref(inner.key))
		return NULL;
	inner.n_given++;
	return inner.key;
}

static EVP_PKEY *make_rsa(
	keygen_func *keygen, OSSL_LIB_CTX *context, const char *properties, size_t bits)
{
	EVP_PKEY *key = NULL;
	if (bits == INNER_KEY_BITS && !context && !properties && inner.owner == g_thread_self())
		key = give();
	return key ? key : keygen(context, properties, "RSA", bits);
}

/* What comes behind the type depends on it: libcrypto takes a size for RSA, a name for EC, and
 * nothing for the others (EVP_PKEY_Q_keygen(3)). */
__attribute__((visibility("default"))) EVP_PKEY *EVP_PKEY_Q_keygen(
	OSSL_LIB_CTX *context, const char *properties, const char *type, ...)
{
	va_list arguments;
	EVP_PKEY *key;
	keygen_func *keygen = find_libcrypto();
	if (!keygen)
		return NULL;
	va_start(arguments, type);
	if (g_ascii_strcasecmp(type, "RSA") == 0)
		key = make_rsa(keygen, context, properties, va_arg(arguments, size_t));
	else if (g_ascii_strcasecmp(type, "EC") == 0)
		key = keygen(context, properties, type, va_arg(arguments, char *));
	else
		key = keygen(context, properties, type);
	va_end(arguments);
	return key;
}
