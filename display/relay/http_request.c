/* SPDX-License-Identifier: MIT */
#include "display/relay/http_request.h"

#include <string.h>

#include "display/relay/limits.h"

#define BLANKS " \t"

bool http_request_begins(uint8_t first)
{
	return g_ascii_isupper((char)first) && first != 'R';
}

static enum http_state refuse(struct http_refusal *refusal, const char *status, const char *why)
{
	*refusal = (struct http_refusal){ .status = status, .fields = "", .why = why };
	return HTTP_BROKEN;
}

static enum http_state refuse_form(struct http_refusal *refusal, const char *why)
{
	return refuse(refusal, "400 Bad Request", why);
}

static enum http_state refuse_size(struct http_refusal *refusal, const char *why)
{
	return refuse(refusal, "431 Request Header Fields Too Large", why);
}

/* ---- where it ends ---- */

/*
 * Goes on with the search for the empty line. `seen_bytes` stands at a line's beginning: what is
 * before it has been found in order. HTTP_WHOLE says that the empty line ends at `seen_bytes`.
 */
static enum http_state find_end(
	const uint8_t *bytes, size_t size_bytes, size_t *seen_bytes, struct http_refusal *refusal)
{
	for (;;) {
		const uint8_t *line = bytes + *seen_bytes;
		size_t left_bytes = size_bytes - *seen_bytes;
		const uint8_t *end = memchr(line, '\n', left_bytes);
		size_t line_bytes = end ? (size_t)(end - line) : left_bytes;
		if (line_bytes > REQUEST_LINE_BYTES_MAX + 1 && *seen_bytes == 0)
			return refuse(refusal, "414 URI Too Long",
				"its first line is longer than " G_STRINGIFY(
					REQUEST_LINE_BYTES_MAX) " bytes");
		if (*seen_bytes + line_bytes + 1 > REQUEST_BYTES_MAX)
			return refuse_size(refusal,
				"it is longer than " G_STRINGIFY(REQUEST_BYTES_MAX) " bytes");
		if (!end)
			return HTTP_MORE;
		if (line_bytes == 0 || end[-1] != '\r')
			return refuse_form(refusal, "a line does not end with CR and LF");
		*seen_bytes += line_bytes + 1;
		if (line_bytes == 1)
			return HTTP_WHOLE;
	}
}

/* ---- the first line ---- */

static bool is_token(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (!g_ascii_isalnum(*text) && !strchr("!#$%&'*+-.^_`|~", *text))
			return false;
	}
	return true;
}

/* A version is "HTTP/", a digit, "." and a digit (RFC 9112, 2.3). */
static bool is_version(const char *text)
{
	return strlen(text) == strlen("HTTP/1.1") && g_str_has_prefix(text, "HTTP/") &&
	       g_ascii_isdigit(text[5]) && text[6] == '.' && g_ascii_isdigit(text[7]);
}

/* Cuts the text at its first blank, and returns what follows, or NULL when there is no blank. */
static char *cut(char *text)
{
	char *blank = strchr(text, ' ');
	if (!blank)
		return NULL;
	*blank = '\0';
	return blank + 1;
}

static bool has_control(const char *text)
{
	for (; *text; text++) {
		if (g_ascii_iscntrl(*text) && *text != '\t')
			return true;
	}
	return false;
}

static bool read_first_line(struct http_request *request, char *line)
{
	char *target = cut(line);
	char *version = target ? cut(target) : NULL;
	if (!version || !is_token(line) || *target == '\0' || has_control(target) ||
		strchr(target, '\t') || !is_version(version))
		return false;
	request->method = line;
	request->target = target;
	request->version = version;
	return true;
}

/* The first line is judged as soon as it is there, so that a client that speaks something else need
 * not send a whole head before it is refused. */
static bool is_first_line_good(const uint8_t *bytes, size_t line_bytes)
{
	g_autofree char *line = g_strndup((const char *)bytes, line_bytes);
	struct http_request request;
	return strlen(line) == line_bytes && read_first_line(&request, line);
}

/* ---- the fields ---- */

static char *strip(char *value)
{
	value += strspn(value, BLANKS);
	size_t length = strlen(value);
	while (length > 0 && strchr(BLANKS, value[length - 1]))
		value[--length] = '\0';
	return value;
}

/* Turns each line end that a blank follows into blanks (RFC 9112, 5.2), before lines are cut. */
static void unfold(char *text)
{
	while ((text = strstr(text, "\r\n")) != NULL) {
		if (text[2] == ' ' || text[2] == '\t')
			memset(text, ' ', 2);
		text += 2;
	}
}

static enum http_state read_field(
	struct http_request *request, char *line, struct http_refusal *refusal)
{
	char *colon = strchr(line, ':');
	if (!colon)
		return refuse_form(refusal, "a header has no colon");
	*colon = '\0';
	if (!is_token(line))
		return refuse_form(refusal, "a header's name is none");
	struct http_field field = { .name = line, .value = strip(colon + 1) };
	if (has_control(field.value))
		return refuse_form(refusal, "a header's value has control characters");
	if (request->fields->len == HEADERS_MAX)
		return refuse_size(
			refusal, "it has more than " G_STRINGIFY(HEADERS_MAX) " headers");
	g_array_append_val(request->fields, field);
	return HTTP_WHOLE;
}

/* `text` begins behind the first line, and ends behind the last field's line end. */
static enum http_state read_fields(
	struct http_request *request, char *text, struct http_refusal *refusal)
{
	if (*text == ' ' || *text == '\t')
		return refuse_form(refusal, "its first header goes on from nothing");
	unfold(text);
	for (char *end; (end = strstr(text, "\r\n")) != NULL; text = end + 2) {
		*end = '\0';
		if (read_field(request, text, refusal) != HTTP_WHOLE)
			return HTTP_BROKEN;
	}
	return HTTP_WHOLE;
}

/* Must be called when the search has found CR and LF at each line's end, and the empty line. */
static enum http_state read_head(
	struct http_request *request, const uint8_t *bytes, struct http_refusal *refusal)
{
	size_t text_bytes = request->size_bytes - 2;
	if (memchr(bytes, '\0', text_bytes))
		return refuse_form(refusal, "it has zero bytes");
	request->text = g_strndup((const char *)bytes, text_bytes);
	request->fields = g_array_new(FALSE, FALSE, sizeof(struct http_field));
	char *end = strstr(request->text, "\r\n");
	g_assert(end);
	*end = '\0';
	if (!read_first_line(request, request->text))
		return refuse_form(refusal, "its first line is not HTTP's");
	return read_fields(request, end + 2, refusal);
}

enum http_state http_request_read(struct http_request *request, const uint8_t *bytes,
	size_t size_bytes, size_t *seen_bytes, struct http_refusal *refusal)
{
	*request = (struct http_request){ 0 };
	g_assert(*seen_bytes <= size_bytes);
	bool began = *seen_bytes > 0;
	enum http_state state = find_end(bytes, size_bytes, seen_bytes, refusal);
	if (state == HTTP_BROKEN)
		return state;
	const uint8_t *end = began ? NULL : memchr(bytes, '\n', *seen_bytes);
	if (end && !is_first_line_good(bytes, (size_t)(end - bytes) - 1))
		return refuse_form(refusal, "its first line is not HTTP's");
	request->size_bytes = *seen_bytes;
	return state == HTTP_WHOLE ? read_head(request, bytes, refusal) : state;
}

void http_request_finish(struct http_request *request)
{
	g_clear_pointer(&request->fields, g_array_unref);
	g_clear_pointer(&request->text, g_free);
}

/* ---- questions ---- */

static const struct http_field *field_at(const struct http_request *request, guint i)
{
	return &g_array_index(request->fields, struct http_field, i);
}

unsigned http_request_count(const struct http_request *request, const char *name)
{
	unsigned n = 0;
	for (guint i = 0; i < request->fields->len; i++)
		n += g_ascii_strcasecmp(field_at(request, i)->name, name) == 0;
	return n;
}

const char *http_request_value(const struct http_request *request, const char *name)
{
	for (guint i = 0; i < request->fields->len; i++) {
		if (g_ascii_strcasecmp(field_at(request, i)->name, name) == 0)
			return field_at(request, i)->value;
	}
	return "";
}

/* Finds the first element of a list without the blanks around it, moves `list` on behind it, and
 * returns its length. */
static size_t next_element(const char **list, const char **element)
{
	*element = *list + strspn(*list, BLANKS);
	size_t length = strcspn(*element, ",");
	*list = *element + length + ((*element)[length] == ',');
	while (length > 0 && strchr(BLANKS, (*element)[length - 1]))
		length--;
	return length;
}

static bool is_in_list(const char *list, const char *wanted, bool same_case)
{
	while (*list) {
		const char *element;
		size_t length = next_element(&list, &element);
		if (length == strlen(wanted) &&
			(same_case ? memcmp(element, wanted, length) :
				     g_ascii_strncasecmp(element, wanted, length)) == 0)
			return true;
	}
	return false;
}

bool http_request_lists(
	const struct http_request *request, const char *name, const char *element, bool same_case)
{
	for (guint i = 0; i < request->fields->len; i++) {
		const struct http_field *field = field_at(request, i);
		if (g_ascii_strcasecmp(field->name, name) == 0 &&
			is_in_list(field->value, element, same_case))
			return true;
	}
	return false;
}
