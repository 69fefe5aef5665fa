/* SPDX-License-Identifier: MIT */
/*
 * http request: cuts the head of an HTTP/1.1 request into its parts (RFC 9112). It judges only the
 * form: what the fields mean is for its user.
 *
 * Lines end with CR and LF. A line feed alone is refused, since proxies in front of us may take it
 * for something else than we do. Blanks around a value are no part of it (RFC 9110, 5.5). A value
 * that goes on in the next line (obs-fold) is joined by blanks, which RFC 9112, 5.2 allows.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_field {
	const char *name, *value; /* inside the request's text */
};

struct http_request {
	char *text;        /* a copy of the head, cut by zero bytes; owned */
	size_t size_bytes; /* of the head, with the empty line that ends it */
	const char *method, *target, *version;
	GArray *fields; /* struct http_field */
};

enum http_state {
	HTTP_MORE,   /* the head is not all there yet */
	HTTP_WHOLE,  /* *request is filled in */
	HTTP_BROKEN, /* *refusal says how */
};

/* It says how a request is answered that cannot be served. */
struct http_refusal {
	const char *status; /* code and phrase */
	const char *fields; /* more header lines, each with its line end; "" for none */
	const char *why;    /* for the log */
};

/* Says whether a connection that begins with this byte speaks HTTP. SPICE begins with "REDQ". */
bool http_request_begins(uint8_t first);

/*
 * Looks at all that has come. `seen_bytes`, 0 at first, keeps between the calls how far the end has
 * been searched for, so that a head that comes byte by byte is not searched again each time.
 * Whatever is returned, http_request_finish must follow.
 */
enum http_state http_request_read(struct http_request *request, const uint8_t *bytes,
	size_t size_bytes, size_t *seen_bytes, struct http_refusal *refusal);
void http_request_finish(struct http_request *request);

/*
 * The first returns how many fields have this name, in any case; the second the first one's value,
 * or "" when there is none.
 */
unsigned http_request_count(const struct http_request *request, const char *name);
const char *http_request_value(const struct http_request *request, const char *name);

/*
 * Says whether a list has this element. A list may be spread over several fields of one name (RFC
 * 9110, 5.3). With same_case the element is compared letter by letter, else in any case.
 */
bool http_request_lists(
	const struct http_request *request, const char *name, const char *element, bool same_case);
