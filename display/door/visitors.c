/* SPDX-License-Identifier: MIT */
#include "display/door/visitors.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "display/door/limits.h"

struct visitor {
	uint32_t serial;
	void *key; /* NULL: nobody waits for the answer any more */
};

struct visitors {
	GMainContext *context;
	const struct visitors_ops *ops;
	void *user;
	uint32_t last_serial;
	GQueue waiting; /* struct visitor, in the order in which they are answered */
};

struct visitors *visitors_create(GMainContext *context, const struct visitors_ops *ops, void *user)
{
	struct visitors *visitors = g_new0(struct visitors, 1);
	g_assert(ops->ask && ops->judged);
	visitors->context = context;
	visitors->ops = ops;
	visitors->user = user;
	g_queue_init(&visitors->waiting);
	return visitors;
}

void visitors_destroy(struct visitors *visitors)
{
	if (!visitors)
		return;
	g_queue_clear_full(&visitors->waiting, g_free);
	g_free(visitors);
}

static void copy_address(const struct sockaddr_storage *from, uint8_t *bytes, uint16_t *port)
{
	if (from->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)from;
		memcpy(bytes, &in->sin_addr, sizeof(in->sin_addr));
		*port = in->sin_port;
	} else if (from->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
		memcpy(bytes, &in6->sin6_addr, sizeof(in6->sin6_addr));
		*port = in6->sin6_port;
	}
}

/* Gives false when the client has left. */
static bool describe(int fd, struct keeper_visitor *visitor)
{
	struct sockaddr_storage peer = { 0 }, local = { 0 };
	socklen_t peer_bytes = sizeof(peer), local_bytes = sizeof(local);
	if (getpeername(fd, (struct sockaddr *)&peer, &peer_bytes) < 0 ||
		getsockname(fd, (struct sockaddr *)&local, &local_bytes) < 0)
		return false;
	visitor->family = peer.ss_family;
	copy_address(&peer, visitor->peer_addr, &visitor->peer_port);
	copy_address(&local, visitor->local_addr, &visitor->local_port);
	return true;
}

bool visitors_ask(struct visitors *visitors, void *key, int fd)
{
	struct keeper_visitor m = { .header.type = KEEPER_MESSAGE_VISITOR,
		.serial = visitors->last_serial + 1 };
	g_assert(key);
	if (visitors->waiting.length == VISITORS_MAX || !describe(fd, &m) ||
		!visitors->ops->ask(visitors->user, &m, m.family == AF_UNIX ? fd : -1))
		return false;
	struct visitor *visitor = g_new(struct visitor, 1);
	*visitor = (struct visitor){ ++visitors->last_serial, key };
	g_queue_push_tail(&visitors->waiting, visitor);
	return true;
}

void visitors_forget(struct visitors *visitors, void *key)
{
	for (GList *link = visitors->waiting.head; link; link = link->next) {
		struct visitor *visitor = link->data;
		if (visitor->key == key)
			visitor->key = NULL;
	}
}

struct judgement {
	struct visitors *visitors;
	struct keeper_visitor_judged said;
};

/* The keeper answers in order. What it answers without one is passed over. */
static gboolean on_judgement(gpointer user)
{
	const struct judgement *judgement = user;
	struct visitors *visitors = judgement->visitors;
	struct visitor *visitor = g_queue_peek_head(&visitors->waiting);
	if (!visitor || visitor->serial != judgement->said.serial)
		return G_SOURCE_REMOVE;
	g_queue_pop_head(&visitors->waiting);
	if (visitor->key)
		visitors->ops->judged(visitors->user, visitor->key, judgement->said.welcome != 0,
			judgement->said.uid);
	g_free(visitor);
	return G_SOURCE_REMOVE;
}

void visitors_judged(struct visitors *visitors, const struct keeper_visitor_judged *judged)
{
	struct judgement *judgement = g_new(struct judgement, 1);
	*judgement = (struct judgement){ visitors, *judged };
	g_main_context_invoke_full(
		visitors->context, G_PRIORITY_DEFAULT, on_judgement, judgement, g_free);
}
