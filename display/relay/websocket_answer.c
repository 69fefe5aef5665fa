/* SPDX-License-Identifier: MIT */
/*
 * websocket answer: reads a WebSocket client's first request and makes the answer to it (RFC 6455,
 * section 4.2).
 */
#include <gio/gio.h>
#include <string.h>

#include "display/relay/http_request.h"
#include "display/relay/websocket.h"

/* The server appends this to the client's key (RFC 6455, 1.3). */
#define KEY_SUFFIX "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
/* 16 bytes in base64 are 22 digits and two signs that fill up. */
#define KEY_DIGITS 22
#define KEY_FILL "=="
#define VERSION "13"

typedef bool (*rule_func)(const struct http_request *request);

/* ---- what a request must have ---- */

static bool is_once(const struct http_request *request, const char *name)
{
	return http_request_count(request, name) == 1;
}

static bool is_get(const struct http_request *request)
{
	return strcmp(request->method, "GET") == 0;
}

/* A later minor version may be spoken to as 1.1 (RFC 9110, 2.5). */
static bool is_http_1(const struct http_request *request)
{
	return g_str_has_prefix(request->version, "HTTP/1.") && request->version[7] >= '1';
}

/* A path or a whole address (RFC 6455, 4.2.1), which has no fragment (3). */
static bool has_target(const struct http_request *request)
{
	static const char *const schemes[] = { "ws://", "wss://", "http://", "https://" };
	bool good = request->target[0] == '/';
	for (unsigned i = 0; i < G_N_ELEMENTS(schemes); i++)
		good |= g_ascii_strncasecmp(request->target, schemes[i], strlen(schemes[i])) == 0;
	return good && !strchr(request->target, '#');
}

/* RFC 9112, 3.2 wants exactly one Host. It has no blanks, and no user name or path with it. */
static bool has_host(const struct http_request *request)
{
	return is_once(request, "Host") &&
	       strpbrk(http_request_value(request, "Host"), " \t,/@?#\\\"<>") == NULL;
}

static bool has_no_body(const struct http_request *request)
{
	unsigned n = http_request_count(request, "Content-Length");
	return http_request_count(request, "Transfer-Encoding") == 0 &&
	       (n == 0 ||
		       (n == 1 && strcmp(http_request_value(request, "Content-Length"), "0") == 0));
}

static bool wants_upgrade(const struct http_request *request)
{
	return http_request_lists(request, "Connection", "Upgrade", false) &&
	       http_request_lists(request, "Upgrade", "websocket", false);
}

static bool has_one_version(const struct http_request *request)
{
	return is_once(request, "Sec-WebSocket-Version");
}

static bool has_our_version(const struct http_request *request)
{
	return strcmp(http_request_value(request, "Sec-WebSocket-Version"), VERSION) == 0;
}

static bool has_key(const struct http_request *request)
{
	const char *key = http_request_value(request, "Sec-WebSocket-Key");
	size_t digits = 0;
	while (g_ascii_isalnum(key[digits]) || key[digits] == '+' || key[digits] == '/')
		digits++;
	return is_once(request, "Sec-WebSocket-Key") && digits == KEY_DIGITS &&
	       strcmp(key + digits, KEY_FILL) == 0;
}

static bool has_one_origin_at_most(const struct http_request *request)
{
	return http_request_count(request, "Origin") <= 1;
}

#define BAD "400 Bad Request"

/* The first rule that is not kept makes the answer. */
static const struct rule {
	rule_func is_kept;
	struct http_refusal refusal;
} rules[] = {
	{ is_get, { "405 Method Not Allowed", "Allow: GET\r\n", "its method is not GET" } },
	{ is_http_1, { "505 HTTP Version Not Supported", "", "it is older than HTTP/1.1" } },
	{ has_target, { BAD, "", "it asks for no path and no address" } },
	{ has_host, { BAD, "", "it does not name one host" } },
	{ has_no_body, { BAD, "", "it has a body" } },
	{ wants_upgrade, { BAD, "", "it does not ask for WebSocket" } },
	{ has_one_version, { BAD, "", "it does not name one version of WebSocket" } },
	{ has_our_version, { "426 Upgrade Required",
				   "Connection: Upgrade\r\nUpgrade: websocket\r\n"
				   "Sec-WebSocket-Version: " VERSION "\r\n",
				   "its version of WebSocket is not " VERSION } },
	{ has_key, { BAD, "", "it does not have one key of 16 bytes" } },
	{ has_one_origin_at_most, { BAD, "", "it names several origins" } },
};

static const struct http_refusal foreign_page = { "403 Forbidden", "",
	"its page is not from this host, and no password is asked for" };

/* ---- where the page is from ---- */

/* Gives "host:port" without the port, and "[v6]:port" without brackets too. The caller frees it. */
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
static bool may_come_from(const struct http_request *request)
{
	const char *origin = http_request_value(request, "Origin");
	const char *scheme_end = strstr(origin, "://");
	if (origin[0] == '\0')
		return true;
	if (!scheme_end)
		return false;
	g_autofree char *page = host_of(scheme_end + strlen("://"));
	g_autofree char *us = host_of(http_request_value(request, "Host"));
	return is_number_or_localhost(page) && g_ascii_strcasecmp(page, us) == 0;
}

/* ---- the answer ---- */

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

static enum websocket_state refuse(
	struct websocket_answer *answer, const struct http_refusal *refusal)
{
	answer->why = refusal->why;
	g_snprintf(answer->text, sizeof(answer->text),
		"HTTP/1.1 %s\r\nConnection: close\r\n%sContent-Length: 0\r\n\r\n", refusal->status,
		refusal->fields);
	return WEBSOCKET_REFUSED;
}

/* Browsers compare the sub-protocol's name letter by letter with those that they asked for. */
static enum websocket_state accept(
	const struct http_request *request, struct websocket_answer *answer)
{
	g_autofree char *key = accept_key(http_request_value(request, "Sec-WebSocket-Key"));
	bool binary = http_request_lists(request, "Sec-WebSocket-Protocol", "binary", true);
	g_snprintf(answer->text, sizeof(answer->text),
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
		key, binary ? "Sec-WebSocket-Protocol: binary\r\n" : "");
	return WEBSOCKET_GOOD;
}

static enum websocket_state judge(
	const struct http_request *request, bool open, struct websocket_answer *answer)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(rules); i++) {
		if (!rules[i].is_kept(request))
			return refuse(answer, &rules[i].refusal);
	}
	if (open && !may_come_from(request))
		return refuse(answer, &foreign_page);
	answer->request_bytes = request->size_bytes;
	return accept(request, answer);
}

enum websocket_state websocket_answer(const uint8_t *bytes, size_t size_bytes, bool open,
	size_t *seen_bytes, struct websocket_answer *answer)
{
	struct http_request request;
	struct http_refusal refusal;
	enum websocket_state state = WEBSOCKET_MORE;
	*answer = (struct websocket_answer){ 0 };
	switch (http_request_read(&request, bytes, size_bytes, seen_bytes, &refusal)) {
	case HTTP_MORE:
		break;
	case HTTP_WHOLE:
		state = judge(&request, open, answer);
		break;
	case HTTP_BROKEN:
		state = refuse(answer, &refusal);
		break;
	}
	http_request_finish(&request);
	return state;
}
