/* SPDX-License-Identifier: MIT */
#include "guest-tools/resize/xcb.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

/* What of libxcb.so.1 is called, as xcb.h and xcbext.h declare it. */
struct extension {
	const char *name;
	int id;
};
struct request {
	size_t count;
	struct extension *extension;
	uint8_t opcode, is_void;
};

struct xcb {
	void *library, *connection;
	uint32_t root;
	struct extension randr;
	void *(*connect)(const char *name, int *screen);
	void (*disconnect)(void *connection);
	int (*get_file_descriptor)(void *connection);
	int (*connection_has_error)(void *connection);
	int (*flush)(void *connection);
	const uint8_t *(*get_setup)(void *connection);
	const uint8_t *(*get_extension_data)(void *connection, struct extension *extension);
	unsigned (*send_request)(
		void *connection, int flags, struct iovec *parts, const struct request *request);
	void *(*wait_for_reply)(void *connection, unsigned request, void **error);
	void *(*poll_for_event)(void *connection);
};

#define CHECKED 1

static bool load(struct xcb *xcb)
{
	const struct {
		const char *name;
		void *to;
	} functions[] = {
		{ "xcb_connect", &xcb->connect },
		{ "xcb_disconnect", &xcb->disconnect },
		{ "xcb_get_file_descriptor", &xcb->get_file_descriptor },
		{ "xcb_connection_has_error", &xcb->connection_has_error },
		{ "xcb_flush", &xcb->flush },
		{ "xcb_get_setup", &xcb->get_setup },
		{ "xcb_get_extension_data", &xcb->get_extension_data },
		{ "xcb_send_request", &xcb->send_request },
		{ "xcb_wait_for_reply", &xcb->wait_for_reply },
		{ "xcb_poll_for_event", &xcb->poll_for_event },
	};
	xcb->library = dlopen("libxcb.so.1", RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; xcb->library && i < sizeof functions / sizeof functions[0]; i++) {
		void *found = dlsym(xcb->library, functions[i].name);
		if (!found)
			return false;
		memcpy(functions[i].to, &found, sizeof found);
	}
	return xcb->library;
}

/* The X protocol's setup: 40 bytes, the vendor's name, formats of 8 bytes, then the first screen.
 */
static uint32_t find_root(const uint8_t *setup)
{
	uint16_t vendor_bytes;
	uint32_t root;
	memcpy(&vendor_bytes, setup + 24, sizeof vendor_bytes);
	size_t at = 40 + ((vendor_bytes + 3u) & ~3u) + 8u * setup[29];
	memcpy(&root, setup + at, sizeof root);
	return root;
}

struct xcb *xcb_open(void)
{
	struct xcb *xcb = calloc(1, sizeof *xcb);
	if (!xcb || !load(xcb)) {
		fprintf(stderr, "%s\n", xcb ? dlerror() : "no memory");
		free(xcb);
		return NULL;
	}
	xcb->randr.name = "RANDR";
	xcb->connection = xcb->connect(NULL, NULL);
	if (xcb_is_gone(xcb)) {
		fprintf(stderr, "no X server at DISPLAY\n");
		xcb_close(xcb);
		return NULL;
	}
	xcb->root = find_root(xcb->get_setup(xcb->connection));
	/* Its second word says whether the server has it (X protocol, QueryExtension). */
	const uint8_t *known = xcb->get_extension_data(xcb->connection, &xcb->randr);
	if (known && known[8])
		return xcb;
	fprintf(stderr, "the X server has no RandR\n");
	xcb_close(xcb);
	return NULL;
}

void xcb_close(struct xcb *xcb)
{
	xcb->disconnect(xcb->connection);
	dlclose(xcb->library);
	free(xcb);
}

int xcb_descriptor(const struct xcb *xcb)
{
	return xcb->get_file_descriptor(xcb->connection);
}

bool xcb_is_gone(const struct xcb *xcb)
{
	return xcb->connection_has_error(xcb->connection) != 0;
}

uint32_t xcb_root(const struct xcb *xcb)
{
	return xcb->root;
}

/* libxcb uses the two places before the request's parts, and fills its length. */
static unsigned put(struct xcb *xcb, bool randr, uint8_t major, uint8_t minor, void *request,
	size_t n_bytes, bool is_void)
{
	struct iovec parts[4] = { { 0 }, { 0 }, { request, n_bytes }, { 0 } };
	struct request what = { 1, randr ? &xcb->randr : NULL, randr ? minor : major, is_void };
	((uint8_t *)request)[1] = minor;
	return xcb->send_request(xcb->connection, is_void ? 0 : CHECKED, parts + 2, &what);
}

void xcb_tell(
	struct xcb *xcb, bool randr, uint8_t major, uint8_t minor, void *request, size_t n_bytes)
{
	put(xcb, randr, major, minor, request, n_bytes, true);
}

uint8_t *xcb_ask(struct xcb *xcb, bool randr, uint8_t major, uint8_t minor, void *request,
	size_t n_bytes, size_t *answer_bytes)
{
	void *error = NULL;
	uint32_t words;
	unsigned sent = put(xcb, randr, major, minor, request, n_bytes, false);
	uint8_t *answer = xcb->wait_for_reply(xcb->connection, sent, &error);
	free(error);
	if (!answer)
		return NULL;
	memcpy(&words, answer + 4, sizeof words);
	*answer_bytes = 32 + 4 * (size_t)words;
	return answer;
}

bool xcb_take_events(struct xcb *xcb)
{
	bool any = false;
	xcb->flush(xcb->connection);
	for (void *event; (event = xcb->poll_for_event(xcb->connection)); any = true)
		free(event);
	return any;
}
