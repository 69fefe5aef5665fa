/* SPDX-License-Identifier: MIT */
#include "display/relay/link_keys.h"

#include <glib.h>

struct link_keys {
	void (*ready)(void *user);
	void *user;
	GMainContext *context;
	GThread *owner;
	struct link_key *key; /* NULL: none yet */
	gint64 made_us;       /* when a key was begun last */
	GThread *maker;       /* NULL: no key is being made */
	GSource *delivery;    /* the maker attaches it when it is done */
	GSource *retry;       /* waits until a first key is tried again; NULL: there is no need */
};

/* Without a first key nobody can come in. */
#define KEY_RETRY_MS 500

static gpointer make(gpointer user)
{
	struct link_keys *keys = user;
	struct link_key *key = link_key_create();
	g_source_attach(keys->delivery, keys->context);
	return key;
}

/* Takes the key from the maker, which is done or is waited for. */
static void take(struct link_keys *keys)
{
	struct link_key *key = g_thread_join(g_steal_pointer(&keys->maker));
	g_source_destroy(keys->delivery);
	g_clear_pointer(&keys->delivery, g_source_unref);
	if (!key)
		return;
	link_key_unref(keys->key);
	keys->key = key;
}

static void begin(struct link_keys *keys);

static gboolean on_retry(gpointer user)
{
	struct link_keys *keys = user;
	g_clear_pointer(&keys->retry, g_source_unref);
	if (!keys->maker)
		begin(keys);
	return G_SOURCE_REMOVE;
}

static gboolean on_made(gpointer user)
{
	struct link_keys *keys = user;
	bool first = !keys->key;
	take(keys);
	if (first && keys->key) {
		keys->ready(keys->user);
	} else if (first) {
		keys->retry = g_timeout_source_new(KEY_RETRY_MS);
		g_source_set_callback(keys->retry, on_retry, keys, NULL);
		g_source_attach(keys->retry, keys->context);
	}
	return G_SOURCE_REMOVE;
}

static void begin(struct link_keys *keys)
{
	keys->made_us = g_get_monotonic_time();
	keys->delivery = g_idle_source_new();
	g_source_set_priority(keys->delivery, G_PRIORITY_DEFAULT);
	g_source_set_callback(keys->delivery, on_made, keys, NULL);
	keys->maker = g_thread_new("link-key", make, keys);
}

struct link_keys *link_keys_create(void (*ready)(void *user), void *user)
{
	struct link_keys *keys = g_new0(struct link_keys, 1);
	keys->ready = ready;
	keys->user = user;
	keys->context = g_main_context_ref_thread_default();
	keys->owner = g_thread_self();
	begin(keys);
	return keys;
}

void link_keys_destroy(struct link_keys *keys)
{
	if (!keys)
		return;
	if (keys->maker)
		take(keys);
	if (keys->retry)
		g_source_destroy(keys->retry);
	g_clear_pointer(&keys->retry, g_source_unref);
	link_key_unref(keys->key);
	g_main_context_unref(keys->context);
	g_free(keys);
}

struct link_key *link_keys_get(struct link_keys *keys)
{
	g_assert(keys->owner == g_thread_self());
	bool old = g_get_monotonic_time() - keys->made_us >= LINK_KEYS_AGE_S * G_USEC_PER_SEC;
	if (!keys->maker && !keys->retry && old)
		begin(keys);
	return keys->key ? link_key_ref(keys->key) : NULL;
}
