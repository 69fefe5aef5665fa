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
