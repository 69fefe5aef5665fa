/* SPDX-License-Identifier: MIT */
#include "display/video/video.h"

#include <gst/gst.h>

#include "display/video/choices.h"
#include "display/video/facade.h"
#include "display/video/factories.h"
#include "display/video/own_gpu.h"
#include "display/video/trial.h"
#include "protocol/heartbeat_writer.h"

struct encoder_search {
	const struct video_options *options;
	const struct candidate *forced;               /* NULL: none, or it does not work */
	GstElementFactory *factories[CANDIDATES_MAX]; /* by the candidate's index */
	struct choice choices[CANDIDATE_CODECS][CHOICES_MAX];
	unsigned n_choices[CANDIDATE_CODECS];
	const struct candidate *best[CANDIDATE_CODECS]; /* that works now */
	const struct video_listener *listener;          /* NULL: nobody */
	bool again;                                     /* streams may run meanwhile */
};

static char *codecs_text;
static char *choice_text; /* for people */
static bool uses_gpu;
static struct own_gpu own_gpu = { .cuda_device = -1 };

static struct {
	struct video_options options;
	GThread *thread;
	struct encoder_search search; /* the thread's while it runs */
	bool found;                   /* `done` has something new */
	unsigned source;              /* of `done`, 0: not due */
	GMutex lock;                  /* of `source` */
	unsigned timer;               /* until what was busy is tried again; 0: nothing is */
	void (*done)(void *user);
	void *user;
} start;

static bool is_forced(const struct encoder_search *search, const struct candidate *candidate)
{
	return g_strcmp0(search->options->encoder, candidate->name) == 0;
}

/* The desktop's own GPU is the first choice, and another one none unless it was asked for. */
static GstElementFactory *find_factory(
	const struct encoder_search *search, const struct candidate *candidate)
{
	GstElementFactory *factory = NULL;
	g_autofree char *own = own_gpu_element(&own_gpu, candidate);
	if (own)
		factory = factories_find(candidate, own);
	if (!factory && (own_gpu_may_have(&own_gpu, candidate) || is_forced(search, candidate)))
		factory = factories_find(candidate, candidate->factory);
	return factory;
}

static bool is_looked_for(const struct encoder_search *search, const struct candidate *candidate)
{
	if (search->listener && search->listener->software && candidate->hardware)
		return false;
	return !heartbeat_encoder_is_refused(candidate_index(candidate));
}

static void tell_begin(const struct encoder_search *search, const struct candidate *candidate)
{
	if (search->listener)
		search->listener->begin(search->listener->user, candidate->name);
}

static void find_factories(struct encoder_search *search)
{
	unsigned n_candidates;
	const struct candidate *all = candidates_get(&n_candidates);
	for (unsigned i = 0; i < n_candidates; i++) {
		if (all[i].hardware)
			heartbeat_encoder_on_gpu(i);
	}
	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < n_candidates; i++) {
			/* Software first: no driver keeps that from loading. */
			if (all[i].hardware != (pass == 1) || !is_looked_for(search, &all[i]))
				continue;
			tell_begin(search, &all[i]);
			search->factories[i] = find_factory(search, &all[i]);
		}
	}
}

static enum encoder_state try_choice(
	const struct encoder_search *search, const struct choice *choice, char **reason)
{
	bool any = is_forced(search, choice->candidate);
	return trial_run(choice, any ? NULL : own_gpu.node,
		any || !choice->candidate->is_cuda ? -1 : own_gpu.cuda_device, !search->again,
		reason);
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

static void add_choice(struct encoder_search *search, const struct choice *choice, bool works)
{
	enum candidate_codec codec = choice->candidate->codec;
	search->choices[codec][search->n_choices[codec]++] = *choice;
	if (works && !search->best[codec])
		search->best[codec] = choice->candidate;
	if (works && is_forced(search, choice->candidate))
		search->forced = choice->candidate;
}

static void consider(struct encoder_search *search, const struct candidate *candidate)
{
	unsigned n = search->n_choices[candidate->codec];
	/* A list ends with the first one in software that works: it stands behind hardware. */
	bool enough = n > 0 && !search->choices[candidate->codec][n - 1].candidate->hardware;
	if (enough || n == CHOICES_MAX || !is_wanted(search, candidate))
		return;
	if (heartbeat_encoder_is_refused(candidate_index(candidate)))
		g_warning(
			"video: encoder %s: vitrine-display has crashed in it; not used until the "
			"desktop is started again",
			candidate->name);
	const struct choice choice = {
		.candidate = candidate,
		.factory = search->factories[candidate_index(candidate)],
		.chroma_444 = search->options->chroma_444,
	};
	if (!choice.factory)
		return;
	g_autofree char *reason = NULL;
	enum encoder_state state = try_choice(search, &choice, &reason);
	bool works = state == ENCODER_READY;
	g_info("video: encoder %s %s", candidate->name, works ? "works" : "is there and fails");
	if (!works)
		choices_note_fault(candidate, state, reason);
	/* What failed may have been busy, with another desktop. */
	if (works || (candidate->hardware && !choices_is_out(candidate)))
		add_choice(search, &choice, works);
}

/* Now or later, as what was busy. */
static bool may_serve(const struct candidate *candidate)
{
	return candidate->hardware && !choices_is_out(candidate);
}

static void put_in_service(struct encoder_search *search, GString *said, GString *codecs)
{
	uses_gpu = false;
	for (enum candidate_codec codec = 0; codec < CANDIDATE_CODECS; codec++) {
		const char *name = candidate_codec_name(codec);
		const struct candidate *best = search->best[codec];
		unsigned n = best ? search->n_choices[codec] : 0;
		g_string_append_printf(
			said, "%s%s %s", said->len ? ", " : "", name, best ? best->name : "none");
		choices_set(codec, search->choices[codec], n);
		for (unsigned i = 0; i < search->n_choices[codec]; i++)
			uses_gpu |= may_serve(search->choices[codec][i].candidate);
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

static void publish(struct encoder_search *search)
{
	g_autoptr(GString) said = g_string_new(NULL);
	GString *codecs = g_string_new(NULL);
	put_in_service(search, said, codecs);
	g_free(codecs_text);
	codecs_text = g_string_free(codecs, FALSE);
	g_free(choice_text);
	choice_text = g_strdup(said->str);
}

void video_load(const char *node)
{
	g_autoptr(GError) error = NULL;
	own_gpu_finish(&own_gpu);
	own_gpu_find(&own_gpu, "", node);
	/* CUDA numbers GPUs by their speed otherwise. */
	g_setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID", TRUE);
	/* The VA-API elements of before 1.22 have no names of their own for other GPUs. */
	if (node)
		g_setenv("GST_VAAPI_DRM_DEVICE", node, TRUE);
	if (!gst_init_check(NULL, NULL, &error))
		g_warning("video: GStreamer does not start: %s", error->message);
}

static bool init(struct encoder_search *search, const struct video_options *options)
{
	g_autoptr(GError) error = NULL;
	*search = (struct encoder_search){ .options = options };
	if (!gst_init_check(NULL, NULL, &error)) {
		g_warning("video: GStreamer does not start: %s", error->message);
		return false;
	}
	unsigned n_candidates;
	find_factories(search);
	const struct candidate *candidates = candidates_get(&n_candidates);
	for (unsigned i = 0; i < n_candidates; i++)
		consider(search, &candidates[i]);
	publish(search);
	if (!options->encoder || search->forced)
		return true;
	g_warning("video: no encoder \"%s\" here", options->encoder);
	return false;
}

bool video_init(const struct video_options *options)
{
	struct encoder_search search;
	return init(&search, options);
}

/* ---- what was busy when all were tried, and has nothing behind it ---- */

static bool has_missed(const struct encoder_search *search, enum candidate_codec codec)
{
	bool has = false;
	for (unsigned i = 0; i < search->n_choices[codec] && !search->best[codec]; i++)
		has |= may_serve(search->choices[codec][i].candidate);
	return has;
}

static void try_again(struct encoder_search *search, enum candidate_codec codec)
{
	for (unsigned i = 0; i < search->n_choices[codec] && !search->best[codec]; i++) {
		const struct choice *choice = &search->choices[codec][i];
		g_autofree char *reason = NULL;
		if (!may_serve(choice->candidate))
			continue;
		gint64 since_us = g_get_monotonic_time();
		enum encoder_state state = try_choice(search, choice, &reason);
		if (state != ENCODER_READY) {
			choices_note_fault(choice->candidate, state, reason);
			continue;
		}
		search->best[codec] = choice->candidate;
		if (is_forced(search, choice->candidate))
			search->forced = choice->candidate;
		choices_note_success(choice->candidate, since_us);
	}
}

/* Returns whether one serves that did not, or never will that might have. */
static bool find_missed(struct encoder_search *search)
{
	bool found = false;
	search->again = true;
	for (enum candidate_codec codec = 0; codec < CANDIDATE_CODECS; codec++) {
		if (!has_missed(search, codec))
			continue;
		try_again(search, codec);
		found |= search->best[codec] || !has_missed(search, codec);
	}
	if (found)
		publish(search);
	return found;
}

/* ---- describing ---- */

/* Returns what the first needed property that is an enumeration offers, or NULL. */
static char *list_rate_controls(const struct choice *choice)
{
	GObjectClass *class =
		g_type_class_ref(gst_element_factory_get_element_type(choice->factory));
	const struct candidate_setting *setting = choice->candidate->settings;
	GString *list = g_string_new(NULL);
	for (; setting->property && list->len == 0; setting++) {
		GParamSpec *pspec = g_object_class_find_property(class, setting->property);
		if (!setting->needed || !pspec || !G_IS_PARAM_SPEC_ENUM(pspec))
			continue;
		const GEnumClass *values = G_PARAM_SPEC_ENUM(pspec)->enum_class;
		for (unsigned i = 0; i < values->n_values; i++)
			g_string_append_printf(
				list, "%s%s", i ? ", " : "", values->values[i].value_nick);
	}
	g_type_class_unref(class);
	return g_string_free(list, list->len == 0);
}

static void describe(const struct encoder_search *search, const struct candidate *candidate)
{
	const struct choice choice = { .candidate = candidate,
		.factory = search->factories[candidate_index(candidate)] };
	if (!choice.factory)
		return;
	tell_begin(search, candidate);
	g_autofree char *reason = NULL, *controls = list_rate_controls(&choice);
	g_autofree char *sizes = choice_sizes(&choice);
	enum encoder_state state = try_choice(search, &choice, &reason);
	const struct video_encoder encoder = { .name = candidate->name,
		.element = GST_OBJECT_NAME(choice.factory),
		.codec = candidate_codec_name(candidate->codec),
		.rate_controls = controls,
		.sizes = sizes,
		.reason = state == ENCODER_READY  ? NULL :
			  reason                  ? reason :
			  state == ENCODER_SILENT ? "it does not answer" :
						    "it gives no reason" };
	search->listener->tell(search->listener->user, &encoder);
}

void video_describe(const struct video_listener *listener)
{
	const struct video_options options = { 0 };
	struct encoder_search search = { .options = &options, .listener = listener };
	unsigned n_candidates;
	const struct candidate *all = candidates_get(&n_candidates);
	find_factories(&search);
	for (unsigned i = 0; i < n_candidates; i++)
		describe(&search, &all[i]);
}

/* ---- at the start ---- */

static gpointer run(gpointer user);

static gboolean on_timer(gpointer user)
{
	start.timer = 0;
	g_thread_join(start.thread);
	start.thread = g_thread_new("video", run, &start.search);
	return G_SOURCE_REMOVE;
}

static void plan_next(void)
{
	bool missed = false;
	for (enum candidate_codec codec = 0; codec < CANDIDATE_CODECS; codec++)
		missed |= has_missed(&start.search, codec);
	if (missed)
		start.timer = g_timeout_add(CHOICES_REST_MS, on_timer, NULL);
}

static gboolean on_done(gpointer user)
{
	g_mutex_lock(&start.lock);
	start.source = 0;
	g_mutex_unlock(&start.lock);
	if (start.found) {
		start.done(start.user);
		if (choice_text)
			g_message("video: encoders: %s", choice_text);
	}
	plan_next();
	return G_SOURCE_REMOVE;
}

/* `user`: what was found before, or NULL. */
static gpointer run(gpointer user)
{
	if (user)
		start.found = find_missed(user);
	else
		init(&start.search, &start.options);
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
	start.found = true;
	start.thread = g_thread_new("video", run, NULL);
}

void video_stop(void)
{
	g_clear_pointer(&start.thread, g_thread_join);
	g_clear_handle_id(&start.source, g_source_remove);
	g_clear_handle_id(&start.timer, g_source_remove);
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
