/* SPDX-License-Identifier: MIT */
#include "display/relay/spice_manners.h"

#include <errno.h>
#include <glib.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <spice/vd_agent.h>
#include <string.h>

#include "display/relay/limits.h"

G_STATIC_ASSERT(SPICE_MANNERS_AGENT_MAX == VD_AGENT_MAX_DATA_SIZE);
G_STATIC_ASSERT(SPICE_MANNERS_HELD_MAX >= SPICE_MANNERS_AGENT_MAX);

/* ---- what a message says ---- */

/* INIT is laid out as in spice.proto. */
struct display_init {
	uint8_t pixmap_cache_id;
	int64_t pixmap_cache_size;
	uint8_t glz_dictionary_id;
	uint32_t glz_dictionary_window_size;
} __attribute__((packed));

/* LZ_MAX_WINDOW_SIZE of spice-common's lz_common.h: a larger window is none, which is asserted. */
#define GLZ_WINDOW_MAX (1u << 25)

static bool judge_init(struct spice_manners *manners, const uint8_t *body, uint32_t body_bytes)
{
	struct display_init init;
	memcpy(&init, body, sizeof(init));
	bool good = !manners->had_init && body_bytes == sizeof(init) &&
		    init.pixmap_cache_size >= 0 &&
		    init.glz_dictionary_window_size <= GLZ_WINDOW_MAX;
	manners->had_init = true;
	return good;
}

/* It is a list that begins with its length, which spice-server asserts not to be 0. */
static bool judge_codecs(struct spice_manners *manners, const uint8_t *body, uint32_t body_bytes)
{
	return body[0] > 0 && body[0] < body_bytes;
}

static bool judge_start(struct spice_manners *manners, const uint8_t *body, uint32_t body_bytes)
{
	manners->agent_started = true;
	return true;
}

static bool judge_token(struct spice_manners *manners, const uint8_t *body, uint32_t body_bytes)
{
	return manners->agent_started;
}

/*
 * What spice-server itself reads of the agent's messages. It is kept across clients until it is
 * whole, and if anything is wrong with it spice-server frees the client in the middle of it.
 */
static bool judge_monitors(const uint8_t *data, uint32_t size_bytes, uint32_t there_bytes)
{
	VDAgentMonitorsConfig config;
	if (size_bytes < sizeof(config) || there_bytes != size_bytes)
		return false;
	memcpy(&config, data, sizeof(config));
	size_t each_bytes = sizeof(VDAgentMonConfig);
	if (config.flags & VD_AGENT_CONFIG_MONITORS_FLAG_PHYSICAL_SIZE)
		each_bytes += sizeof(VDAgentMonitorMM);
	return config.num_of_monitors <= (size_bytes - sizeof(config)) / each_bytes;
}

/* A message to the agent may take several of the channel's. None of these is empty: spice-server
 * has no buffer for it, and asserts that it has. */
static bool judge_agent(struct spice_manners *manners, const uint8_t *body, uint32_t body_bytes)
{
	VDAgentMessage message;
	if (manners->agent_left_bytes > 0) {
		if (body_bytes > manners->agent_left_bytes)
			return false;
		manners->agent_left_bytes -= body_bytes;
		return true;
	}
	if (body_bytes < sizeof(message))
		return false;
	memcpy(&message, body, sizeof(message));
	uint32_t there_bytes = body_bytes - (uint32_t)sizeof(message);
	if (message.protocol != VD_AGENT_PROTOCOL || message.size < there_bytes)
		return false;
	manners->agent_left_bytes = message.size - there_bytes;
	return message.type != VD_AGENT_MONITORS_CONFIG ||
	       judge_monitors(body + sizeof(message), message.size, there_bytes);
}

/*
 * A client says the mode each time that the guest begins to record. spice-server makes a decoder
 * each time and forgets the one before (snd_codec_create()).
 */
static bool judge_mode(struct spice_manners *manners, const uint8_t *body, uint32_t body_bytes)
{
	return ++manners->n_modes <= SPICE_MANNERS_MODES_MAX;
}

/* ---- the table ---- */

#define EVERY_CHANNEL 0
#define MANNERS_MOST SPICE_MANNERS_BYTES_MAX

static const struct manners_rule {
	uint8_t channel; /* EVERY_CHANNEL: every channel */
	uint16_t type;
	uint32_t min_bytes, max_bytes;
	/* NULL: it may pass whatever it says. Else all of it must be there. */
	bool (*judge)(struct spice_manners *manners, const uint8_t *body, uint32_t body_bytes);
} rules[] = {
	{ EVERY_CHANNEL, SPICE_MSGC_ACK_SYNC, 4, MANNERS_MOST },
	{ EVERY_CHANNEL, SPICE_MSGC_ACK, 0, MANNERS_MOST },
	{ EVERY_CHANNEL, SPICE_MSGC_PONG, 12, MANNERS_MOST },
	{ EVERY_CHANNEL, SPICE_MSGC_DISCONNECTING, 12, MANNERS_MOST },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_ATTACH_CHANNELS, 0, MANNERS_MOST },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_MOUSE_MODE_REQUEST, 2, MANNERS_MOST },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_AGENT_START, 4, 4, judge_start },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_AGENT_TOKEN, 4, 4, judge_token },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_AGENT_DATA, 1, SPICE_MANNERS_AGENT_MAX, judge_agent },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_KEY_DOWN, 4, MANNERS_MOST },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_KEY_UP, 4, MANNERS_MOST },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_KEY_MODIFIERS, 2, MANNERS_MOST },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_KEY_SCANCODE, 0, MANNERS_MOST },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_MOUSE_MOTION, 10, MANNERS_MOST },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_MOUSE_POSITION, 11, MANNERS_MOST },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_MOUSE_PRESS, 3, MANNERS_MOST },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_MOUSE_RELEASE, 3, MANNERS_MOST },
	{ SPICE_CHANNEL_DISPLAY, SPICE_MSGC_DISPLAY_INIT, 14, 14, judge_init },
	{ SPICE_CHANNEL_DISPLAY, SPICE_MSGC_DISPLAY_STREAM_REPORT, 32, MANNERS_MOST },
	{ SPICE_CHANNEL_DISPLAY, SPICE_MSGC_DISPLAY_PREFERRED_COMPRESSION, 1, MANNERS_MOST },
	{ SPICE_CHANNEL_DISPLAY, SPICE_MSGC_DISPLAY_GL_DRAW_DONE, 0, MANNERS_MOST },
	{ SPICE_CHANNEL_DISPLAY, SPICE_MSGC_DISPLAY_PREFERRED_VIDEO_CODEC_TYPE, 2,
		SPICE_TALK_SHOWN_MAX, judge_codecs },
	{ SPICE_CHANNEL_RECORD, SPICE_MSGC_RECORD_DATA, 4, SPICE_MANNERS_SOUND_MAX },
	{ SPICE_CHANNEL_RECORD, SPICE_MSGC_RECORD_MODE, 6, 6, judge_mode },
	{ SPICE_CHANNEL_RECORD, SPICE_MSGC_RECORD_START_MARK, 4, MANNERS_MOST },
	{ SPICE_CHANNEL_USBREDIR, SPICE_MSGC_SPICEVMC_DATA, 1, SPICE_MANNERS_DEVICE_MAX },
	{ SPICE_CHANNEL_WEBDAV, SPICE_MSGC_SPICEVMC_DATA, 1, SPICE_MANNERS_DEVICE_MAX },
	{ SPICE_CHANNEL_WEBDAV, SPICE_MSGC_PORT_EVENT, 1, 1 },
	{ SPICE_CHANNEL_PORT, SPICE_MSGC_SPICEVMC_DATA, 1, SPICE_MANNERS_DEVICE_MAX },
	{ SPICE_CHANNEL_PORT, SPICE_MSGC_PORT_EVENT, 1, 1 },
};

static const struct manners_rule *find_rule(uint8_t channel, uint16_t type)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(rules); i++) {
		const struct manners_rule *rule = &rules[i];
		if (rule->type == type &&
			(rule->channel == EVERY_CHANNEL || rule->channel == channel))
			return rule;
	}
	return NULL;
}

int spice_manners_judge(struct spice_manners *manners, uint8_t channel, uint16_t type,
	const uint8_t *body, uint32_t body_bytes, size_t there_bytes)
{
	const struct manners_rule *rule = find_rule(channel, type);
	if (!rule || body_bytes < rule->min_bytes || body_bytes > rule->max_bytes)
		return -EPROTO;
	if (!rule->judge)
		return 1;
	if (there_bytes < body_bytes)
		return 0;
	return rule->judge(manners, body, body_bytes) ? 1 : -EPROTO;
}
