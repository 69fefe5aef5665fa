/* SPDX-License-Identifier: MIT */
#include "display/tickets/turned_away.h"

#include <glib.h>

#include "common/peer_log.h"
#include "display/tickets/limits.h"

/* What a stranger calls himself is shown as text that ends no line and no quotation. */
static void quote(const char *name, char quoted[TICKETS_USER_MAX + 1])
{
	g_strlcpy(quoted, name, TICKETS_USER_MAX + 1);
	for (char *c = quoted; *c; c++) {
		if (!g_ascii_isgraph(*c) || *c == '"' || *c == '\\')
			*c = '?';
	}
}

void turned_away_log(
	const char *desktop, const struct tickets_try *said, enum tickets_verdict verdict)
{
	char text[PEER_ADDRESS_TEXT_MAX], user[TICKETS_USER_MAX + 1] = "";
	const char *why = tickets_verdict_text(verdict);
	/* Nobody has guessed anything, and no crowd of those who do is to hide it. */
	enum peer peer = tickets_is_right(verdict) ? PEER_VIEWER : PEER_GUESSER;
	peer_address_text(&said->from, text);
	if (said->user)
		quote(said->user, user);
	if (verdict == TICKETS_EMPTY)
		g_info("client %s: not let in to %s: %s", text, desktop, why);
	else if (said->user)
		peer_warning(peer, "client %s: not let in to %s as \"%s\": %s%s", text, desktop,
			user, verdict == TICKETS_WRONG ? "wrong name or " : "",
			verdict == TICKETS_WRONG ? "password" : why);
	else
		peer_warning(peer, "client %s: not let in to %s: %s", text, desktop, why);
}

const char *tickets_verdict_text(enum tickets_verdict verdict)
{
	switch (verdict) {
	case TICKETS_PASS:
		return "passed";
	case TICKETS_LATER:
		return "has to wait";
	case TICKETS_EMPTY:
		return "no password";
	case TICKETS_WRONG:
		return "wrong password";
	case TICKETS_SPENT:
		return "the ticket has been used, or its time is over";
	case TICKETS_BUSY:
		return "too many passwords were tried";
	case TICKETS_TAKEN:
		return "it may only look on, and somebody is in who may do more";
	case TICKETS_FULL:
		return "it may only look on, and as many do as may";
	case TICKETS_OCCUPIED:
		return "somebody is in, who stays";
	}
	return "?";
}
