/* SPDX-License-Identifier: MIT */
/*
 * limits of spice: bound what clients send to the parts that we plug into spice-server. It has
 * checked the length of each message, but hands on what is in it.
 *
 * A client's wish for monitors may name more than there are heads, and larger ones: what is past
 * FRAME_HEADS_MAX is ignored, and a side past FRAME_SIZE_MAX is cut to it (frame_link.h).
 */
#pragma once

/*
 * A message between client and agent that is judged as a whole may have this many bytes: the offer
 * of a clipboard has 4 for each kind of content, and the longest, a file's beginning, its name.
 * Past it: the message is left out, with a warning. Contents of clipboards and files are as long as
 * they are, and none of them is kept here.
 */
#define AGENT_FILTER_BODY_MAX 2000

/*
 * About this many bytes may wait for one side, client or agent: some chunks, so that a copy goes on
 * while the other process is looked for by the machine. Past it nothing is read from the other side
 * until it takes some, and what is our own to say (answers to what the policy forbids) is left out.
 */
#define AGENT_FILTER_OUT_MAX_BYTES 65536

/*
 * So many files that are on their way to the guest are known, to tell the client when they do not
 * arrive: as many as agents take at once. Past it: the client is told of these.
 */
#define AGENT_FILES_MAX 128

/*
 * Clients get another agent (the guest's, or ours again) when they have said nothing to the one
 * before for as long, and are not in the middle of a message, or else after so many times that:
 * spice-server would take what they say first to the next one for the rest of that.
 */
#define AGENT_QUIET_MS 100
#define AGENT_QUIET_TIMES_MAX 300

/*
 * An agent in the guest that neither takes nor says anything for as many seconds, while there is
 * something for it or it is in the middle of a message, has hung. Past it: clients have the agent
 * of ours until it answers again.
 */
#define AGENT_PATIENCE_S 10

/*
 * So much of what a client says to a device or port may wait for the guest: twice the longest
 * message (relay/limits.h). The relay reads no more from a client while anything waits, so that
 * there is one such message and what was on its way behind it. Past it the client loses the
 * channel.
 */
#define SPICE_PORT_WAITS_MAX_BYTES (2 * (4 << 20) + 65536)

/* This much of what the guest says is read at once for a client, as spice-server takes it. */
#define SPICE_PORT_READ_BYTES 65536
