/* SPDX-License-Identifier: MIT */
#include "common/log.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static const char *log_program = "vitrine";

static const char *find_field(const GLogField *fields, gsize n_fields, const char *key)
{
	for (gsize i = 0; i < n_fields; i++) {
		if (strcmp(fields[i].key, key) == 0)
			return fields[i].value;
	}
	return NULL;
}

void log_defang(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++) {
		/* UTF-8 has 32 more of them, of two bytes. */
		bool is_c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0;
		if (is_c1 || (*c < ' ' && *c != '\n' && *c != '\t') || *c == 0x7f)
			*c = '?';
		if (is_c1)
			*++c = '?';
	}
}

static GLogWriterOutput write_text_line(
	GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user)
{
	const char *domain = find_field(fields, n_fields, "GLIB_DOMAIN");
	const char *message = find_field(fields, n_fields, "MESSAGE");
	if (!message || g_log_writer_default_would_drop(level, domain))
		return G_LOG_WRITER_HANDLED;

	const char *fault = level & G_LOG_LEVEL_CRITICAL ? "CRITICAL: " : "";
	g_autofree char *text_line = g_strdup_printf("%s: %s%s\n", log_program, fault, message);
	log_defang(text_line);
	ssize_t written = write(STDERR_FILENO, text_line, strlen(text_line));
	return written < 0 ? G_LOG_WRITER_UNHANDLED : G_LOG_WRITER_HANDLED;
}

void log_init(const char *program)
{
	log_set_domain(program);
	g_log_set_writer_func(write_text_line, NULL, NULL);
}

void log_set_domain(const char *program)
{
	log_program = program;
}

const char *log_domain(void)
{
	return log_program;
}
