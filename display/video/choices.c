/* SPDX-License-Identifier: MIT */
#include "display/video/choices.h"

#include <string.h>

#include "display/video/convert.h"

struct standing {
	bool is_out;
	gint64 fails_since_us; /* 0: what began last has worked */
	gint64 rests_until_us; /* 0: it does not */
};

static struct {
	GMutex lock;
	struct choice lists[CANDIDATE_CODECS][CHOICES_MAX];
	unsigned n[CANDIDATE_CODECS];
	struct standing standings[CANDIDATES_MAX];
} state;

static struct standing *standing_of(const struct candidate *candidate)
{
	return &state.standings[candidate_index(candidate)];
}

void choices_set(enum candidate_codec codec, const struct choice *choices, unsigned n_choices)
{
	g_mutex_lock(&state.lock);
	state.n[codec] = MIN(n_choices, CHOICES_MAX);
	memcpy(state.lists[codec], choices, state.n[codec] * sizeof(*choices));
	g_mutex_unlock(&state.lock);
}

const char *choice_format(const struct choice *choice)
{
	bool sharp = choice->chroma_444 && choice->candidate->rate == CANDIDATE_RATE_X264;
	return sharp ? "Y444" : choice->candidate->format;
}

static bool takes_size(const struct choice *choice, int width, int height)
{
	const char *format = choice_format(choice);
	if (!convert_takes_size(format, width, height))
		return false;
	g_autoptr(GstCaps) caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING,
		format, "width", G_TYPE_INT, width, "height", G_TYPE_INT, height, NULL);
	return gst_element_factory_can_sink_any_caps(choice->factory, caps);
}

static int bound_of(const GValue *value, bool upper)
{
	if (value && GST_VALUE_HOLDS_INT_RANGE(value))
		return upper ? gst_value_get_int_range_max(value) :
			       gst_value_get_int_range_min(value);
	return value && G_VALUE_HOLDS_INT(value) ? g_value_get_int(value) : upper ? G_MAXINT : 1;
}

/* What is in a GPU's memory already may have other sizes, and is not ours. */
static const GstStructure *find_system_memory(GstCaps *caps)
{
	for (unsigned i = 0; i < gst_caps_get_size(caps); i++) {
		if (gst_caps_features_is_equal(
			    gst_caps_get_features(caps, i), GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY))
			return gst_caps_get_structure(caps, i);
	}
	return NULL;
}

char *choice_sizes(const struct choice *choice)
{
	const GList *each = gst_element_factory_get_static_pad_templates(choice->factory);
	const GstStructure *sizes = NULL;
	g_autoptr(GstCaps) caps = NULL;
	for (; each && !caps; each = each->next) {
		GstStaticPadTemplate *pad = each->data;
		if (pad->direction == GST_PAD_SINK)
			caps = gst_static_caps_get(&pad->static_caps);
	}
	if (caps && !gst_caps_is_any(caps))
		sizes = find_system_memory(caps);
	const GValue *width = sizes ? gst_structure_get_value(sizes, "width") : NULL,
		     *height = sizes ? gst_structure_get_value(sizes, "height") : NULL;
	if (bound_of(width, true) == G_MAXINT)
		return g_strdup("any size");
	return g_strdup_printf("%dx%d to %dx%d", bound_of(width, false), bound_of(height, false),
		bound_of(width, true), bound_of(height, true));
}

static bool may_be_used(const struct choice *choice)
{
	const struct standing *standing = standing_of(choice->candidate);
	bool rests = g_get_monotonic_time() < standing->rests_until_us;
	return !standing->is_out && !(rests && choice->candidate->hardware);
}

bool choices_pick(enum candidate_codec codec, int width, int height, const struct candidate *own,
	struct choice *choice)
{
	bool found = false;
	g_mutex_lock(&state.lock);
	for (unsigned i = 0; i < state.n[codec] && !found; i++) {
		const struct choice *each = &state.lists[codec][i];
		if (each->candidate == own)
			break;
		found = may_be_used(each) && takes_size(each, width, height);
		if (found)
			*choice = *each;
	}
	g_mutex_unlock(&state.lock);
	return found;
}

/* What runs in software is the last there is, so it is tried whatever happened. */
static bool is_final(const struct candidate *candidate, enum encoder_state fault)
{
	return fault == ENCODER_UNFIT || (fault == ENCODER_SILENT && candidate->hardware);
}

static void say_fault(
	const struct candidate *candidate, enum encoder_state fault, const char *reason, bool again)
{
	const char *why = reason                  ? reason :
			  fault == ENCODER_SILENT ? "it does not answer" :
						    "it gives no reason";
	const char *what = is_final(candidate, fault) ? "not used any more" :
			   candidate->hardware        ? "tried again in a minute" :
							"tried again with the next picture";
	if (again)
		g_debug("video: encoder %s failed again: %s", candidate->name, why);
	else
		g_warning("video: encoder %s: %s; %s", candidate->name, why, what);
}

void choices_note_fault(
	const struct candidate *candidate, enum encoder_state fault, const char *reason)
{
	g_mutex_lock(&state.lock);
	struct standing *standing = standing_of(candidate);
	gint64 now_us = g_get_monotonic_time();
	bool final = is_final(candidate, fault);
	bool again = final ? standing->is_out : standing->fails_since_us > 0;
	if (!standing->fails_since_us)
		standing->fails_since_us = now_us;
	standing->is_out |= final;
	standing->rests_until_us = now_us + CHOICES_REST_MS * 1000;
	g_mutex_unlock(&state.lock);
	say_fault(candidate, fault, reason, again);
}

void choices_note_success(const struct candidate *candidate, gint64 since_us)
{
	g_mutex_lock(&state.lock);
	struct standing *standing = standing_of(candidate);
	bool again = standing->fails_since_us > 0 && since_us > standing->fails_since_us &&
		     !standing->is_out;
	if (again)
		standing->fails_since_us = 0;
	g_mutex_unlock(&state.lock);
	if (again)
		g_message("video: encoder %s works again", candidate->name);
}

bool choices_is_out(const struct candidate *candidate)
{
	g_mutex_lock(&state.lock);
	bool is_out = standing_of(candidate)->is_out;
	g_mutex_unlock(&state.lock);
	return is_out;
}
