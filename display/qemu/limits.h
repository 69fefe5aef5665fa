/* SPDX-License-Identifier: MIT */
/*
 * limits: the bounds on what clients do to QEMU and on what QEMU writes here, with the answer to
 * whatever lies past them.
 */
#pragma once

/*
 * Inputs that wait for QEMU. QEMU handles thousands a second, so this many wait only when it has
 * stopped answering. Past it all of them are dropped with a warning, and what is pressed is let go.
 */
#define INPUT_QUEUE_MAX 512

/*
 * Inputs that QEMU was sent and has not answered yet: enough to keep it busy over the socket's
 * delay. Past it they wait in the queue, where a newer position replaces an older one.
 */
#define INPUT_QUEUE_SENT_MAX 16

/*
 * Turns of the wheel that one message of a client stands for; each is a press and a release.
 * Clients send one a message. What is more is dropped, so that one message cannot fill the queue.
 */
#define INPUTS_WHEEL_STEPS_MAX 8

/*
 * Pairs of samples, left and right, in a second of sound, as QEMU's cards offer them. SPICE clients
 * play what sound cards play. A stream past these is refused with D-Bus error Invalid, and with a
 * warning the first time.
 */
#define DBUS_AUDIO_RATE_MIN_HZ 8000
#define DBUS_AUDIO_RATE_MAX_HZ 96000

/*
 * Sound streams that QEMU has open at once. It opens one for each voice of its mixer, which is one
 * by default. One more is refused as above.
 */
#define DBUS_AUDIO_STREAMS_MAX 8

/*
 * Bytes of one write: 340 ms at 48 kHz, of which QEMU writes 10 ms. A longer write is refused as
 * above, and nothing of it is heard.
 */
#define DBUS_AUDIO_WRITE_MAX_BYTES 65536
