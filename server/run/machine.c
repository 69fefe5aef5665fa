/* SPDX-License-Identifier: MIT */
#include "server/run/machine.h"

#include <string.h>

#define CONNECT_RETRY_MS 100
/*
 * A driver that stops is news only when nothing else is: a reboot, a pause or the next driver
 * follow sooner than this.
 */
#define DOWN_MS 3000

struct machine_question {
	machine_answer answer; /* NULL: nobody waits */
	void *user;
	bool is_status;
};

const char *machine_state_word(enum machine_state state)
{
	static const char *const words[] = {
		[MACHINE_STARTING] = "starting",
		[MACHINE_RUNNING] = "running",
		[MACHINE_PAUSED] = "paused",
		[MACHINE_SUSPENDED] = "suspended",
		[MACHINE_OFF] = "off",
	};
	return words[state];
}

static void tell(struct machine *machine, const char *kind, const char *text)
{
	if (!machine->ending)
		machine->events.event(machine->events.user, kind, text);
}

static void enter(
	struct machine *machine, enum machine_state state, const char *kind, const char *text)
{
	machine->state = state;
	tell(machine, kind, text);
}

/* ---- questions ---- */

static bool ask(struct machine *machine, const char *command, const char *arguments,
	const struct machine_question *question)
{
	if (!machine->is_ready || !qmp_client_send(machine->qmp, command, arguments, -1))
		return false;
	struct machine_question *copy = g_new(struct machine_question, 1);
	*copy = *question;
	g_queue_push_tail(&machine->asked, copy);
	return true;
}

bool machine_ask(struct machine *machine, const char *command, const char *arguments,
	machine_answer answer, void *user)
{
	return ask(machine, command, arguments, &(struct machine_question){ answer, user, false });
}

static void ask_status(struct machine *machine)
{
	ask(machine, "query-status", NULL, &(struct machine_question){ .is_status = true });
}

static void on_status(struct machine *machine, JsonNode *result)
{
	if (!result || !JSON_NODE_HOLDS_OBJECT(result))
		return;
	const char *status = json_object_get_string_member_with_default(
		json_node_get_object(result), "status", "");
	if (g_strcmp0(status, "internal-error") == 0)
		machine->events.broken(machine->events.user);
	else if (g_strcmp0(status, "paused") == 0 && machine->state != MACHINE_PAUSED)
		enter(machine, MACHINE_PAUSED, "paused", "the machine is paused");
	else if (g_strcmp0(status, "running") == 0 && machine->state == MACHINE_STARTING)
		machine->state = MACHINE_RUNNING;
}

static void on_answer(void *user, JsonNode *result, const char *error)
{
	struct machine *machine = user;
	g_autofree struct machine_question *question = g_queue_pop_head(&machine->asked);
	if (!question)
		return;
	if (question->answer)
		question->answer(question->user, error);
	else if (error)
		g_warning("QEMU: %s", error);
	else if (question->is_status)
		on_status(machine, result);
}

static void drop_questions(struct machine *machine, const char *why)
{
	struct machine_question *question;
	while ((question = g_queue_pop_head(&machine->asked))) {
		if (question->answer)
			question->answer(question->user, why);
		g_free(question);
	}
}

/* ---- what happens to the machine ---- */

static const char *text_of(JsonObject *data, const char *member)
{
	return data ? json_object_get_string_member_with_default(data, member, "") : "";
}

static void on_reset(struct machine *machine, JsonObject *data)
{
	bool by_guest = g_strcmp0(text_of(data, "reason"), "guest-reset") == 0;
	/* A firmware may take longer than DOWN_MS, and not draw. */
	g_clear_handle_id(&machine->down_timer, g_source_remove);
	machine->driver = "none";
	tell(machine, "reset", by_guest ? "the guest restarts" : "the machine is reset");
}

static void on_shutdown(struct machine *machine, JsonObject *data)
{
	const char *reason = text_of(data, "reason");
	if (g_strcmp0(reason, "guest-shutdown") == 0) {
		enter(machine, MACHINE_OFF, "off", "the guest has powered off");
		return;
	}
	g_autofree char *text = g_strdup_printf(
		"QEMU was told to end (%s)", reason && *reason ? reason : "no reason given");
	enter(machine, MACHINE_OFF, "off", text);
}

static void on_suspend(struct machine *machine, JsonObject *data)
{
	enter(machine, MACHINE_SUSPENDED, "suspended",
		"the guest sleeps; a key or \"vitrine resume\" wakes it");
}

/* The guest has written its memory to its disk, and powers off then. */
static void on_suspend_disk(struct machine *machine, JsonObject *data)
{
	tell(machine, "suspended", "the guest sleeps on its disk");
}

static void on_wakeup(struct machine *machine, JsonObject *data)
{
	enter(machine, MACHINE_RUNNING, "woken", "the guest is awake");
}

/*
 * Whoever stopped the machine may let it go on. An accelerator that gave up never does, and the
 * status tells the two apart.
 */
static void on_stop(struct machine *machine, JsonObject *data)
{
	ask_status(machine);
}

static void on_resume(struct machine *machine, JsonObject *data)
{
	if (machine->state == MACHINE_PAUSED)
		enter(machine, MACHINE_RUNNING, "resumed", "the machine goes on");
}

static void on_powerdown(struct machine *machine, JsonObject *data)
{
	tell(machine, "power-button", "the power button is pressed");
}

static const struct {
	const char *name;
	void (*handle)(struct machine *machine, JsonObject *data);
} rows[] = {
	{ "RESET", on_reset },
	{ "SHUTDOWN", on_shutdown },
	{ "SUSPEND", on_suspend },
	{ "SUSPEND_DISK", on_suspend_disk },
	{ "WAKEUP", on_wakeup },
	{ "STOP", on_stop },
	{ "RESUME", on_resume },
	{ "POWERDOWN", on_powerdown },
};

static void on_event(void *user, const char *name, JsonObject *data)
{
	struct machine *machine = user;
	if (machine->events.said)
		machine->events.said(machine->events.user, name, data);
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (strcmp(name, rows[i].name) == 0)
			rows[i].handle(machine, data);
	}
}

/* ---- the guest's driver ---- */

/* What the keeper says is one of these, or as good as the first. */
static const char *driver_word(const char *text)
{
	static const char *const words[] = { "firmware", "2d", "virgl" };
	for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
		if (strcmp(text, words[i]) == 0)
			return words[i];
	}
	return words[0];
}

static bool is_driver(const struct machine *machine, const char *word)
{
	return strcmp(machine->driver, word) == 0;
}

/* While the machine stands still, so does the driver. */
static gboolean on_driver_gone(gpointer user)
{
	struct machine *machine = user;
	bool was_firmware = is_driver(machine, "firmware");
	machine->down_timer = 0;
	if (machine->state != MACHINE_RUNNING)
		return G_SOURCE_REMOVE;
	machine->driver = "none";
	if (was_firmware)
		tell(machine, "firmware-done", "the firmware is done");
	else
		tell(machine, "driver-down",
			"the guest's graphics driver has stopped: it sleeps, and a key or "
			"\"vitrine resume\" wakes it; or it was unloaded");
	return G_SOURCE_REMOVE;
}

static void set_driver_up(struct machine *machine, const char *driver)
{
	bool was_firmware = is_driver(machine, "firmware");
	if (is_driver(machine, driver))
		return;
	machine->driver = driver;
	if (strcmp(driver, "firmware") == 0)
		return;
	if (was_firmware)
		tell(machine, "firmware-done", "the firmware is done");
	g_autofree char *text = g_strdup_printf("the guest's graphics driver is up (%s)", driver);
	tell(machine, "driver-up", text);
}

void machine_set_driver(struct machine *machine, const char *driver)
{
	g_clear_handle_id(&machine->down_timer, g_source_remove);
	if (driver)
		set_driver_up(machine, driver_word(driver));
	else if (!is_driver(machine, "none"))
		machine->down_timer = g_timeout_add(DOWN_MS, on_driver_gone, machine);
}

/* ---- the connection ---- */

static void on_ready(void *user)
{
	struct machine *machine = user;
	machine->is_ready = true;
	machine->started_s = g_get_real_time() / G_USEC_PER_SEC;
	machine->state = MACHINE_RUNNING;
	ask_status(machine);
	machine->events.ready(machine->events.user);
}

static void on_closed(void *user)
{
	struct machine *machine = user;
	g_clear_pointer(&machine->qmp, qmp_client_destroy);
	machine->is_ready = false;
	machine->state = MACHINE_OFF;
	drop_questions(machine, "QEMU has gone");
}

static gboolean on_connect_timer(gpointer user)
{
	struct machine *machine = user;
	const struct qmp_client_events events = {
		.user = machine,
		.ready = on_ready,
		.answer = on_answer,
		.event = on_event,
		.closed = on_closed,
	};
	machine->qmp = qmp_client_connect(machine->path, &events);
	if (!machine->qmp)
		return G_SOURCE_CONTINUE;
	machine->connect_timer = 0;
	return G_SOURCE_REMOVE;
}

void machine_init(struct machine *machine, const struct machine_events *events)
{
	g_assert(events->ready && events->event && events->broken);
	*machine = (struct machine){ .events = *events, .driver = "none" };
	g_queue_init(&machine->asked);
}

void machine_connect(struct machine *machine, const char *path)
{
	g_assert(!machine->path);
	machine->path = g_strdup(path);
	machine->connect_timer = g_timeout_add(CONNECT_RETRY_MS, on_connect_timer, machine);
}

void machine_set_ending(struct machine *machine)
{
	machine->ending = true;
}

void machine_finish(struct machine *machine)
{
	g_clear_handle_id(&machine->connect_timer, g_source_remove);
	g_clear_handle_id(&machine->down_timer, g_source_remove);
	g_clear_pointer(&machine->qmp, qmp_client_destroy);
	drop_questions(machine, "the desktop ends");
	g_clear_pointer(&machine->path, g_free);
}
