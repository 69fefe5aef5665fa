/* SPDX-License-Identifier: MIT */
#include "protocol/quotas.h"

#include <glib.h>
#include <string.h>

#include "protocol/ledger.h"

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

/*
 * The costs are those of Mesa's software renderer, since with a GPU's driver much of it lies in the
 * GPU's memory. These were measured with virglrenderer 0.10.4 and Mesa 22.3: a GL context takes 2.7
 * MiB, with a virgl context or as a sub-context; a resource 3 KiB; a rasterizer 0.2 KiB, a sampler
 * 0.6 KiB; a shader 9 KiB and 1.4 times its text, before it is linked. Queries and views are
 * estimates. The most resources and contexts are what the ledger has room for, so that all of them
 * come back after a crash.
 */
const struct quota_row quota_rows[QUOTAS] = {
	[QUOTA_CONTEXTS] = { "contexts", "virgl contexts of the guest", QUOTA_OF_GUEST, 128, 8,
		LEDGER_CONTEXTS_MAX, MIB(3), "CTX_CREATE" },
	[QUOTA_SUB_CONTEXTS] = { "sub-contexts", "GL contexts of one virgl context",
		QUOTA_OF_CONTEXT, 64, 2, 4096, MIB(3), "SUBMIT_3D: CREATE_SUB_CTX", true },
	[QUOTA_OBJECTS] = { "objects", "GL objects of one virgl context", QUOTA_OF_CONTEXT, 131072,
		1024, 1u << 20, KIB(2), "SUBMIT_3D: CREATE_OBJECT" },
	[QUOTA_SHADERS] = { "shaders", "shaders of one virgl context", QUOTA_OF_CONTEXT, 16384, 256,
		1u << 20, KIB(16), "SUBMIT_3D: CREATE_OBJECT of a shader", true },
	[QUOTA_SHADER_BYTES] = { "shader-bytes", "bytes of shaders' text of one virgl context",
		QUOTA_OF_CONTEXT, MIB(64), MIB(1), GIB(1), 4,
		"SUBMIT_3D: CREATE_OBJECT of a shader" },
	[QUOTA_QUERIES] = { "queries", "queries of one virgl context", QUOTA_OF_CONTEXT, 16384, 256,
		1u << 20, KIB(2), "SUBMIT_3D: CREATE_OBJECT of a query" },
	[QUOTA_PROGRAM_BYTES] = { "program-bytes", "bytes of what one virgl context's draws made",
		QUOTA_OF_CONTEXT, GIB(1), MIB(16), GIB(64), 1,
		"SUBMIT_3D, after what it drew with was compiled", .of_textures = true },
	[QUOTA_RESOURCES] = { "resources", "resources of the guest", QUOTA_OF_GUEST,
		LEDGER_RESOURCES_MAX, 256, LEDGER_RESOURCES_MAX, KIB(4),
		"RESOURCE_CREATE_2D and _3D" },
	[QUOTA_TEXTURE_BYTES] = { "texture-bytes",
		"bytes of the guest's textures, buffers and programs", QUOTA_OF_GUEST, GIB(4),
		MIB(64), GIB(1024), 0, "RESOURCE_CREATE_3D" },
	[QUOTA_PICTURE_BYTES] = { "picture-bytes", "bytes of 2D resources and heads' pictures",
		QUOTA_OF_GUEST, GIB(1), MIB(16), GIB(256), 0,
		"RESOURCE_CREATE_2D, SET_SCANOUT, TRANSFER_TO_HOST_2D" },
	[QUOTA_BACKING_ENTRIES] = { "backing-entries", "pieces of guest memory behind resources",
		QUOTA_OF_GUEST, 4u << 20, 65536, 64u << 20, 32, "RESOURCE_ATTACH_BACKING" },
	[QUOTA_BACKING_BYTES] = { "backing-bytes", "bytes of guest memory behind resources",
		QUOTA_OF_GUEST, GIB(64), MIB(256), GIB(16384), 0, "RESOURCE_ATTACH_BACKING" },
	[QUOTA_STAGING_BYTES] = { "staging-bytes", "bytes that one transfer copies",
		QUOTA_OF_COMMAND, MIB(256), MIB(16), GIB(2), 0,
		"TRANSFER_TO_HOST_3D, TRANSFER_FROM_HOST_3D, SUBMIT_3D: TRANSFER3D, "
		"COPY_TRANSFER3D" },
	[QUOTA_ANSWER_BYTES] = { "answer-bytes", "bytes of answers that wait for the GPU",
		QUOTA_OF_GUEST, MIB(4), KIB(64), MIB(256), 1,
		"GET_CAPSET and others with a fence" },
	[QUOTA_OTHER_BYTES] = { "other-bytes", "bytes of all that is counted by number",
		QUOTA_OF_GUEST, MIB(512), MIB(64), GIB(256), 0, "whatever asks for it" },
	[QUOTA_FLUSHES] = { "flushes", "flushes a second of one head", QUOTA_OF_SECOND, 5000, 100,
		1000000, 0, "RESOURCE_FLUSH; what it shows is seen with the next one" },
	[QUOTA_CURSORS] = { "cursors", "cursor commands a second of the guest", QUOTA_OF_SECOND,
		20000, 100, 1000000, 0, "UPDATE_CURSOR, MOVE_CURSOR" },
	[QUOTA_MAKING_TIME] = { "making-time",
		"milliseconds a second that programs wait for what others make", QUOTA_OF_SECOND,
		200, 10, 1000, 0,
		"CTX_CREATE, CTX_ATTACH_RESOURCE, transfers, and SUBMIT_3D that makes a shader or "
		"a GL context, or has something compiled, once 50 s of it are used up" },
};

void quotas_set_initial(struct quota_limits *limits)
{
	for (unsigned i = 0; i < QUOTAS; i++)
		limits->max[i] = quota_rows[i].initial;
}

/* ---- numbers ---- */

static const char suffixes[] = "KMGT";

char *quotas_format_number(uint64_t number)
{
	unsigned n = 0;
	while (n < strlen(suffixes) && number != 0 && number % 1024 == 0) {
		number /= 1024;
		n++;
	}
	return n == 0 ? g_strdup_printf("%" G_GUINT64_FORMAT, number) :
			g_strdup_printf("%" G_GUINT64_FORMAT "%c", number, suffixes[n - 1]);
}

/* "0x10" is no number, nor is "+1": only digits, and at most one suffix. */
static bool parse_number(const char *text, uint64_t *number)
{
	char *end;
	if (!g_ascii_isdigit(*text))
		return false;
	uint64_t value = g_ascii_strtoull(text, &end, 10);
	const char *suffix = *end ? strchr(suffixes, *end) : NULL;
	if (value == UINT64_MAX || (*end && !suffix) || (suffix && end[1]))
		return false;
	unsigned shift = suffix ? 10 * (unsigned)(suffix - suffixes + 1) : 0;
	*number = value << shift;
	return *number >> shift == value;
}

/* ---- the option ---- */

static const struct quota_row *find_row(const char *name, size_t length)
{
	for (unsigned i = 0; i < QUOTAS; i++) {
		const char *known = quota_rows[i].name;
		if (strlen(known) == length && strncmp(known, name, length) == 0)
			return &quota_rows[i];
	}
	return NULL;
}

static char *describe_names(void)
{
	GString *names = g_string_new("is none of");
	for (unsigned i = 0; i < QUOTAS; i++)
		g_string_append_printf(names, "%s %s", i ? "," : "", quota_rows[i].name);
	return g_string_free(names, FALSE);
}

static char *describe_range(const struct quota_row *row)
{
	g_autofree char *min = quotas_format_number(row->min);
	g_autofree char *max = quotas_format_number(row->max);
	return g_strdup_printf("%s: from %s to %s %s", row->name, min, max, row->unit);
}

static char *parse_one(struct quota_limits *limits, const char *text)
{
	const char *equals = strchr(text, '=');
	if (!equals)
		return g_strdup("is not NAME=VALUE");
	const struct quota_row *row = find_row(text, (size_t)(equals - text));
	uint64_t number;
	if (!row)
		return describe_names();
	if (!parse_number(equals + 1, &number) || number < row->min || number > row->max)
		return describe_range(row);
	limits->max[row - quota_rows] = number;
	return NULL;
}

char *quotas_parse(struct quota_limits *limits, const char *text)
{
	struct quota_limits result = *limits;
	g_auto(GStrv) parts = g_strsplit(text, ",", -1);
	for (unsigned i = 0; parts[i]; i++) {
		char *reason = parse_one(&result, parts[i]);
		if (reason)
			return reason;
	}
	*limits = result;
	return NULL;
}

char *quotas_format(const struct quota_limits *limits)
{
	GString *text = g_string_new(NULL);
	for (unsigned i = 0; i < QUOTAS; i++) {
		if (limits->max[i] == quota_rows[i].initial)
			continue;
		g_autofree char *number = quotas_format_number(limits->max[i]);
		g_string_append_printf(
			text, "%s%s=%s", text->len ? "," : "", quota_rows[i].name, number);
	}
	return g_string_free(text, text->len == 0);
}

uint64_t quotas_get_memory_bytes(const struct quota_limits *limits)
{
	return limits->max[QUOTA_TEXTURE_BYTES] + limits->max[QUOTA_PICTURE_BYTES] +
	       limits->max[QUOTA_OTHER_BYTES] + limits->max[QUOTA_STAGING_BYTES] +
	       QUOTAS_PROCESS_BYTES;
}
