/* SPDX-License-Identifier: MIT */
#include "guest-tools/recover/notice.h"

#include <stdlib.h>
#include <string.h>

#include "guest-tools/common/array.h"
#include "guest-tools/common/text.h"

#define COMM_BYTES 15

struct reader {
	const char *at, *end;
};

static bool take_char(struct reader *reader, char c)
{
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

static bool take_word(struct reader *reader, const char *word)
{
	size_t length = strlen(word);
	if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
		return false;
	reader->at += length;
	return true;
}

static bool take_number(struct reader *reader, uint64_t max, uint64_t *number)
{
	const char *first = reader->at;
	*number = 0;
	for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'; reader->at++) {
		uint64_t digit = (uint64_t)(*reader->at - '0');
		if (*number > (max - digit) / 10)
			return false;
		*number = *number * 10 + digit;
	}
	return reader->at > first && (*first != '0' || reader->at == first + 1);
}

static bool is_small_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool take_cause(struct reader *reader, char *cause, size_t size)
{
	size_t length = 0;
	for (; reader->at < reader->end && (is_small_letter(*reader->at) || *reader->at == '-');
		reader->at++) {
		if (length + 1 == size)
			return false;
		cause[length++] = *reader->at;
	}
	cause[length] = 0;
	return length > 0;
}

/* Letters that we do not know are of a later host, and say nothing that we could use. */
static bool take_flags(struct reader *reader, struct notice_context *context)
{
	if (take_char(reader, '-'))
		return true;
	const char *first = reader->at;
	for (; reader->at < reader->end && is_small_letter(*reader->at); reader->at++) {
		context->has_painted |= *reader->at == GUEST_LOST_PAINTED;
		context->is_blamed |= *reader->at == GUEST_LOST_BLAMED;
	}
	return reader->at > first;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Gives the next byte of a name, or -1. */
static int take_name_byte(struct reader *reader)
{
	char c = *reader->at++;
	bool plain = is_small_letter(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
	if (plain || (c && strchr("._+:/-", c)))
		return (unsigned char)c;
	if (c != '%' || reader->end - reader->at < 2)
		return -1;
	int high = hex_digit(reader->at[0]), low = hex_digit(reader->at[1]);
	reader->at += 2;
	return high < 0 || low < 0 || high + low == 0 ? -1 : high * 16 + low;
}

static bool take_name(struct reader *reader, char name[GUEST_LOST_NAME_BYTES + 1])
{
	size_t length = 0;
	while (reader->at < reader->end && *reader->at != ' ') {
		int byte = take_name_byte(reader);
		if (byte < 0 || length == GUEST_LOST_NAME_BYTES)
			return false;
		name[length++] = (char)byte;
	}
	name[length] = 0;
	return true;
}

static bool take_context(struct reader *reader, struct notice *notice)
{
	uint64_t id;
	if (notice->n_contexts == ARRAY_LENGTH(notice->contexts))
		return false;
	struct notice_context *context = &notice->contexts[notice->n_contexts++];
	*context = (struct notice_context){ 0 };
	if (!take_char(reader, ' ') || !take_number(reader, UINT32_MAX, &id) || id == 0)
		return false;
	context->id = (uint32_t)id;
	return take_char(reader, ',') && take_flags(reader, context) && take_char(reader, ',') &&
	       take_name(reader, context->name);
}

bool notice_parse(struct notice *notice, const char *line, size_t length)
{
	struct reader reader = { line, line + length };
	uint64_t version, n_lost;
	notice->n_contexts = 0;
	if (!take_word(&reader, GUEST_LOST_WORD " ") ||
		!take_number(&reader, UINT32_MAX, &version) || version != GUEST_LOST_VERSION ||
		!take_char(&reader, ' ') || !take_number(&reader, UINT64_MAX, &notice->serial) ||
		!take_char(&reader, ' ') ||
		!take_cause(&reader, notice->cause, sizeof notice->cause) ||
		!take_char(&reader, ' ') ||
		!take_number(&reader, GUEST_LOST_CONTEXTS_MAX, &n_lost) ||
		!take_char(&reader, ' ') || !take_number(&reader, UINT64_MAX, &notice->n_untold))
		return false;
	notice->n_lost = (unsigned)n_lost;
	while (reader.at < reader.end)
		if (!take_context(&reader, notice))
			return false;
	return notice->n_contexts <= notice->n_lost;
}

const char *notice_describe_cause(const struct notice *notice)
{
	static const char *const causes[] = { GUEST_LOST_CAUSES };
	static const char *const sentences[] = { "the host's renderer crashed",
		"the host's renderer hung", "the host's GPU was reset",
		"the host's renderer was ended", "the host's renderer was replaced",
		"the host refused what was drawn" };
	_Static_assert(ARRAY_LENGTH(causes) == ARRAY_LENGTH(sentences), "one for each");
	for (size_t i = 0; i < ARRAY_LENGTH(causes); i++)
		if (strcmp(notice->cause, causes[i]) == 0)
			return sentences[i];
	return "the host's renderer is another one";
}

bool notice_is_refused(const struct notice *notice)
{
	return strcmp(notice->cause, "refused") == 0;
}

const struct notice_context *notice_find_name(const struct notice *notice, const char *name)
{
	const struct notice_context *found = NULL;
	for (unsigned i = 0; i < notice->n_contexts; i++) {
		const struct notice_context *context = &notice->contexts[i];
		if (name[0] && strncmp(context->name, name, COMM_BYTES) == 0 &&
			(!found || context->has_painted))
			found = context;
	}
	return found;
}

bool notice_is_lock(const char *line, size_t length)
{
	return length == strlen(GUEST_LOST_LOCK_LINE) &&
	       memcmp(line, GUEST_LOST_LOCK_LINE, length) == 0;
}
