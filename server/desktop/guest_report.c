/* SPDX-License-Identifier: MIT */
#include "server/desktop/guest_report.h"

#include <errno.h>
#include <glib-unix.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/guest_report.h"
#include "server/desktop/limits.h"

struct guest_report {
	int fd;
	char *path;
	unsigned source, pause;
	size_t used;
	bool skipping; /* the rest of a line that was too long */
	char *verdict; /* last one logged */
	char buffer[GUEST_REPORT_TEXT_LINE_MAX];
};

static GQuark report_error(void)
{
	return g_quark_from_static_string("vitrine-guest-report");
}

/* Gives what the guest wrote as valid, printable text of bounded length. The caller frees it. */
static char *clean(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	GString *out = g_string_new(NULL);
	for (const char *at = valid; *at && out->len < GUEST_REPORT_TEXT_MAX_BYTES;
		at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);
		g_string_append_unichar(out, g_unichar_isprint(c) ? c : ' ');
	}
	return g_string_free(out, FALSE);
}

static const char *member_text(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);
	if (!node || !JSON_NODE_HOLDS_VALUE(node) ||
		json_node_get_value_type(node) != G_TYPE_STRING)
		return NULL;
	return json_node_get_string(node);
}

static void keep_accelerated(GKeyFile *file, JsonObject *object)
{
	JsonNode *node = json_object_get_member(object, "accelerated");
	const char *text = "unknown";
	if (node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_BOOLEAN)
		text = json_node_get_boolean(node) ? "yes" : "no";
	g_key_file_set_string(file, GUEST_REPORT_GROUP, "accelerated", text);
}

static bool is_report(JsonObject *object)
{
	JsonNode *version = json_object_get_member(object, "vitrine_guest_report");
	return version && JSON_NODE_HOLDS_VALUE(version) &&
	       json_node_get_value_type(version) == G_TYPE_INT64 &&
	       json_node_get_int(version) == GUEST_REPORT_VERSION &&
	       member_text(object, "verdict") != NULL;
}

GKeyFile *guest_report_parse(const char *text_line, size_t length, GError **error)
{
	static const char *const texts[] = { "verdict", "renderer", "cause", "fix", "os",
		"kernel" };
	g_autoptr(JsonParser) parser = json_parser_new();
	if (!json_parser_load_from_data(parser, text_line, (gssize)length, error))
		return NULL;
	JsonNode *root = json_parser_get_root(parser);
	if (!root || !JSON_NODE_HOLDS_OBJECT(root) || !is_report(json_node_get_object(root))) {
		g_set_error_literal(error, report_error(), 0, "not a report of version 1");
		return NULL;
	}
	JsonObject *object = json_node_get_object(root);
	GKeyFile *file = g_key_file_new();
	keep_accelerated(file, object);
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
		const char *text = member_text(object, texts[i]);
		g_autofree char *cleaned = text ? clean(text) : NULL;
		if (cleaned)
			g_key_file_set_string(file, GUEST_REPORT_GROUP, texts[i], cleaned);
	}
	return file;
}

static void take_text_line(struct guest_report *report, const char *text_line, size_t length)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GKeyFile) file = guest_report_parse(text_line, length, &error);
	if (!file) {
		g_debug("the guest's report is refused: %s", error->message);
		return;
	}
	if (!g_key_file_save_to_file(file, report->path, &error)) {
		g_warning("the guest's report is not kept: %s", error->message);
		return;
	}
	g_autofree char *verdict = g_key_file_get_string(file, GUEST_REPORT_GROUP, "verdict", NULL);
	if (g_strcmp0(verdict, report->verdict) == 0)
		return;
	g_info("guest: %s", verdict);
	g_free(report->verdict);
	report->verdict = g_steal_pointer(&verdict);
}

/* Takes the first whole line out of the buffer, and gives false when there is none. */
static bool take_first_text_line(struct guest_report *report)
{
	char *end = memchr(report->buffer, '\n', report->used);
	if (!end)
		return false;
	size_t length = (size_t)(end - report->buffer);
	if (!report->skipping)
		take_text_line(report, report->buffer, length);
	report->skipping = false;
	report->used -= length + 1;
	memmove(report->buffer, end + 1, report->used);
	return true;
}

static gboolean on_readable(int fd, GIOCondition condition, gpointer user);

static gboolean on_pause_end(gpointer user)
{
	struct guest_report *report = user;
	if (take_first_text_line(report))
		return G_SOURCE_CONTINUE;
	report->pause = 0;
	report->source = g_unix_fd_add(report->fd, G_IO_IN | G_IO_HUP, on_readable, report);
	return G_SOURCE_REMOVE;
}

static gboolean on_readable(int fd, GIOCondition condition, gpointer user)
{
	struct guest_report *report = user;
	if (report->used == sizeof report->buffer) {
		report->used = 0;
		report->skipping = true;
	}
	ssize_t n = read(fd, report->buffer + report->used, sizeof report->buffer - report->used);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	report->source = 0;
	if (n <= 0)
		return G_SOURCE_REMOVE; /* QEMU is gone */
	report->used += (size_t)n;
	take_first_text_line(report);
	report->pause = g_timeout_add(GUEST_REPORT_PAUSE_MS, on_pause_end, report);
	return G_SOURCE_REMOVE;
}

struct guest_report *guest_report_create(int fd, const char *path)
{
	g_assert(fd >= 0 && path);
	struct guest_report *report = g_new0(struct guest_report, 1);
	report->fd = fd;
	report->path = g_strdup(path);
	g_unix_set_fd_nonblocking(fd, TRUE, NULL);
	report->source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP, on_readable, report);
	return report;
}

void guest_report_destroy(struct guest_report *report)
{
	if (!report)
		return;
	g_clear_handle_id(&report->source, g_source_remove);
	g_clear_handle_id(&report->pause, g_source_remove);
	close(report->fd);
	g_free(report->path);
	g_free(report->verdict);
	g_free(report);
}
