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
 * This many bytes of a message to the guest's agent are looked at. A VDAgentMouseState has 13, and
 * it is the longest that we read. Past it: the rest of the message is skipped, however long it is.
 */
#define AGENT_STREAM_BODY_MAX 16

/*
 * This many answers of the agent wait for the client to read them. Clients ask once, when they
 * connect. Past it: the question is not answered, so that a client that asks and does not read
 * costs no memory.
 */
#define AGENT_ANSWERS_MAX 1
