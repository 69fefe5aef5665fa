/* SPDX-License-Identifier: MIT */
#include "display/video/video.h"

#include <gst/gst.h>

#include "display/video/candidates.h"
#include "display/video/facade.h"
#include "display/video/trial.h"

struct encoder_search {
	const struct video_options *options;
	const struct candidate *forced; /* NULL: none, or it does not work */
	struct facade_choice choices[CANDIDATE_CODECS][FACADE_CHOICES_MAX];
	unsigned n_choices[CANDIDATE_CODECS];
};

static char *codecs_text;
static char *choice_text; /* for people */
static bool uses_gpu;

static struct {
	struct video_options options;
	GThread *thread;
	unsigned source; /* of `done`, 0: not due */
	GMutex lock;     /* of `source` */
	void (*done)(void *user);
	void *user;
} start;

/*
 * Returns the machine's factory of that name, or NULL. It is loaded here, since one that is not
 * loads by its name at its first use, and that would find our element. It is never unreferenced,
 * because elements are made of it as long as the process lives.
 */
static GstElementFactory *find_factory(const char *name)
{
	GstElementFactory *found = gst_element_factory_find(name);
	if (!found)
		return NULL;
	GstPluginFeature *loaded = gst_plugin_feature_load(GST_PLUGIN_FEATURE(found));
	gst_object_unref(found);
	return loaded ? GST_ELEMENT_FACTORY(loaded) : NULL;
}

static bool try_candidate(struct facade_choice *choice)
{
	enum candidate_codec codec = choice->candidate->codec;
	facade_set_choices(codec, choice, 1);
	GstElement *element = g_object_new(facade_type(codec), NULL);
	bool passed = trial_passes(element);
	g_info("video: encoder %s %s", choice->candidate->name,
		passed ? "works" : "is there and fails");
	return passed;
}

/*
 * The encoder that was asked for is the only one that its codec wants. Other codecs want all:
 * consider() stops at the first in software, which serves when hardware fails later.
 */
static bool is_wanted(const struct encoder_search *search, const struct candidate *candidate)
{
	const char *forced = search->options->encoder;
	unsigned n_candidates;
	const struct candidate *all = candidates_get(&n_candidates);
	for (unsigned i = 0; forced && i < n_candidates; i++) {
		if (g_str_equal(all[i].name, forced) && all[i].codec == candidate->codec)
			return candidate == &all[i];
	}
	return true;
}

static void consider(struct encoder_search *search, const struct candidate *candidate)
{
	unsigned *n = &search->n_choices[candidate->codec];
	/* A list ends with the first one in software that works: it stands behind hardware. */
	bool enough = *n > 0 && !search->choices[candidate->codec][*n - 1].candidate->hardware;
	if (enough || *n == FACADE_CHOICES_MAX || !is_wanted(search, candidate))
		return;
	struct facade_choice choice = {
		.candidate = candidate,
		.factory = find_factory(candidate->factory),
		.chroma_444 = search->options->chroma_444,
	};
	if (!choice.factory || !try_candidate(&choice))
		return;
	search->choices[candidate->codec][(*n)++] = choice;
	if (g_strcmp0(search->options->encoder, candidate->name) == 0)
		search->forced = candidate;
}

static void put_in_service(struct encoder_search *search, GString *said, GString *codecs)
{
	for (enum candidate_codec codec = 0; codec < CANDIDATE_CODECS; codec++) {
		const char *name = candidate_codec_name(codec);
		unsigned n = search->n_choices[codec];
		g_string_append_printf(said, "%s%s %s", said->len ? ", " : "", name,
			n ? search->choices[codec][0].candidate->name : "none");
		facade_set_choices(codec, search->choices[codec], n);
		for (unsigned i = 0; i < n; i++)
			uses_gpu |= search->choices[codec][i].candidate->hardware;
		if (n == 0)
			continue;
		gst_element_register(
			NULL, candidate_codec_element(codec), GST_RANK_NONE, facade_type(codec));
		bool first = search->forced && search->forced->codec == codec;
		g_autofree char *entry = g_strdup_printf("gstreamer:%s;", name);
		g_string_insert(codecs, first ? 0 : -1, entry);
	}
	g_string_append(codecs, "spice:mjpeg");
}

void video_load(void)
{
	g_autoptr(GError) error = NULL;
	if (!gst_init_check(NULL, NULL, &error))
		g_warning("video: GStreamer does not start: %s", error->message);
}

bool video_init(const struct video_options *options)
{
	g_autoptr(GError) error = NULL;
	if (!gst_init_check(NULL, NULL, &error)) {
		g_warning("video: GStreamer does not start: %s", error->message);
		return false;
	}
	struct encoder_search search = { .options = options };
	unsigned n_candidates;
	const struct candidate *candidates = candidates_get(&n_candidates);
	for (unsigned i = 0; i < n_candidates; i++)
		consider(&search, &candidates[i]);
	g_autoptr(GString) said = g_string_new(NULL);
	GString *codecs = g_string_new(NULL);
	put_in_service(&search, said, codecs);
	g_free(codecs_text);
	codecs_text = g_string_free(codecs, FALSE);
	g_free(choice_text);
	choice_text = g_strdup(said->str);
	if (!options->encoder || search.forced)
		return true;
	g_warning("video: no encoder \"%s\" here", options->encoder);
	return false;
}

static gboolean on_done(gpointer user)
{
	g_mutex_lock(&start.lock);
	start.source = 0;
	g_mutex_unlock(&start.lock);
	start.done(start.user);
	if (choice_text)
		g_message("video: encoders: %s", choice_text);
	return G_SOURCE_REMOVE;
}

static gpointer run_init(gpointer user)
{
	video_init(&start.options);
	g_mutex_lock(&start.lock);
	start.source = g_idle_add_full(G_PRIORITY_HIGH, on_done, NULL, NULL);
	g_mutex_unlock(&start.lock);
	return NULL;
}

void video_start(const struct video_options *options, void (*done)(void *user), void *user)
{
	g_assert(!start.thread);
	start.options = *options;
	start.done = done;
	start.user = user;
	start.thread = g_thread_new("video", run_init, NULL);
}

void video_stop(void)
{
	g_clear_pointer(&start.thread, g_thread_join);
	g_clear_handle_id(&start.source, g_source_remove);
}

bool video_uses_gpu(void)
{
	return uses_gpu;
}

const char *video_codecs(void)
{
	return codecs_text ? codecs_text : "spice:mjpeg";
}

void video_set_line(uint64_t (*line_bps)(void *user), void *user)
{
	facade_set_line(line_bps, user);
}
