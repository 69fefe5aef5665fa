/* SPDX-License-Identifier: MIT */
#include "display/video/factories.h"

#include <stdbool.h>

#include "protocol/heartbeat_writer.h"

/* One reference is the caller's, one the thread's. */
struct lookup {
	const struct candidate *candidate;
	char *name;
	GMutex lock;
	GCond changed;
	bool over;
	GstElementFactory *factory;
	gint references;
};

static bool is_stuck;

static void lookup_unref(struct lookup *lookup)
{
	if (!g_atomic_int_dec_and_test(&lookup->references))
		return;
	g_mutex_clear(&lookup->lock);
	g_cond_clear(&lookup->changed);
	g_free(lookup->name);
	g_free(lookup);
}

static GstElementFactory *find(const char *name)
{
	GstElementFactory *found = gst_element_factory_find(name);
	if (!found)
		return NULL;
	GstPluginFeature *loaded = gst_plugin_feature_load(GST_PLUGIN_FEATURE(found));
	gst_object_unref(found);
	return loaded ? GST_ELEMENT_FACTORY(loaded) : NULL;
}

static gpointer run(gpointer user)
{
	struct lookup *lookup = user;
	unsigned index = candidate_index(lookup->candidate);
	heartbeat_encoder_begin(index, true);
	GstElementFactory *factory = find(lookup->name);
	heartbeat_encoder_end(index, true);
	g_mutex_lock(&lookup->lock);
	lookup->factory = factory;
	lookup->over = true;
	g_cond_broadcast(&lookup->changed);
	g_mutex_unlock(&lookup->lock);
	lookup_unref(lookup);
	return NULL;
}

static GstElementFactory *wait_over(struct lookup *lookup)
{
	gint64 end_us = g_get_monotonic_time() + (gint64)FACTORIES_TIMEOUT_MS * 1000;
	g_mutex_lock(&lookup->lock);
	while (!lookup->over && g_cond_wait_until(&lookup->changed, &lookup->lock, end_us))
		;
	is_stuck = !lookup->over;
	GstElementFactory *factory = lookup->factory;
	g_mutex_unlock(&lookup->lock);
	if (is_stuck)
		g_warning("video: the plugin of %s does not load in %u s: no encoder on a GPU is "
			  "used",
			lookup->name, FACTORIES_TIMEOUT_MS / 1000);
	return factory;
}

GstElementFactory *factories_find(const struct candidate *candidate, const char *name)
{
	if (is_stuck)
		return NULL;
	struct lookup *lookup = g_new0(struct lookup, 1);
	lookup->candidate = candidate;
	lookup->name = g_strdup(name);
	lookup->references = 2;
	g_mutex_init(&lookup->lock);
	g_cond_init(&lookup->changed);
	g_thread_unref(g_thread_new("find-encoder", run, lookup));
	GstElementFactory *factory = wait_over(lookup);
	lookup_unref(lookup);
	return factory;
}
