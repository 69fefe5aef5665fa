/* SPDX-License-Identifier: MIT */
#include "display/spice/spice_agent.h"

#include <glib.h>
#include <spice.h>
#include <string.h>

#include "display/spice/agent_stream.h"
#include "display/spice/limits.h"
#include "display/qemu/inputs.h"

struct spice_agent {
	SpiceServer *server;
	const struct spice_agent_ops *ops;
	void *user;
	SpiceCharDeviceInstance instance;
	bool pointer;           /* clients send pointers this way */
	VDAgentMouseState last; /* to see what changed: each message has all of it */
	struct agent_stream stream;
	GByteArray *answers; /* what spice-server has not read yet */
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

static void take_pointer(struct spice_agent *agent, const uint8_t *body, uint32_t size_bytes)
{
	VDAgentMouseState state;
	uint32_t down = 0;
	if (size_bytes < sizeof(state))
		return;
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

static void answer_capabilities(struct spice_agent *agent)
{
	struct SPICE_ATTR_PACKED {
		VDIChunkHeader chunk;
		VDAgentMessage message;
		uint32_t request;
		uint32_t caps[VD_AGENT_CAPS_SIZE];
	} answer = {
		.chunk = { .port = VDP_CLIENT_PORT, .size = sizeof(answer) - sizeof(answer.chunk) },
		.message = {
			.protocol = VD_AGENT_PROTOCOL,
			.type = VD_AGENT_ANNOUNCE_CAPABILITIES,
			.size = sizeof(answer.request) + sizeof(answer.caps),
		},
	};
	static const unsigned caps[] = { VD_AGENT_CAP_MOUSE_STATE, VD_AGENT_CAP_MONITORS_CONFIG,
		VD_AGENT_CAP_SPARSE_MONITORS_CONFIG, VD_AGENT_CAP_MONITORS_CONFIG_POSITION,
		VD_AGENT_CAP_FILE_XFER_DISABLED };
	for (unsigned i = 0; i < G_N_ELEMENTS(caps); i++)
		answer.caps[caps[i] / 32] |= 1u << caps[i] % 32;
	if (agent->answers->len + sizeof(answer) <= AGENT_ANSWERS_MAX * sizeof(answer))
		g_byte_array_append(agent->answers, (const guint8 *)&answer, sizeof(answer));
	spice_server_char_device_wakeup(&agent->instance);
}

static void on_message(void *user, enum agent_stream_port port, uint32_t type, const uint8_t *body,
	uint32_t size_bytes)
{
	struct spice_agent *agent = user;
	uint32_t request = 0;
	if (port == AGENT_STREAM_SERVER && type == VD_AGENT_MOUSE_STATE)
		take_pointer(agent, body, size_bytes);
	if (port != AGENT_STREAM_CLIENT || type != VD_AGENT_ANNOUNCE_CAPABILITIES)
		return;
	if (size_bytes >= sizeof(request))
		memcpy(&request, body, sizeof(request));
	if (request)
		answer_capabilities(agent);
}

static int agent_write(SpiceCharDeviceInstance *instance, const uint8_t *bytes, int n_bytes)
{
	struct spice_agent *agent = agent_of(instance);
	agent_stream_feed(&agent->stream, bytes, (size_t)n_bytes, on_message, agent);
	return n_bytes;
}

static int agent_read(SpiceCharDeviceInstance *instance, uint8_t *bytes, int n_bytes)
{
	struct spice_agent *agent = agent_of(instance);
	guint n = MIN((guint)n_bytes, agent->answers->len);
	if (n == 0)
		return 0;
	memcpy(bytes, agent->answers->data, n);
	g_byte_array_remove_range(agent->answers, 0, n);
	return (int)n;
}

static void agent_state(SpiceCharDeviceInstance *instance, int connected)
{
	struct spice_agent *agent = agent_of(instance);
	agent->stream = (struct agent_stream){ 0 };
	g_byte_array_set_size(agent->answers, 0);
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

struct spice_agent *spice_agent_create(
	SpiceServer *server, const struct spice_agent_ops *ops, void *user)
{
	struct spice_agent *agent = g_new0(struct spice_agent, 1);
	agent->server = server;
	agent->ops = ops;
	agent->user = user;
	agent->answers = g_byte_array_new();
	agent->instance.base.sif = &agent_interface.base;
	agent->instance.subtype = "vdagent";
	spice_server_set_agent_mouse(server, 0);
	if (spice_server_add_interface(server, &agent->instance.base) == 0)
		return agent;
	g_warning("spice: the agent was refused");
	spice_agent_destroy(agent);
	return NULL;
}

void spice_agent_destroy(struct spice_agent *agent)
{
	if (!agent)
		return;
	g_byte_array_unref(agent->answers);
	g_free(agent);
}

void spice_agent_set_pointer(struct spice_agent *agent, bool on)
{
	if (on == agent->pointer)
		return;
	agent->pointer = on;
	spice_server_set_agent_mouse(agent->server, on);
}
