/* SPDX-License-Identifier: MIT */
#include "server/keeper/admission.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/peer_log.h"

static void add(struct admission *admission, uid_t uid)
{
	g_assert(admission->n_users < G_N_ELEMENTS(admission->users));
	admission->users[admission->n_users++] = uid;
}

/* sudo(8) says whose desktop it is in truth. */
static void add_sudo_user(struct admission *admission)
{
	const char *text = g_getenv("SUDO_UID");
	guint64 uid;
	if (text && g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32 - 1, &uid, NULL))
		add(admission, (uid_t)uid);
}

static void tell(const struct admission *admission, const struct desktop *desktop)
{
	bool on_tcp = desktop->spice_port > 0 || desktop->spice_fd >= 0 || desktop->tls.port > 0;
	if (admission->open)
		g_warning(
			"everybody who reaches this desktop may see and use it, all users of this "
			"host among them: --no-password");
	else if (on_tcp && admission->owner.netlink < 0)
		g_warning("this kernel does not tell whose a connection is (sock_diag: %s): nobody "
			  "comes in on TCP; give --password-file, or --no-password",
			g_strerror(admission->owner.reason));
}

bool admission_init(struct admission *admission, const struct desktop *desktop, GError **error)
{
	*admission = ADMISSION_NONE;
	if (desktop->password)
		return true;
	admission->open = desktop->no_password;
	add(admission, 0);
	add(admission, geteuid());
	add_sudo_user(admission);
	uid_t users[DESKTOP_USERS_MAX];
	int n = desktop_read_users(desktop->allow_user, users, error);
	if (n < 0)
		return false;
	for (int i = 0; i < n; i++)
		add(admission, users[i]);
	if (!admission->open)
		socket_owner_init(&admission->owner);
	tell(admission, desktop);
	return true;
}

void admission_finish(struct admission *admission)
{
	socket_owner_finish(&admission->owner);
}

static bool is_named(const struct admission *admission, uid_t uid)
{
	for (unsigned i = 0; i < admission->n_users; i++) {
		if (admission->users[i] == uid)
			return true;
	}
	return false;
}

static char *describe(const struct keeper_visitor *visitor)
{
	char text[INET6_ADDRSTRLEN] = "?";
	if (visitor->family == AF_UNIX)
		return g_strdup("on the unix socket");
	inet_ntop(visitor->family, visitor->peer_addr, text, sizeof(text));
	bool v6 = visitor->family == AF_INET6;
	return g_strdup_printf(
		"%s%s%s:%u", v6 ? "[" : "", text, v6 ? "]" : "", ntohs(visitor->peer_port));
}

static enum socket_owner_answer find(
	struct admission *admission, const struct keeper_visitor *visitor, int fd, uid_t *uid)
{
	if (visitor->family == AF_UNIX)
		return socket_owner_of_unix(&admission->owner, fd, uid);
	if (visitor->family == AF_INET || visitor->family == AF_INET6)
		return socket_owner_find(&admission->owner, visitor, uid);
	return SOCKET_OWNER_CANNOT_ASK;
}

static void report(const struct keeper_visitor *visitor, enum socket_owner_answer answer, uid_t uid)
{
	g_autofree char *who = describe(visitor);
	if (answer == SOCKET_OWNER_FOUND)
		peer_warning(PEER_CLIENT,
			"client %s: refused: it is user %u's, and there is no password; "
			"--allow-user=%u lets that user in",
			who, uid, uid);
	else
		peer_warning(PEER_CLIENT, "client %s: refused: %s, and there is no password", who,
			socket_owner_text(answer));
}

bool admission_judge(
	struct admission *admission, const struct keeper_visitor *visitor, int fd, uint32_t *uid)
{
	uid_t owner = KEEPER_UID_UNKNOWN;
	*uid = KEEPER_UID_UNKNOWN;
	if (admission->open)
		return true;
	enum socket_owner_answer answer = find(admission, visitor, fd, &owner);
	*uid = owner;
	if (answer == SOCKET_OWNER_FOUND && is_named(admission, owner))
		return true;
	report(visitor, answer, owner);
	return false;
}
