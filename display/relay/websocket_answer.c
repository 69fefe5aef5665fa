/* SPDX-License-Identifier: MIT */
/* The first request of a WebSocket client and the answer to it: RFC 6455, section 4.2. */
#include <gio/gio.h>
#include <string.h>

#include "display/relay/websocket.h"

/* RFC 6455, 1.3 */
#define KEY_SUFFIX "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_LENGTH 24
#define HEADERS_MAX 64

struct request {
	char **lines;
};

/* The value of a header, "" when there is none; of several the first counts. */
static const char *find(const struct request *request, const char *name)
{
	size_t length = strlen(name);
	for (char **line = request->lines + 1; line[0]; line++) {
		if (g_ascii_strncasecmp(*line, name, length) == 0 && (*line)[length] == ':')
			return *line + length + 1 + strspn(*line + length + 1, " \t");
	}
	return "";
}

/* A list of words by commas. */
static bool has_word(const char *list, const char *word)
{
	g_auto(GStrv) words = g_strsplit(list, ",", HEADERS_MAX);
	for (char **w = words; *w; w++) {
		if (g_ascii_strcasecmp(g_strstrip(*w), word) == 0)
			return true;
	}
	return false;
}

/* "host:port" without the port, "[v6]:port" without brackets. */
static char *host_of(const char *authority)
{
	if (authority[0] == '[')
		return g_strndup(authority + 1, strcspn(authority + 1, "]"));
	return g_strndup(authority, strcspn(authority, ":/"));
}

static bool is_number_or_localhost(const char *host)
{
	return g_hostname_is_ip_address(host) || g_ascii_strcasecmp(host, "localhost") == 0;
}

/* Programs that are no browsers send no origin. */
static bool may_come_from(const struct request *request)
{
	const char *origin = find(request, "Origin");
	const char *scheme_end = strstr(origin, "://");
	if (origin[0] == '\0')
		return true;
	if (!scheme_end)
		return false;
	g_autofree char *page = host_of(scheme_end + strlen("://"));
	g_autofree char *us = host_of(find(request, "Host"));
	return is_number_or_localhost(page) && g_ascii_strcasecmp(page, us) == 0;
}

static bool is_good(const struct request *request)
{
	return g_str_has_prefix(request->lines[0], "GET ") &&
	       g_str_has_suffix(request->lines[0], " HTTP/1.1") &&
	       has_word(find(request, "Upgrade"), "websocket") &&
	       has_word(find(request, "Connection"), "Upgrade") &&
	       strcmp(find(request, "Sec-WebSocket-Version"), "13") == 0 &&
	       strlen(find(request, "Sec-WebSocket-Key")) == KEY_LENGTH;
}

static char *accept_key(const char *key)
{
	g_autoptr(GChecksum) sha1 = g_checksum_new(G_CHECKSUM_SHA1);
	guint8 digest[20];
	gsize size = sizeof(digest);
	g_checksum_update(sha1, (const guchar *)key, -1);
	g_checksum_update(sha1, (const guchar *)KEY_SUFFIX, -1);
	g_checksum_get_digest(sha1, digest, &size);
	return g_base64_encode(digest, size);
}

static enum websocket_state refuse(struct websocket_answer *answer, const char *why)
{
	g_snprintf(answer->text, sizeof(answer->text),
		"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", why);
	return WEBSOCKET_REFUSED;
}

static enum websocket_state accept(const struct request *request, struct websocket_answer *answer)
{
	g_autofree char *key = accept_key(find(request, "Sec-WebSocket-Key"));
	bool binary = has_word(find(request, "Sec-WebSocket-Protocol"), "binary");
	g_snprintf(answer->text, sizeof(answer->text),
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
		key, binary ? "Sec-WebSocket-Protocol: binary\r\n" : "");
	return WEBSOCKET_GOOD;
}

enum websocket_state websocket_answer(
	const uint8_t *bytes, size_t size_bytes, bool open, struct websocket_answer *answer)
{
	size_t looked_bytes = MIN(size_bytes, WEBSOCKET_REQUEST_BYTES_MAX);
	const uint8_t *end = memmem(bytes, looked_bytes, "\r\n\r\n", 4);
	*answer = (struct websocket_answer){ 0 };
	if (!end && looked_bytes < WEBSOCKET_REQUEST_BYTES_MAX)
		return WEBSOCKET_MORE;
	if (!end || memchr(bytes, '\0', (size_t)(end - bytes)))
		return refuse(answer, "400 Bad Request");
	answer->request_bytes = (size_t)(end - bytes) + 4;
	g_autofree char *text = g_strndup((const char *)bytes, (size_t)(end - bytes));
	g_auto(GStrv) lines = g_strsplit(text, "\r\n", HEADERS_MAX);
	const struct request request = { .lines = lines };
	if (lines[0] == NULL || !is_good(&request))
		return refuse(answer, "400 Bad Request");
	if (open && !may_come_from(&request))
		return refuse(answer, "403 Forbidden");
	return accept(&request, answer);
}
