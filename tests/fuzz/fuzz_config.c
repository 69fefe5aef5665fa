/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes texts that `vitrine run` and the keeper read: the configuration file and the command line
 * (people's and other programs'), the guest's report about itself, and QEMU's side of QMP. What is
 * taken of an option must come out as a text that gives the same again: what is in force is written
 * into the run directory, and on the keeper's command line.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/desktop/desktop_command_line.h"
#include "server/desktop/desktop_file.h"
#include "server/desktop/desktop_options.h"
#include "server/desktop/guest_report.h"
#include "server/desktop/qmp_client.h"
#include "tests/fuzz/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* ---- the file ---- */

/* Loads a text as a file; returns NULL when it is refused, else what is in force then. */
static char *load(const char *text, size_t length)
{
	static int fd = -1;
	struct desktop desktop;
	g_autofree bool *given = g_new0(bool, desktop_n_options);
	g_autoptr(GError) error = NULL;
	char *made = NULL;
	if (fd < 0)
		fd = memfd_create("config", MFD_CLOEXEC);
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
	g_assert(ftruncate(fd, 0) == 0 && pwrite(fd, text, length, 0) == (ssize_t)length);
	desktop_init(&desktop, DESKTOP_RUN);
	if (desktop_file_load(&desktop, path, given, &error)) {
		g_autoptr(GKeyFile) file = desktop_file_make(&desktop);
		g_assert(!error);
		made = g_key_file_to_data(file, NULL, NULL);
	} else {
		g_assert(error && error->message[0]);
	}
	desktop_finish(&desktop);
	return made;
}

static void fuzz_file(const struct feed *feed)
{
	g_autofree char *made = load((const char *)feed->data, feed->left_bytes);
	if (!made)
		return;
	g_autofree char *again = load(made, strlen(made));
	g_assert(again && strcmp(made, again) == 0);
}

/* ---- the command line ---- */

/* --help ends the process, and --config would read what lies about here. */
static bool is_harmless(const char *word)
{
	return !g_str_has_prefix(word, "--h") && !g_str_has_prefix(word, "--c") &&
	       !g_str_has_prefix(word, "-h") && !g_str_has_prefix(word, "-?");
}

/* Returns the command line of what these words say, or NULL when they are refused. */
static GPtrArray *parse(enum desktop_program program, char *const *words, guint n)
{
	struct desktop desktop;
	g_autoptr(GError) error = NULL;
	/* What GOption takes out of the list stays the caller's. */
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	GPtrArray *made = NULL;
	g_ptr_array_add(list, (char *)"vitrine");
	for (guint i = 0; i < n; i++) {
		if (is_harmless(words[i]))
			g_ptr_array_add(list, words[i]);
	}
	guint n_words = list->len;
	g_ptr_array_add(list, NULL);
	if (desktop_parse(&desktop, program, (int)n_words, (char **)list->pdata, &error)) {
		g_assert(!error);
		made = g_ptr_array_new_with_free_func(g_free);
		desktop_add_arguments(&desktop, program, made);
	} else {
		g_assert(error && error->message[0]);
	}
	desktop_finish(&desktop);
	return made;
}

static void fuzz_command_line(const struct feed *feed, enum desktop_program program)
{
	g_autofree char *text = g_strndup((const char *)feed->data, feed->left_bytes);
	g_auto(GStrv) words = g_strsplit(text, "\n", 32);
	g_autoptr(GPtrArray) made = parse(program, words, g_strv_length(words));
	if (!made)
		return;
	g_autoptr(GPtrArray) again = parse(program, (char **)made->pdata, made->len);
	g_assert(again && again->len == made->len);
	for (guint i = 0; i < made->len; i++)
		g_assert(strcmp(made->pdata[i], again->pdata[i]) == 0);
}

/* ---- JSON ---- */

static void fuzz_report(const struct feed *feed)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GKeyFile) file =
		guest_report_parse((const char *)feed->data, feed->left_bytes, &error);
	g_assert(file ? !error : error && error->message[0]);
	if (!file)
		return;
	g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
	g_assert(g_utf8_validate(text, -1, NULL));
	for (const char *at = text; *at; at++)
		g_assert(*at == '\n' || !g_ascii_iscntrl(*at));
}

struct conversation {
	struct qmp_client *client;
	unsigned n_closed;
};

static void on_ready(void *user)
{
	struct conversation *conversation = user;
	qmp_client_send(conversation->client, "query-status", NULL, -1);
}

static void on_answer(void *user, JsonNode *result, const char *error)
{
	if (error)
		g_assert(strlen(error) < SIZE_MAX);
}

static void on_event(void *user, const char *name, JsonObject *data)
{
	g_assert(strlen(name) < SIZE_MAX);
	if (data)
		g_assert(json_object_get_size(data) < G_MAXUINT);
}

static void on_closed(void *user)
{
	struct conversation *conversation = user;
	conversation->n_closed++;
}

/* QEMU says pieces of the input. */
static void fuzz_qmp(struct feed *feed)
{
	int ends[2];
	struct conversation conversation = { 0 };
	const struct qmp_client_events events = { &conversation, on_ready, on_answer, on_event,
		on_closed };
	const int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
	g_assert(socketpair(AF_UNIX, type, 0, ends) == 0);
	conversation.client = qmp_client_create(ends[1], &events);
	while (feed->left_bytes > 0) {
		size_t n;
		const uint8_t *bytes = feed_take(feed, 1 + feed_u8(feed), &n);
		if (n > 0)
			send(ends[0], bytes, n, MSG_NOSIGNAL);
		while (g_main_context_iteration(NULL, FALSE))
			;
	}
	close(ends[0]);
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_assert(conversation.n_closed == 1);
	qmp_client_destroy(conversation.client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct feed feed = { data, size_bytes };
	feed_drop_log();
	switch (feed_u8(&feed) % 5) {
	case 0:
		fuzz_file(&feed);
		break;
	case 1:
		fuzz_command_line(&feed, DESKTOP_RUN);
		break;
	case 2:
		fuzz_command_line(&feed, DESKTOP_GPU);
		break;
	case 3:
		fuzz_report(&feed);
		break;
	default:
		fuzz_qmp(&feed);
		break;
	}
	return 0;
}
