/* SPDX-License-Identifier: MIT */
/*
 * limits of qemu: bound what clients do to QEMU and what QEMU writes here, and say what happens to
 * whatever lies past them.
 */
#pragma once

/*
 * This many inputs may wait for QEMU. QEMU handles thousands a second, so this many wait only when
 * it has stopped answering. Past it all of them are dropped with a warning, and what is pressed is
 * let go.
 */
#define INPUT_QUEUE_MAX 512

/*
 * QEMU may have been sent this many inputs that it has not answered yet: enough to keep it busy
 * over the socket's delay. Past it they wait in the queue, where a newer position replaces an older
 * one.
 */
#define INPUT_QUEUE_SENT_MAX 16

/*
 * One message of a client stands for at most this many turns of the wheel; each is a press and a
 * release. Clients send one a message. What is more is dropped, so that one message cannot fill the
 * queue.
 */
#define INPUTS_WHEEL_STEPS_MAX 8

/*
 * A second of sound has this many pairs of samples, left and right, as QEMU's cards offer them.
 * SPICE clients play what sound cards play. A stream past these is refused with D-Bus error
 * Invalid, and with a warning the first time.
 */
#define DBUS_AUDIO_RATE_MIN_HZ 8000
#define DBUS_AUDIO_RATE_MAX_HZ 96000

/*
 * QEMU may have this many sound streams open at once. It opens one for each voice of its mixer,
 * which is one by default. One more is refused as above.
 */
#define DBUS_AUDIO_STREAMS_MAX 8

/*
 * One write may have this many bytes: 340 ms at 48 kHz, of which QEMU writes 10 ms. A longer write
 * is refused as above, and nothing of it is heard.
 */
#define DBUS_AUDIO_WRITE_MAX_BYTES 65536

/*
 * At most this many bytes are read from a guest's port at a time; what else the loop has to do
 * comes in between. A guest that sends more waits.
 */
#define DBUS_CHARDEV_READ_BYTES 16384

/*
 * So many times 4 KiB of a port that was closed are thrown away, four times what a socket holds.
 * Where there is more the stream is made anew.
 */
#define DBUS_CHARDEV_REST_READS 256

/*
 * QEMU is given a new stream for a port no sooner than this after the last one, so that a guest
 * that opens its port again and again costs two calls a second.
 */
#define DBUS_CHARDEV_GAP_MS 500

/*
 * A stream that QEMU refuses, since it has not seen the last one's end, is offered again after this
 * time, then after twice that, up to the second, for which there is one line in the log.
 */
#define DBUS_CHARDEV_RETRY_MS 20
#define DBUS_CHARDEV_RETRY_MAX_MS 5120

/*
 * So many of QEMU's consoles are looked at. Ours has one for each of at most 16 heads, and a
 * machine may have other display devices. Those past it are taken to be none of ours.
 */
#define CONSOLES_MAX 48

/*
 * So many of QEMU's character devices are looked at: an agent, a console and a few for USB, folders
 * and programs. Past it: they are left alone, with one warning.
 */
#define DBUS_PORTS_MAX 32

/*
 * One packet of a client's USB device carries this many bytes at most: Linux asks USB disks for a
 * MiB at once, others for up to 4. A packet has a header besides. Past it the client loses that
 * device's channel, with a warning.
 */
#define USB_DATA_MAX_BYTES (4 << 20)

/* A client's own list of devices that it lets the guest have; QEMU does nothing with it. */
#define USB_FILTER_MAX_BYTES 4096
