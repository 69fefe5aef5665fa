/* SPDX-License-Identifier: MIT */
#include "common/confine/confine.h"

#include <errno.h>

#include "common/confine/parts.h"

static const char *const wall_names[CONFINE_WALLS] = {
	[CONFINE_NO_NEW_PRIVS] = "no-new-privs",
	[CONFINE_CAPABILITIES] = "capabilities",
	[CONFINE_NOT_DUMPABLE] = "not-dumpable",
	[CONFINE_LIMITS] = "limits",
	[CONFINE_LANDLOCK] = "landlock",
	[CONFINE_SECCOMP] = "seccomp",
	[CONFINE_NAMESPACES] = "namespaces",
	[CONFINE_USER] = "user",
};

const char *confine_wall_name(enum confine_wall wall)
{
	g_assert(wall < CONFINE_WALLS);
	return wall_names[wall];
}

void confine_note(struct confine_state *state, enum confine_wall wall, const char *lacking)
{
	uint32_t bit = 1u << wall;
	g_assert(wall < CONFINE_WALLS);
	state->held &= ~bit;
	state->lacking &= ~bit;
	if (lacking)
		state->lacking |= bit;
	else
		state->held |= bit;
	g_strlcpy(state->reason[wall], lacking ? lacking : "", CONFINE_REASON_MAX);
}

void confine_note_environment(struct confine_state *state)
{
	static const char *const variables[CONFINE_WALLS] = {
		[CONFINE_NAMESPACES] = CONFINE_NAMESPACES_VARIABLE,
		[CONFINE_USER] = CONFINE_USER_VARIABLE,
	};
	for (unsigned wall = 0; wall < CONFINE_WALLS; wall++) {
		const char *reason = variables[wall] ? g_getenv(variables[wall]) : NULL;
		if (reason)
			confine_note(state, wall, *reason ? reason : NULL);
	}
}

static bool is_settled(const struct confine_state *state, enum confine_wall wall)
{
	return ((state->held | state->lacking) >> wall) & 1;
}

static int put_up(const struct confine_rules *rules, struct confine_state *state,
	enum confine_wall wall, const char **lacking)
{
	switch (wall) {
	case CONFINE_NO_NEW_PRIVS:
		return confine_set_no_new_privs();
	case CONFINE_CAPABILITIES:
		return confine_drop_capabilities();
	case CONFINE_NOT_DUMPABLE:
		return confine_set_not_dumpable();
	case CONFINE_LIMITS:
		return confine_set_limits(rules, state);
	case CONFINE_LANDLOCK:
		state->landlock_abi = confine_landlock_abi(lacking);
		return *lacking ? 0 : confine_restrict_files(rules, state->landlock_abi);
	case CONFINE_SECCOMP:
		*lacking = confine_seccomp_lacking();
		return *lacking ? 0 : confine_filter_calls(rules);
	default:
		g_assert_not_reached();
	}
}

static bool put_up_each(const struct confine_rules *rules, struct confine_state *state,
	const enum confine_wall *walls, unsigned n_walls, GError **error)
{
	for (unsigned i = 0; i < n_walls; i++) {
		const char *lacking = NULL;
		if (is_settled(state, walls[i]))
			continue;
		int result = put_up(rules, state, walls[i], &lacking);
		if (result < 0) {
			g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-result),
				"%s cannot be confined by %s: %s", rules->process,
				wall_names[walls[i]], g_strerror(-result));
			return false;
		}
		confine_note(state, walls[i], lacking);
	}
	return true;
}

void confine_clean(struct confine_state *state)
{
	const uint32_t known = (1u << CONFINE_WALLS) - 1;
	state->held &= known;
	state->lacking &= known & ~state->held;
	for (unsigned wall = 0; wall < CONFINE_WALLS; wall++) {
		char *reason = state->reason[wall];
		reason[CONFINE_REASON_MAX - 1] = '\0';
		for (char *c = reason; *c; c++) {
			if (!g_ascii_isprint(*c))
				*c = '?';
		}
	}
}

bool confine_check(const struct confine_state *state, const char *process, enum confine_mode mode,
	GError **error)
{
	if (mode != CONFINE_MUST || state->lacking == 0)
		return true;
	g_autoptr(GString) names = g_string_new(NULL);
	for (unsigned wall = 0; wall < CONFINE_WALLS; wall++) {
		if ((state->lacking >> wall) & 1)
			g_string_append_printf(names, "%s%s (%s)", names->len ? ", " : "",
				wall_names[wall], state->reason[wall]);
	}
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSYS,
		"%s must be confined (--confine=must), and this lacks: %s", process, names->str);
	return false;
}

/* Nobody counts on it, so that it may be missing. */
static bool refuse_early(const struct confine_rules *rules, GError **error)
{
	if (rules->refused_early.n == 0 || confine_seccomp_lacking())
		return true;
	int result = confine_filter_more(&rules->refused_early);
	if (result < 0)
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-result),
			"%s cannot be confined early: %s", rules->process, g_strerror(-result));
	return result >= 0;
}

bool confine_threads(const struct confine_rules *rules, enum confine_mode mode,
	struct confine_state *state, GError **error)
{
	/* Landlock asks for no new privileges of who has no capabilities. */
	static const enum confine_wall walls[] = { CONFINE_NO_NEW_PRIVS, CONFINE_CAPABILITIES,
		CONFINE_LANDLOCK };
	if (mode == CONFINE_OFF)
		return true;
	bool is_first = !is_settled(state, CONFINE_NO_NEW_PRIVS);
	return put_up_each(rules, state, walls, G_N_ELEMENTS(walls), error) &&
	       (!is_first || refuse_early(rules, error)) &&
	       confine_check(state, rules->process, mode, error);
}

bool confine_apply(const struct confine_rules *rules, enum confine_mode mode,
	struct confine_state *state, GError **error)
{
	/* Seccomp's comes last, since it refuses what puts up the others. */
	static const enum confine_wall walls[] = { CONFINE_NOT_DUMPABLE, CONFINE_LIMITS,
		CONFINE_SECCOMP };
	if (mode == CONFINE_OFF)
		return true;
	return confine_threads(rules, mode, state, error) &&
	       put_up_each(rules, state, walls, G_N_ELEMENTS(walls), error) &&
	       confine_check(state, rules->process, mode, error);
}

bool confine_forbid(const struct confine_state *state, const char *process,
	const struct confine_calls *calls, GError **error)
{
	if (!((state->held >> CONFINE_SECCOMP) & 1))
		return true;
	int result = confine_filter_more(calls);
	if (result < 0)
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-result),
			"%s cannot be confined more: %s", process, g_strerror(-result));
	return result >= 0;
}

static void append_walls(GString *line, const struct confine_state *state, bool held)
{
	uint32_t bits = held ? state->held : state->lacking;
	const char *separator = " ";
	for (unsigned wall = 0; wall < CONFINE_WALLS; wall++) {
		if (!((bits >> wall) & 1))
			continue;
		g_string_append_printf(line, "%s%s", separator, wall_names[wall]);
		if (!held)
			g_string_append_printf(line, " (%s)", state->reason[wall]);
		else if (wall == CONFINE_LANDLOCK)
			g_string_append_printf(line, " (ABI %u)", state->landlock_abi);
		separator = ", ";
	}
}

char *confine_describe(const struct confine_state *state)
{
	GString *line = g_string_new(state->held ? "holds" : "holds nothing");
	append_walls(line, state, true);
	if (state->lacking) {
		g_string_append(line, "; lacks");
		append_walls(line, state, false);
	}
	return g_string_free(line, FALSE);
}

void confine_log(const struct confine_state *state, enum confine_mode mode)
{
	g_autofree char *line = confine_describe(state);
	if (mode == CONFINE_OFF)
		g_warning("walls: none (--confine=off): who takes this process over has your "
			  "rights");
	else
		g_message("walls: %s", line);
}
