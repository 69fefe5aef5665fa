/* SPDX-License-Identifier: MIT */
/* spice-probe's clipboard and dropped files, as a desktop's client has them with an agent in the
 * guest. */
#include <spice/vd_agent.h>
#include <string.h>

#include "tests/client/probe_call.h"

static const char *const selections[] = { "clipboard", "primary" };
static const struct {
	const char *name;
	uint32_t type;
} kinds[] = {
	{ "none", VD_AGENT_CLIPBOARD_NONE },
	{ "text", VD_AGENT_CLIPBOARD_UTF8_TEXT },
	{ "png", VD_AGENT_CLIPBOARD_IMAGE_PNG },
	{ "bmp", VD_AGENT_CLIPBOARD_IMAGE_BMP },
	{ "tiff", VD_AGENT_CLIPBOARD_IMAGE_TIFF },
	{ "jpeg", VD_AGENT_CLIPBOARD_IMAGE_JPG },
	{ "files", VD_AGENT_CLIPBOARD_FILE_LIST },
};

/* ---- what comes ---- */

static struct probe_clipboard *find(struct probe *probe, guint selection)
{
	return selection < PROBE_SELECTIONS ? &probe->clipboards[selection] : NULL;
}

static gboolean on_grab(
	SpiceMainChannel *channel, guint selection, guint32 *types, guint n_types, gpointer user)
{
	struct probe_clipboard *clipboard = find(user, selection);
	if (!clipboard)
		return FALSE;
	clipboard->n_grabs++;
	clipboard->types = 0;
	for (guint i = 0; i < n_types; i++)
		clipboard->types |= types[i] < 32 ? 1u << types[i] : 0;
	return TRUE;
}

static void on_release(SpiceMainChannel *channel, guint selection, gpointer user)
{
	struct probe_clipboard *clipboard = find(user, selection);
	if (clipboard)
		clipboard->types = 0;
}

static void on_content(SpiceMainChannel *channel, guint selection, guint type, gpointer data,
	guint size, gpointer user)
{
	struct probe_clipboard *clipboard = find(user, selection);
	if (!clipboard)
		return;
	g_clear_pointer(&clipboard->got, g_bytes_unref);
	clipboard->got = g_bytes_new(data, size);
	clipboard->got_type = type;
}

static gboolean on_request(SpiceMainChannel *channel, guint selection, guint type, gpointer user)
{
	struct probe_clipboard *clipboard = find(user, selection);
	gsize size = 0;
	if (!clipboard)
		return FALSE;
	clipboard->n_requests++;
	if (!clipboard->offered || type != clipboard->offered_type)
		return FALSE;
	gconstpointer data = g_bytes_get_data(clipboard->offered, &size);
	spice_main_channel_clipboard_selection_notify(channel, selection, type, data, size);
	return TRUE;
}

void agent_attach(struct probe *probe)
{
	g_signal_connect(probe->main, "main-clipboard-selection-grab", G_CALLBACK(on_grab), probe);
	g_signal_connect(
		probe->main, "main-clipboard-selection-release", G_CALLBACK(on_release), probe);
	g_signal_connect(probe->main, "main-clipboard-selection", G_CALLBACK(on_content), probe);
	g_signal_connect(
		probe->main, "main-clipboard-selection-request", G_CALLBACK(on_request), probe);
}

/* ---- arguments ---- */

static int arg_selection(struct call *call, unsigned index)
{
	for (int i = 0; i < PROBE_SELECTIONS; i++) {
		if (index < call->n_args && strcmp(call->args[index], selections[i]) == 0)
			return i;
	}
	call_fail(call, "no selection: it is clipboard or primary");
	return -1;
}

static uint32_t arg_kind(struct call *call, unsigned index)
{
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (index < call->n_args && strcmp(call->args[index], kinds[i].name) == 0)
			return kinds[i].type;
	}
	call_fail(call, "no kind of content: text, png, bmp, tiff, jpeg, files");
	return 0;
}

static void put_types(struct call *call, uint32_t types)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (size_t i = 1; i < G_N_ELEMENTS(kinds); i++) {
		if (types & 1u << kinds[i].type)
			g_string_append_printf(text, "%s%s", text->len ? "," : "", kinds[i].name);
	}
	call_put_text(call, "types", text->str);
}

/* ---- commands ---- */

static bool has_agent(void *user)
{
	struct probe *probe = user;
	return probe->main && spice_main_channel_agent_test_capability(
				      probe->main, VD_AGENT_CAP_CLIPBOARD_BY_DEMAND);
}

static bool has_no_agent(void *user)
{
	return !has_agent(user);
}

static void run_wait_agent(struct call *call)
{
	bool wanted = call->n_args < 2 || strcmp(call->args[1], "off") != 0;
	if (!probe_wait(call_arg_int(call, 0, 0), wanted ? has_agent : has_no_agent, call->probe))
		call_fail(call, "timeout");
}

static void run_offer(struct call *call)
{
	int selection = arg_selection(call, 0);
	uint32_t type = arg_kind(call, 1);
	g_autoptr(GError) error = NULL;
	char *data;
	gsize size;
	if (call->error)
		return;
	if (!g_file_get_contents(call->args[2], &data, &size, &error)) {
		call_fail(call, "%s", error->message);
		return;
	}
	struct probe_clipboard *clipboard = &call->probe->clipboards[selection];
	g_clear_pointer(&clipboard->offered, g_bytes_unref);
	clipboard->offered = g_bytes_new_take(data, size);
	clipboard->offered_type = type;
	clipboard->n_requests = 0;
	spice_main_channel_clipboard_selection_grab(call->probe->main, (guint)selection, &type, 1);
}

static bool was_grabbed(void *user)
{
	const struct probe_clipboard *clipboard = user;
	return clipboard->n_grabs > clipboard->n_grabs_seen;
}

static void run_wait_grab(struct call *call)
{
	int selection = arg_selection(call, 0);
	if (call->error)
		return;
	struct probe_clipboard *clipboard = &call->probe->clipboards[selection];
	if (!probe_wait(call_arg_int(call, 1, 0), was_grabbed, clipboard))
		call_fail(call, "timeout");
	clipboard->n_grabs_seen = clipboard->n_grabs;
	put_types(call, clipboard->types);
	call_put_int(call, "now_us", g_get_monotonic_time());
}

static bool has_content(void *user)
{
	const struct probe_clipboard *clipboard = user;
	return clipboard->got != NULL;
}

static void run_paste(struct call *call)
{
	int selection = arg_selection(call, 0);
	uint32_t type = arg_kind(call, 1);
	int64_t start_us = g_get_monotonic_time();
	if (call->error)
		return;
	struct probe_clipboard *clipboard = &call->probe->clipboards[selection];
	g_clear_pointer(&clipboard->got, g_bytes_unref);
	spice_main_channel_clipboard_selection_request(call->probe->main, (guint)selection, type);
	if (!probe_wait(call_arg_int(call, 3, 0), has_content, clipboard)) {
		call_fail(call, "timeout");
		return;
	}
	call_put_int(call, "elapsed_us", g_get_monotonic_time() - start_us);
	gsize size = 0;
	const char *data = g_bytes_get_data(clipboard->got, &size);
	call_put_int(call, "bytes", (int64_t)size);
	call_put_bool(call, "none", clipboard->got_type == VD_AGENT_CLIPBOARD_NONE);
	if (!g_file_set_contents(call->args[2], data ? data : "", (gssize)size, NULL))
		call_fail(call, "cannot write %s", call->args[2]);
}

static void run_requests(struct call *call)
{
	int selection = arg_selection(call, 0);
	if (!call->error)
		call_put_int(call, "requests", call->probe->clipboards[selection].n_requests);
}

struct drop {
	bool ended;
	char *error;
	uint64_t n_progress;
};

static void on_progress(goffset sent, goffset total, gpointer user)
{
	((struct drop *)user)->n_progress++;
}

static void on_dropped(GObject *source, GAsyncResult *result, gpointer user)
{
	struct drop *drop = user;
	g_autoptr(GError) error = NULL;
	if (!spice_main_channel_file_copy_finish(SPICE_MAIN_CHANNEL(source), result, &error))
		drop->error = g_strdup(error ? error->message : "it was refused");
	drop->ended = true;
}

static bool drop_has_ended(void *user)
{
	return ((struct drop *)user)->ended;
}

static void run_drop(struct call *call)
{
	/* It outlives the call when that does not end in time. */
	struct drop *drop = g_new0(struct drop, 1);
	g_autoptr(GFile) file = g_file_new_for_path(call->args[0]);
	GFile *files[] = { file, NULL };
	spice_main_channel_file_copy_async(call->probe->main, files, G_FILE_COPY_NONE, NULL,
		on_progress, drop, on_dropped, drop);
	if (!probe_wait(call_arg_int(call, 1, 0), drop_has_ended, drop))
		call_fail(call, "timeout");
	else if (drop->error)
		call_fail(call, "%s", drop->error);
	call_put_int(call, "progress", (int64_t)drop->n_progress);
}

const struct command agent_commands[] = {
	{ "wait-agent", 1, true, run_wait_agent },
	{ "offer", 3, true, run_offer },
	{ "requests", 1, true, run_requests },
	{ "wait-grab", 2, true, run_wait_grab },
	{ "paste", 4, true, run_paste },
	{ "drop", 2, true, run_drop },
	{ NULL },
};
