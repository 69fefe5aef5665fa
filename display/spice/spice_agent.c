/* SPDX-License-Identifier: MIT */
#include "display/spice/spice_agent.h"

#include <glib.h>
#include <spice.h>
#include <string.h>

#include "common/peer_log.h"
#include "display/spice/limits.h"
#include "display/qemu/inputs.h"

enum guest_agent {
	GUEST_CLOSED,    /* nobody has the port open */
	GUEST_ASKED,     /* somebody has, and was asked what it can do */
	GUEST_ANNOUNCED, /* it has said so */
};

struct spice_agent {
	SpiceServer *server;
	const struct spice_agent_ops *ops;
	void *user;
	SpiceCharDeviceInstance instance;
	bool is_plugged;        /* spice-server has the instance */
	bool pointer;           /* clients send pointers this way */
	VDAgentMouseState last; /* to see what changed: each message has all of it */
	struct agent_filter *filter;
	enum guest_agent guest;
	bool serves;                     /* clients have the guest's agent */
	bool is_stale;                   /* but it is not the one that it was */
	guint change_source;             /* they are to have another one */
	unsigned n_waits;                /* for them to be quiet */
	uint64_t said_bytes;             /* of theirs, at the last look */
	guint patience_source;           /* something is on its way */
	uint64_t moved_bytes;            /* from the guest and to it, */
	uint64_t patient_at;             /* and what this was when the patience began */
	VDAgentMonitorsConfig *monitors; /* what was wished last; NULL: nothing */
	size_t monitors_bytes;
};

static struct spice_agent *agent_of(SpiceCharDeviceInstance *instance)
{
	return SPICE_CONTAINEROF(instance, struct spice_agent, instance);
}

static const struct {
	uint32_t mask;
	enum input_button button;
} buttons[] = {
	{ VD_AGENT_LBUTTON_MASK, INPUT_BUTTON_LEFT },
	{ VD_AGENT_MBUTTON_MASK, INPUT_BUTTON_MIDDLE },
	{ VD_AGENT_RBUTTON_MASK, INPUT_BUTTON_RIGHT },
	{ VD_AGENT_SBUTTON_MASK, INPUT_BUTTON_SIDE },
	{ VD_AGENT_EBUTTON_MASK, INPUT_BUTTON_EXTRA },
};

static void on_pointer(void *user, const uint8_t *body)
{
	struct spice_agent *agent = user;
	VDAgentMouseState state;
	uint32_t down = 0;
	memcpy(&state, body, sizeof(state));
	for (unsigned i = 0; i < G_N_ELEMENTS(buttons); i++) {
		if (state.buttons & buttons[i].mask)
			down |= 1u << buttons[i].button;
	}
	if (state.x != agent->last.x || state.y != agent->last.y ||
		state.display_id != agent->last.display_id)
		agent->ops->pointer(agent->user, state.display_id, (int32_t)MIN(state.x, INT16_MAX),
			(int32_t)MIN(state.y, INT16_MAX));
	agent->ops->buttons(agent->user, down);
	uint32_t turned = state.buttons & ~agent->last.buttons;
	if (turned & VD_AGENT_UBUTTON_MASK)
		agent->ops->wheel(agent->user, -1);
	if (turned & VD_AGENT_DBUTTON_MASK)
		agent->ops->wheel(agent->user, 1);
	agent->last = state;
}

/* ---- the guest's agent ---- */

static bool plug(struct spice_agent *agent)
{
	agent->is_plugged = spice_server_add_interface(agent->server, &agent->instance.base) == 0;
	if (!agent->is_plugged)
		g_warning("spice: the agent was refused");
	return agent->is_plugged;
}

static void tell_monitors(struct spice_agent *agent);

static void change_agent(struct spice_agent *agent)
{
	bool serves = agent->guest == GUEST_ANNOUNCED;
	if (agent->is_plugged)
		spice_server_remove_interface(&agent->instance.base);
	agent_filter_set_guest(agent->filter, serves);
	agent->serves = serves;
	agent->is_stale = false;
	peer_message(PEER_GUEST, "agent: clients have %s",
		serves ? "the guest's" : "no more the guest's");
	plug(agent);
	tell_monitors(agent);
}

/* Clients that are busy have time to come to the end of it, for the sake of spice-server. */
static gboolean on_change(gpointer user)
{
	struct spice_agent *agent = user;
	uint64_t said = agent_filter_said(agent->filter, AGENT_CLIENT);
	bool is_quiet =
		said == agent->said_bytes && !agent_filter_is_inside(agent->filter, AGENT_CLIENT);
	agent->said_bytes = said;
	if (!is_quiet && ++agent->n_waits < AGENT_QUIET_TIMES_MAX)
		return G_SOURCE_CONTINUE;
	agent->change_source = 0;
	change_agent(agent);
	return G_SOURCE_REMOVE;
}

static void change_soon(struct spice_agent *agent)
{
	bool serves = agent->guest == GUEST_ANNOUNCED;
	if (serves == agent->serves && !agent->is_stale)
		g_clear_handle_id(&agent->change_source, g_source_remove);
	else if (!agent->change_source) {
		agent->n_waits = 0;
		agent->said_bytes = agent_filter_said(agent->filter, AGENT_CLIENT);
		agent->change_source = g_timeout_add(AGENT_QUIET_MS, on_change, agent);
	}
}

/* spice-server is told later, since it may be what has called. */
static void on_announced(void *user)
{
	struct spice_agent *agent = user;
	if (agent->guest == GUEST_ASKED)
		agent->guest = GUEST_ANNOUNCED;
	change_soon(agent);
}

static const struct agent_filter_ops filter_ops = { on_pointer, on_announced };

/* A guest that is slow because the client is has time. */
static bool is_waiting_for_guest(struct spice_agent *agent)
{
	size_t n_bytes;
	agent_filter_peek(agent->filter, AGENT_GUEST, &n_bytes);
	bool inside = agent_filter_is_inside(agent->filter, AGENT_GUEST) &&
		      agent_filter_room(agent->filter, AGENT_GUEST) > 0;
	return agent->guest == GUEST_ASKED ||
	       (agent->serves && !agent->is_stale && (n_bytes > 0 || inside));
}

static gboolean on_patience_ended(gpointer user)
{
	struct spice_agent *agent = user;
	bool waits = is_waiting_for_guest(agent);
	if (waits && agent->moved_bytes != agent->patient_at) {
		agent->patient_at = agent->moved_bytes;
		return G_SOURCE_CONTINUE;
	}
	agent->patience_source = 0;
	if (waits) {
		peer_warning(PEER_GUEST,
			"agent: the guest's has stood still for %u s %s; it is to open its port "
			"again",
			AGENT_PATIENCE_S,
			agent->guest == GUEST_ASKED ? "without an answer" :
						      "in the middle of something");
		agent->ops->renew_guest(agent->user);
	}
	return G_SOURCE_REMOVE;
}

static void be_patient(struct spice_agent *agent)
{
	if (agent->patience_source || !is_waiting_for_guest(agent))
		return;
	agent->patient_at = agent->moved_bytes;
	agent->patience_source = g_timeout_add_seconds(AGENT_PATIENCE_S, on_patience_ended, agent);
}

static void send_guest(struct spice_agent *agent)
{
	size_t n_bytes;
	const uint8_t *bytes = agent_filter_peek(agent->filter, AGENT_GUEST, &n_bytes);
	size_t taken = n_bytes ? agent->ops->send_guest(agent->user, bytes, n_bytes) : 0;
	agent_filter_take(agent->filter, AGENT_GUEST, taken);
	agent->moved_bytes += taken;
	be_patient(agent);
}

/* spice-server reads and writes what it can. */
static void wake_server(struct spice_agent *agent)
{
	if (agent->is_plugged)
		spice_server_char_device_wakeup(&agent->instance);
}

void spice_agent_guest_opened(struct spice_agent *agent, bool is_open)
{
	agent_filter_forget(agent->filter, AGENT_GUEST);
	agent_filter_set_guest(agent->filter, false);
	agent->is_stale = agent->serves;
	agent->guest = is_open ? GUEST_ASKED : GUEST_CLOSED;
	change_soon(agent);
	/* What spice-server kept for the guest goes nowhere. */
	wake_server(agent);
	if (!is_open)
		return;
	agent_filter_ask(agent->filter);
	send_guest(agent);
}

size_t spice_agent_guest_room(struct spice_agent *agent)
{
	return agent_filter_room(agent->filter, AGENT_GUEST);
}

void spice_agent_guest_said(struct spice_agent *agent, const uint8_t *bytes, size_t n_bytes)
{
	agent->moved_bytes += n_bytes;
	if (!agent_filter_feed(agent->filter, AGENT_GUEST, bytes, n_bytes)) {
		peer_warning(PEER_GUEST, "agent: what the guest says is no agent's; it is cut off");
		agent->ops->renew_guest(agent->user);
		return;
	}
	send_guest(agent);
	wake_server(agent);
}

void spice_agent_guest_writable(struct spice_agent *agent)
{
	send_guest(agent);
	wake_server(agent);
}

static void tell_monitors(struct spice_agent *agent)
{
	if (agent->serves && !agent->is_stale && agent->monitors) {
		agent_filter_tell_guest(agent->filter, VD_AGENT_MONITORS_CONFIG, agent->monitors,
			agent->monitors_bytes);
		send_guest(agent);
	}
}

void spice_agent_send_monitors(
	struct spice_agent *agent, const struct frame_head_mode *heads, unsigned n_heads)
{
	g_assert(n_heads <= FRAME_HEADS_MAX);
	agent->monitors_bytes = sizeof(VDAgentMonitorsConfig) + n_heads * sizeof(VDAgentMonConfig);
	G_STATIC_ASSERT(
		sizeof(VDAgentMonitorsConfig) + FRAME_HEADS_MAX * sizeof(VDAgentMonConfig) <=
		AGENT_FILTER_BODY_MAX);
	agent->monitors = g_realloc(agent->monitors, agent->monitors_bytes);
	agent->monitors->num_of_monitors = GUINT32_TO_LE(n_heads);
	agent->monitors->flags = GUINT32_TO_LE(VD_AGENT_CONFIG_MONITORS_FLAG_USE_POS);
	for (unsigned i = 0; i < n_heads; i++) {
		bool on = heads[i].enabled;
		agent->monitors->monitors[i] = (VDAgentMonConfig){
			.height = GUINT32_TO_LE(on ? heads[i].height : 0),
			.width = GUINT32_TO_LE(on ? heads[i].width : 0),
			.depth = GUINT32_TO_LE(32),
			.x = (int32_t)GUINT32_TO_LE(MIN(heads[i].x, FRAME_SIZE_MAX)),
			.y = (int32_t)GUINT32_TO_LE(MIN(heads[i].y, FRAME_SIZE_MAX)),
		};
	}
	tell_monitors(agent);
}

/* ---- spice-server ---- */

static int agent_write(SpiceCharDeviceInstance *instance, const uint8_t *bytes, int n_bytes)
{
	struct spice_agent *agent = agent_of(instance);
	size_t n = MIN((size_t)n_bytes, agent_filter_room(agent->filter, AGENT_CLIENT));
	/* spice-server has looked at it before. */
	if (!agent_filter_feed(agent->filter, AGENT_CLIENT, bytes, n))
		agent_filter_forget(agent->filter, AGENT_CLIENT);
	send_guest(agent);
	/* spice-server does not look for answers by itself. */
	size_t n_answers;
	agent_filter_peek(agent->filter, AGENT_CLIENT, &n_answers);
	if (n_answers > 0)
		wake_server(agent);
	return (int)n;
}

static int agent_read(SpiceCharDeviceInstance *instance, uint8_t *bytes, int n_bytes)
{
	struct spice_agent *agent = agent_of(instance);
	size_t n;
	const uint8_t *from = agent_filter_peek(agent->filter, AGENT_CLIENT, &n);
	n = MIN(n, (size_t)n_bytes);
	if (n == 0)
		return 0;
	memcpy(bytes, from, n);
	agent_filter_take(agent->filter, AGENT_CLIENT, n);
	if (agent->guest != GUEST_CLOSED)
		agent->ops->resume_guest(agent->user);
	return (int)n;
}

static void agent_state(SpiceCharDeviceInstance *instance, int connected)
{
	struct spice_agent *agent = agent_of(instance);
	agent_filter_forget(agent->filter, AGENT_CLIENT);
	agent->last = (VDAgentMouseState){ 0 };
}

static const SpiceCharDeviceInterface agent_interface = {
	.base = {
		.type = SPICE_INTERFACE_CHAR_DEVICE,
		.description = "vitrine agent",
		.major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
		.minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR,
	},
	.state = agent_state,
	.write = agent_write,
	.read = agent_read,
};

struct spice_agent *spice_agent_create(SpiceServer *server, const struct agent_policy *policy,
	const struct spice_agent_ops *ops, void *user)
{
	struct spice_agent *agent = g_new0(struct spice_agent, 1);
	agent->server = server;
	agent->ops = ops;
	agent->user = user;
	agent->filter = agent_filter_create(policy, &filter_ops, agent);
	agent->instance.base.sif = &agent_interface.base;
	agent->instance.subtype = "vdagent";
	spice_server_set_agent_mouse(server, 0);
	if (plug(agent))
		return agent;
	spice_agent_destroy(agent);
	return NULL;
}

void spice_agent_destroy(struct spice_agent *agent)
{
	if (!agent)
		return;
	g_clear_handle_id(&agent->change_source, g_source_remove);
	g_clear_handle_id(&agent->patience_source, g_source_remove);
	agent_filter_destroy(agent->filter);
	g_free(agent->monitors);
	g_free(agent);
}

void spice_agent_set_pointer(struct spice_agent *agent, bool on)
{
	if (on == agent->pointer)
		return;
	agent->pointer = on;
	spice_server_set_agent_mouse(agent->server, on);
}
