/* SPDX-License-Identifier: MIT */
#include "display/spice/agent_rules.h"

#include <inttypes.h>
#include <string.h>

#include "common/peer_log.h"
#include "protocol/worker_options.h"

#define BIT(n) (UINT32_C(1) << (n))
#define BY_BOTH (AGENT_BY_CLIENT | AGENT_BY_GUEST)
#define ALL_KINDS (WORKER_CLIPBOARD_TEXT | WORKER_CLIPBOARD_IMAGE | WORKER_CLIPBOARD_FILES)
/* A selection stands before the rest, in four bytes, where the sender may say one. */
#define SELECTION_BYTES 4
#define CAPS_BYTES (VD_AGENT_CAPS_SIZE * sizeof(uint32_t))

/* Neither an agent nor a client of these capabilities says what does not stand in `rules`. */
static const unsigned guest_caps[] = { VD_AGENT_CAP_DISPLAY_CONFIG,
	VD_AGENT_CAP_CLIPBOARD_BY_DEMAND, VD_AGENT_CAP_CLIPBOARD_SELECTION,
	VD_AGENT_CAP_GUEST_LINEEND_LF, VD_AGENT_CAP_GUEST_LINEEND_CRLF, VD_AGENT_CAP_MAX_CLIPBOARD,
	VD_AGENT_CAP_AUDIO_VOLUME_SYNC, VD_AGENT_CAP_FILE_XFER_DISABLED,
	VD_AGENT_CAP_FILE_XFER_DETAILED_ERRORS, VD_AGENT_CAP_CLIPBOARD_NO_RELEASE_ON_REGRAB,
	VD_AGENT_CAP_CLIPBOARD_GRAB_SERIAL };
/* What is ours whoever is in the guest: spice-server hands sizes to the heads. */
static const unsigned own_caps[] = { VD_AGENT_CAP_MOUSE_STATE, VD_AGENT_CAP_MONITORS_CONFIG,
	VD_AGENT_CAP_SPARSE_MONITORS_CONFIG, VD_AGENT_CAP_MONITORS_CONFIG_POSITION };
static const unsigned clipboard_caps[] = { VD_AGENT_CAP_CLIPBOARD, VD_AGENT_CAP_CLIPBOARD_BY_DEMAND,
	VD_AGENT_CAP_CLIPBOARD_SELECTION, VD_AGENT_CAP_CLIPBOARD_GRAB_SERIAL };

static uint32_t get32(const uint8_t *bytes)
{
	uint32_t value;
	memcpy(&value, bytes, sizeof(value));
	return GUINT32_FROM_LE(value);
}

static void put32(uint8_t *bytes, uint32_t value)
{
	value = GUINT32_TO_LE(value);
	memcpy(bytes, &value, sizeof(value));
}

static bool was_told(const struct agent_talk *talk, enum agent_side side, unsigned cap)
{
	return talk->told[side][cap / 32] & BIT(cap % 32);
}

/*
 * What changes how a message is laid out. Some go by what they were told, and some by what they
 * have said: where the two differ, one side would read other fields than are judged here.
 */
static bool both_can(const struct agent_talk *talk, unsigned cap)
{
	return was_told(talk, AGENT_CLIENT, cap) && was_told(talk, AGENT_GUEST, cap);
}

static const char *name_side(enum agent_side side)
{
	return side == AGENT_GUEST ? "the guest" : "a client";
}

G_GNUC_PRINTF(2, 3)
static void complain(enum agent_side from, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	g_autofree char *text = g_strdup_vprintf(format, values);
	va_end(values);
	peer_warning(from == AGENT_GUEST ? PEER_GUEST : PEER_VIEWER, "agent: %s %s",
		name_side(from), text);
}

/* ---- capabilities ---- */

static void set_caps(uint32_t *caps, const unsigned *which, unsigned n, bool on)
{
	for (unsigned i = 0; i < n; i++) {
		uint32_t *word = &caps[which[i] / 32];
		*word = on ? *word | BIT(which[i] % 32) : *word & ~BIT(which[i] % 32);
	}
}

/* Grabs that are not passed on would leave the two with different counts of them. */
static void limit_clipboard(const struct agent_policy *policy, uint32_t *caps)
{
	static const unsigned serial[] = { VD_AGENT_CAP_CLIPBOARD_GRAB_SERIAL };
	if (!policy->clipboard_in && !policy->clipboard_out)
		set_caps(caps, clipboard_caps, G_N_ELEMENTS(clipboard_caps), false);
	if (!policy->clipboard_in || !policy->clipboard_out ||
		(policy->clipboard_kinds & ALL_KINDS) != ALL_KINDS)
		set_caps(caps, serial, G_N_ELEMENTS(serial), false);
}

static void limit_guest(const struct agent_talk *talk, uint32_t *caps)
{
	static const unsigned disabled[] = { VD_AGENT_CAP_FILE_XFER_DISABLED };
	uint32_t known[VD_AGENT_CAPS_SIZE] = { 0 };
	set_caps(known, guest_caps, G_N_ELEMENTS(guest_caps), true);
	for (unsigned i = 0; i < VD_AGENT_CAPS_SIZE; i++)
		caps[i] &= known[i];
	limit_clipboard(&talk->policy, caps);
	set_caps(caps, own_caps, G_N_ELEMENTS(own_caps), true);
	if (!talk->policy.files || !talk->has_guest)
		set_caps(caps, disabled, G_N_ELEMENTS(disabled), true);
}

static void write_caps(uint8_t *body, const uint32_t *caps)
{
	for (unsigned i = 0; i < VD_AGENT_CAPS_SIZE; i++)
		put32(body + i * sizeof(*caps), caps[i]);
}

/* For a guest that has no agent. */
static void answer_client(struct agent_filter *filter, struct agent_talk *talk)
{
	uint8_t body[sizeof(uint32_t) + CAPS_BYTES] = { 0 };
	uint32_t *caps = talk->told[AGENT_CLIENT];
	memset(caps, 0, CAPS_BYTES);
	limit_guest(talk, caps);
	write_caps(body + sizeof(uint32_t), caps);
	agent_filter_tell(filter, AGENT_CLIENT, VD_AGENT_ANNOUNCE_CAPABILITIES, body, sizeof(body));
}

/* The agent is told, too, so that it need not read what would be left out. */
static void tell_max(struct agent_filter *filter, const struct agent_talk *talk)
{
	uint8_t body[sizeof(uint32_t)];
	put32(body, MIN(talk->policy.clipboard_max_bytes, INT32_MAX));
	agent_filter_tell_guest(filter, VD_AGENT_MAX_CLIPBOARD, body, sizeof(body));
}

static bool judge_announce(struct agent_filter *filter, struct agent_talk *talk,
	enum agent_side from, struct agent_message *message)
{
	enum agent_side to = from == AGENT_GUEST ? AGENT_CLIENT : AGENT_GUEST;
	uint32_t caps[VD_AGENT_CAPS_SIZE] = { 0 };
	bool asks = get32(message->body);
	size_t n = MIN(message->n_bytes / sizeof(uint32_t) - 1, VD_AGENT_CAPS_SIZE);
	for (size_t i = 0; i < n; i++)
		caps[i] = get32(message->body + (i + 1) * sizeof(uint32_t));
	if (from == AGENT_GUEST)
		talk->ops->announced(talk->user);
	else if (!talk->has_guest && asks)
		answer_client(filter, talk);
	if (!talk->has_guest)
		return false;
	if (from == AGENT_GUEST)
		limit_guest(talk, caps);
	else
		limit_clipboard(&talk->policy, caps);
	memcpy(talk->told[to], caps, sizeof(caps));
	write_caps(message->body + sizeof(uint32_t), caps);
	message->size_bytes = message->n_bytes = sizeof(uint32_t) + CAPS_BYTES;
	if (from == AGENT_GUEST && was_told(talk, AGENT_CLIENT, VD_AGENT_CAP_MAX_CLIPBOARD))
		tell_max(filter, talk);
	return true;
}

/* ---- clipboard ---- */

static uint32_t selection_bytes(const struct agent_talk *talk)
{
	return both_can(talk, VD_AGENT_CAP_CLIPBOARD_SELECTION) ? SELECTION_BYTES : 0;
}

/* Says whether what this side has may be pasted on the other one. */
static bool may_offer(const struct agent_talk *talk, enum agent_side from)
{
	return from == AGENT_GUEST ? talk->policy.clipboard_out : talk->policy.clipboard_in;
}

static bool is_allowed_type(const struct agent_talk *talk, uint32_t type)
{
	static const unsigned kinds[] = {
		[VD_AGENT_CLIPBOARD_UTF8_TEXT] = WORKER_CLIPBOARD_TEXT,
		[VD_AGENT_CLIPBOARD_IMAGE_PNG] = WORKER_CLIPBOARD_IMAGE,
		[VD_AGENT_CLIPBOARD_IMAGE_BMP] = WORKER_CLIPBOARD_IMAGE,
		[VD_AGENT_CLIPBOARD_IMAGE_TIFF] = WORKER_CLIPBOARD_IMAGE,
		[VD_AGENT_CLIPBOARD_IMAGE_JPG] = WORKER_CLIPBOARD_IMAGE,
		[VD_AGENT_CLIPBOARD_FILE_LIST] = WORKER_CLIPBOARD_FILES,
	};
	return type < G_N_ELEMENTS(kinds) && talk->policy.clipboard_kinds & kinds[type];
}

/* Who pastes is not left waiting. */
static void give_nothing(struct agent_filter *filter, const struct agent_talk *talk,
	enum agent_side to, uint8_t selection)
{
	uint8_t body[SELECTION_BYTES + sizeof(uint32_t)] = { 0 };
	uint32_t before = selection_bytes(talk);
	body[0] = before ? selection : 0;
	put32(body + before, VD_AGENT_CLIPBOARD_NONE);
	agent_filter_tell(filter, to, VD_AGENT_CLIPBOARD, body, before + sizeof(uint32_t));
}

static bool judge_grab(struct agent_filter *filter, struct agent_talk *talk, enum agent_side from,
	struct agent_message *message)
{
	uint32_t at = selection_bytes(talk), kept;
	if (both_can(talk, VD_AGENT_CAP_CLIPBOARD_GRAB_SERIAL))
		at += sizeof(uint32_t);
	if (!may_offer(talk, from) || message->n_bytes < at)
		return false;
	kept = at;
	for (; message->n_bytes - at >= sizeof(uint32_t); at += sizeof(uint32_t)) {
		uint32_t type = get32(message->body + at);
		if (!is_allowed_type(talk, type))
			continue;
		put32(message->body + kept, type);
		kept += sizeof(uint32_t);
	}
	message->size_bytes = message->n_bytes = kept;
	return kept > selection_bytes(talk);
}

static bool judge_request(struct agent_filter *filter, struct agent_talk *talk,
	enum agent_side from, struct agent_message *message)
{
	uint32_t before = selection_bytes(talk);
	enum agent_side owner = from == AGENT_GUEST ? AGENT_CLIENT : AGENT_GUEST;
	if (message->n_bytes != before + sizeof(uint32_t))
		return false;
	if (may_offer(talk, owner) && is_allowed_type(talk, get32(message->body + before)))
		return true;
	if (talk->has_guest)
		give_nothing(filter, talk, from, message->body[0]);
	return false;
}

static bool judge_clipboard(struct agent_filter *filter, struct agent_talk *talk,
	enum agent_side from, struct agent_message *message)
{
	uint32_t before = selection_bytes(talk) + (uint32_t)sizeof(uint32_t);
	enum agent_side to = from == AGENT_GUEST ? AGENT_CLIENT : AGENT_GUEST;
	if (!talk->has_guest || message->n_bytes < before || !may_offer(talk, from))
		return false;
	uint32_t type = get32(message->body + before - sizeof(uint32_t));
	uint32_t size_bytes = message->size_bytes - before;
	bool fits = size_bytes <= talk->policy.clipboard_max_bytes;
	if (!fits)
		complain(from,
			"copies %u bytes, of which --clipboard-max allows %u; they are left "
			"out",
			size_bytes, talk->policy.clipboard_max_bytes);
	if (fits && (type == VD_AGENT_CLIPBOARD_NONE || is_allowed_type(talk, type)))
		return true;
	give_nothing(filter, talk, to, message->body[0]);
	return false;
}

/* Agents of Linux send one byte of a selection here. */
static bool judge_release(struct agent_filter *filter, struct agent_talk *talk,
	enum agent_side from, struct agent_message *message)
{
	return may_offer(talk, from) && message->n_bytes <= SELECTION_BYTES;
}

static bool judge_max(struct agent_filter *filter, struct agent_talk *talk, enum agent_side from,
	struct agent_message *message)
{
	uint32_t limit = MIN(talk->policy.clipboard_max_bytes, INT32_MAX);
	uint32_t wanted = get32(message->body); /* -1: as much as there is */
	put32(message->body, MIN(wanted, limit));
	return message->n_bytes == sizeof(uint32_t);
}

/* ---- files ---- */

static void log_file(const struct agent_message *message, bool taken)
{
	static const char group[] = "vdagent-file-xfer";
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *name = NULL;
	const char *text = (const char *)message->body + sizeof(uint32_t);
	gsize length = strnlen(text, message->n_bytes - sizeof(uint32_t));
	if (g_key_file_load_from_data(file, text, length, G_KEY_FILE_NONE, NULL))
		name = g_key_file_get_string(file, group, "name", NULL);
	g_autofree char *shown = g_strescape(name ? name : "", NULL);
	peer_message(PEER_VIEWER,
		"agent: a client drops the file \"%.100s\" of %" PRIu64 " bytes%s", shown,
		g_key_file_get_uint64(file, group, "size", NULL),
		taken ? "" : ", which --file-drop=off refuses");
}

/* A file's number is the client's own. */
static void note_file(struct agent_talk *talk, uint32_t id, bool under_way)
{
	unsigned i = 0;
	while (i < talk->n_files && talk->files[i] != id)
		i++;
	if (under_way && i == talk->n_files && i < AGENT_FILES_MAX)
		talk->files[talk->n_files++] = id;
	else if (!under_way && i < talk->n_files)
		talk->files[i] = talk->files[--talk->n_files];
}

static void tell_file(struct agent_filter *filter, uint32_t id, uint32_t status)
{
	uint8_t body[2 * sizeof(uint32_t)];
	put32(body, id);
	put32(body + sizeof(uint32_t), status);
	agent_filter_tell(filter, AGENT_CLIENT, VD_AGENT_FILE_XFER_STATUS, body, sizeof(body));
}

void agent_rules_cancel_files(struct agent_filter *filter, struct agent_talk *talk)
{
	for (unsigned i = 0; i < talk->n_files; i++)
		tell_file(filter, talk->files[i], VD_AGENT_FILE_XFER_STATUS_CANCELLED);
	talk->n_files = 0;
}

static bool judge_file_start(struct agent_filter *filter, struct agent_talk *talk,
	enum agent_side from, struct agent_message *message)
{
	if (!talk->has_guest)
		return false;
	log_file(message, talk->policy.files);
	if (talk->policy.files)
		note_file(talk, get32(message->body), true);
	else
		tell_file(filter, get32(message->body),
			was_told(talk, AGENT_GUEST, VD_AGENT_CAP_FILE_XFER_DETAILED_ERRORS) ?
				VD_AGENT_FILE_XFER_STATUS_DISABLED :
				VD_AGENT_FILE_XFER_STATUS_ERROR);
	return talk->policy.files;
}

static bool judge_file_status(struct agent_filter *filter, struct agent_talk *talk,
	enum agent_side from, struct agent_message *message)
{
	uint32_t status = get32(message->body + sizeof(uint32_t));
	if (status != VD_AGENT_FILE_XFER_STATUS_CAN_SEND_DATA)
		note_file(talk, get32(message->body), false);
	return talk->policy.files;
}

static bool judge_file(struct agent_filter *filter, struct agent_talk *talk, enum agent_side from,
	struct agent_message *message)
{
	return talk->policy.files;
}

/* ---- the rest ---- */

static bool judge_pointer(struct agent_filter *filter, struct agent_talk *talk,
	enum agent_side from, struct agent_message *message)
{
	talk->ops->pointer(talk->user, message->body);
	return false;
}

static bool judge_left(struct agent_filter *filter, struct agent_talk *talk, enum agent_side from,
	struct agent_message *message)
{
	agent_filter_client_left(filter);
	return true;
}

static bool pass(struct agent_filter *filter, struct agent_talk *talk, enum agent_side from,
	struct agent_message *message)
{
	return true;
}

/*
 * Sizes never get here: spice-server hands them to the heads. An agent's answers to what we told it
 * are for nobody.
 */
static const struct agent_rule rules[] = {
	{ VD_AGENT_MOUSE_STATE, AGENT_BY_SERVER, sizeof(VDAgentMouseState), 0, judge_pointer },
	{ VD_AGENT_CLIENT_DISCONNECTED, AGENT_BY_SERVER, 0, 0, judge_left },
	{ VD_AGENT_ANNOUNCE_CAPABILITIES, BY_BOTH, sizeof(uint32_t), 0, judge_announce },
	{ VD_AGENT_CLIPBOARD_GRAB, BY_BOTH, 0, 0, judge_grab },
	{ VD_AGENT_CLIPBOARD_REQUEST, BY_BOTH, sizeof(uint32_t), 0, judge_request },
	{ VD_AGENT_CLIPBOARD, BY_BOTH, sizeof(uint32_t), SELECTION_BYTES + sizeof(uint32_t),
		judge_clipboard },
	{ VD_AGENT_CLIPBOARD_RELEASE, BY_BOTH, 0, 0, judge_release },
	{ VD_AGENT_MAX_CLIPBOARD, AGENT_BY_CLIENT, sizeof(uint32_t), 0, judge_max },
	{ VD_AGENT_FILE_XFER_START, AGENT_BY_CLIENT, sizeof(uint32_t), 0, judge_file_start },
	{ VD_AGENT_FILE_XFER_STATUS, BY_BOTH, sizeof(VDAgentFileXferStatusMessage), 0,
		judge_file_status },
	{ VD_AGENT_FILE_XFER_DATA, AGENT_BY_CLIENT, sizeof(VDAgentFileXferDataMessage),
		sizeof(VDAgentFileXferDataMessage), judge_file },
	{ VD_AGENT_DISPLAY_CONFIG, AGENT_BY_CLIENT, sizeof(VDAgentDisplayConfig), 0, pass },
	{ VD_AGENT_AUDIO_VOLUME_SYNC, AGENT_BY_CLIENT, sizeof(VDAgentAudioVolumeSync), 0, pass },
};

const struct agent_rule *agent_rule_find(uint32_t type, unsigned by)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(rules); i++) {
		if (rules[i].type == type && rules[i].by & by)
			return &rules[i];
	}
	return NULL;
}
