/* SPDX-License-Identifier: MIT */
#include "server/run/ends.h"

#include <signal.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/monotonic.h"
#include "common/process.h"
#include "protocol/flight_events.h"

/* A look is how much later than the kernel's killing for memory a SIGKILL may be put down to it. */
#define LOOK_S 10
/* A guest may panic as often as it likes, and say so even more often. */
#define PANIC_EVERY_NS (3600 * MONOTONIC_NS_PER_S)

static struct flight_head make_head(
	const struct ends *ends, enum flight_process process, pid_t pid, uint64_t began_ns)
{
	struct flight_head head = {
		.process = process, .pid = (int32_t)pid, .n_start = 1, .began_ns = began_ns
	};
	memcpy(head.desktop, ends->desktop, sizeof(head.desktop));
	memcpy(head.kernel, ends->kernel, sizeof(head.kernel));
	g_strlcpy(head.program, process == FLIGHT_PROCESS_QEMU ? ends->qemu : VITRINE_VERSION,
		sizeof(head.program));
	return head;
}

static gboolean on_look(gpointer user)
{
	struct ends *ends = user;
	oom_kills_look(&ends->kills, monotonic_now_ns());
	flight_writer_poke(ends->writer);
	return G_SOURCE_CONTINUE;
}

static void begin_notes(void)
{
	flight_set_text(FLIGHT_TEXT_PROGRAM, "vitrine run " VITRINE_VERSION);
	flight_begin_thread("main");
	flight_find_modules();
	flight_watch_crashes();
	flight_note(FLIGHT_STARTED, (uint64_t)getpid(), 0, 0);
}

void ends_init(struct ends *ends, const char *desktop)
{
	struct utsname machine;
	g_autoptr(GError) error = NULL;
	*ends = (struct ends){ .kills = OOM_KILLS_NONE };
	g_strlcpy(ends->desktop, desktop, sizeof(ends->desktop));
	if (uname(&machine) == 0)
		g_strlcpy(ends->kernel, machine.release, sizeof(ends->kernel));
	const struct flight_head own =
		make_head(ends, FLIGHT_PROCESS_RUN, getpid(), monotonic_now_ns());
	ends->writer = flight_writer_create(desktop, FLIGHT_PART_RUN, &own, &error);
	if (!ends->writer) {
		g_message("the end of QEMU is not kept: %s", error->message);
		return;
	}
	begin_notes();
	oom_kills_init(&ends->kills);
	ends->look_source = g_timeout_add_seconds(LOOK_S, on_look, ends);
	flight_writer_start(ends->writer);
}

void ends_finish(struct ends *ends)
{
	g_clear_handle_id(&ends->look_source, g_source_remove);
	ends_note_own(ends, FLIGHT_CAUSE_ENDED, "");
	flight_writer_finish(g_steal_pointer(&ends->writer));
	oom_kills_finish(&ends->kills);
}

void ends_note_own(struct ends *ends, enum flight_cause cause, const char *why)
{
	if (ends->writer)
		flight_writer_set_end(ends->writer, cause, why);
}

void ends_note_qemu(struct ends *ends, pid_t pid, unsigned major, unsigned minor)
{
	ends->qemu_began_ns = monotonic_now_ns();
	g_snprintf(ends->qemu, sizeof(ends->qemu), "QEMU %u.%u", major, minor);
	flight_note(FLIGHT_CHILD_STARTED, FLIGHT_PROCESS_QEMU, (uint64_t)pid, 0);
}

void ends_note_keeper(struct ends *ends, pid_t pid)
{
	ends->keeper_began_ns = monotonic_now_ns();
	flight_note(FLIGHT_CHILD_STARTED, FLIGHT_PROCESS_KEEPER, (uint64_t)pid, 0);
}

void ends_note_ready(struct ends *ends)
{
	ends->was_ready = true;
	flight_note(FLIGHT_READY, 0, 0, 0);
}

/* ---- what QMP says ---- */

static void keep(struct ends *ends, struct flight_head *head)
{
	if (!ends->writer)
		return;
	const struct flight_bytes part = { FLIGHT_SECTION_RUN_FLIGHT,
		flight_writer_memory(ends->writer), sizeof(struct flight_memory) };
	flight_writer_keep(ends->writer, head, &part, 1);
}

/* The machine stands still or begins anew then, as its guest wants; QEMU goes on. */
static void note_panic(struct ends *ends)
{
	uint64_t now_ns = monotonic_now_ns();
	bool is_kept = ends->panic_kept_ns && now_ns - ends->panic_kept_ns < PANIC_EVERY_NS;
	ends->has_panicked = true;
	if (is_kept)
		return;
	ends->panic_kept_ns = now_ns;
	g_warning("the guest's kernel has panicked");
	struct flight_head head = make_head(ends, FLIGHT_PROCESS_GUEST, 0, ends->qemu_began_ns);
	head.cause = FLIGHT_CAUSE_GUEST_PANIC;
	head.was_ready = 1;
	g_strlcpy(head.why, "the guest's kernel has panicked", sizeof(head.why));
	keep(ends, &head);
}

/* QEMU may say anything: what is no text counts as none. */
static const char *read_text(JsonObject *data, const char *name)
{
	JsonNode *node = json_object_get_member(data, name);
	bool is_text = node && JSON_NODE_HOLDS_VALUE(node) &&
		       json_node_get_value_type(node) == G_TYPE_STRING;
	return is_text ? json_node_get_string(node) : "";
}

void ends_note_event(struct ends *ends, const char *name, JsonObject *data)
{
	flight_note_name(FLIGHT_MACHINE, 0, name);
	if (strcmp(name, "GUEST_PANICKED") == 0)
		note_panic(ends);
	if (strcmp(name, "RESET") == 0)
		ends->has_panicked = false;
	if (strcmp(name, "SHUTDOWN") == 0 && data)
		g_strlcpy(ends->reason, read_text(data, "reason"), sizeof(ends->reason));
}

/* ---- ends ---- */

static enum flight_cause find_cause_of_signal(struct ends *ends, int wait_status)
{
	bool killed_for_memory = oom_kills_rose(&ends->kills);
	enum flight_cause cause = flight_cause_of_end(wait_status);
	return cause == FLIGHT_CAUSE_KILLED && killed_for_memory ? FLIGHT_CAUSE_OUT_OF_MEMORY :
								   cause;
}

/* QEMU's words for it (ShutdownCause of qapi/run-state.json). */
static enum flight_cause find_cause_of_shutdown(const char *reason)
{
	static const struct {
		const char *reason;
		enum flight_cause cause;
	} causes[] = {
		{ "guest-shutdown", FLIGHT_CAUSE_GUEST_SHUTDOWN },
		{ "guest-reset", FLIGHT_CAUSE_GUEST_SHUTDOWN },
		{ "guest-panic", FLIGHT_CAUSE_GUEST_PANIC },
		{ "host-signal", FLIGHT_CAUSE_TOLD },
		{ "host-qmp-quit", FLIGHT_CAUSE_ENDED },
		{ "host-ui", FLIGHT_CAUSE_ENDED },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(causes); i++) {
		if (strcmp(reason, causes[i].reason) == 0)
			return causes[i].cause;
	}
	return FLIGHT_CAUSE_EXIT;
}

static enum flight_cause find_cause(struct ends *ends, int wait_status, enum ends_after after)
{
	bool good = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
	enum flight_cause cause = find_cause_of_shutdown(ends->reason);
	if (after == ENDS_AFTER_KEEPER)
		return FLIGHT_CAUSE_KEEPER;
	if (after == ENDS_AFTER_KILL)
		return FLIGHT_CAUSE_ENDED;
	if (WIFSIGNALED(wait_status))
		return find_cause_of_signal(ends, wait_status);
	if (good && after == ENDS_AFTER_WISH && cause != FLIGHT_CAUSE_GUEST_SHUTDOWN)
		return FLIGHT_CAUSE_ENDED;
	if (good)
		return cause;
	return ends->was_ready ? FLIGHT_CAUSE_EXIT : FLIGHT_CAUSE_NOT_STARTED;
}

static char *find_words(const struct ends *ends, int wait_status, enum ends_after after)
{
	static const char *const befores[] = {
		[ENDS_AFTER_NOTHING] = "",
		[ENDS_AFTER_WISH] = ", when it was told to",
		[ENDS_AFTER_KILL] = ", since it did not end when it was told to",
		[ENDS_AFTER_KEEPER] = ", after vitrine-gpu had failed",
	};
	g_autofree char *end = process_describe_end(wait_status);
	return g_strdup_printf("%s%s%s%s%s", end, ends->reason[0] ? ", shut down: " : "",
		ends->reason, befores[after],
		ends->has_panicked ? "; its guest's kernel had panicked" : "");
}

void ends_keep_qemu(struct ends *ends, pid_t pid, int wait_status, enum ends_after after)
{
	g_autofree char *words = find_words(ends, wait_status, after);
	struct flight_head head = make_head(ends, FLIGHT_PROCESS_QEMU, pid, ends->qemu_began_ns);
	flight_note(FLIGHT_CHILD_ENDED, FLIGHT_PROCESS_QEMU, (uint64_t)pid,
		(uint64_t)(unsigned)wait_status);
	head.cause = find_cause(ends, wait_status, after);
	head.wait_status = wait_status;
	head.has_wait_status = 1;
	head.was_ready = ends->was_ready;
	g_strlcpy(head.why, words, sizeof(head.why));
	keep(ends, &head);
}

/* It says itself how it ended, but for the one signal of which it hears nothing. */
void ends_keep_keeper(struct ends *ends, pid_t pid, int wait_status, enum ends_after after)
{
	flight_note(FLIGHT_CHILD_ENDED, FLIGHT_PROCESS_KEEPER, (uint64_t)pid,
		(uint64_t)(unsigned)wait_status);
	if (!WIFSIGNALED(wait_status) || WTERMSIG(wait_status) != SIGKILL)
		return;
	struct flight_head head =
		make_head(ends, FLIGHT_PROCESS_KEEPER, pid, ends->keeper_began_ns);
	head.cause = after == ENDS_AFTER_KILL ? FLIGHT_CAUSE_ENDED :
						find_cause_of_signal(ends, wait_status);
	head.wait_status = wait_status;
	head.has_wait_status = 1;
	head.was_ready = 1;
	keep(ends, &head);
}
