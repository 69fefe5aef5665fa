/* SPDX-License-Identifier: MIT */
/*
 * limits: how much vitrine-guest-check takes from others: the host behind the device, the kernel,
 * and the files of whoever uses this guest. Each says what happens to more.
 */
#pragma once

/* Display devices on PCI and DRM cards that are looked at. Further ones are left out. */
#define GUEST_SCREENS_MAX 8
#define GUEST_CARDS_MAX 8

/* Words of the host's capset that are read. Version 2 has 190 of them and grows; the rest is cut.
 */
#define CAPS_WORDS_MAX 1024

/* Bytes of an EDID that are read: four blocks. Only the first block is judged. */
#define EDID_BYTES_MAX 512

/* Bytes of one record of /dev/kmsg: CONSOLE_EXT_LOG_MAX of the kernel, which hands out none longer.
 */
#define KERNEL_RECORD_BYTES_MAX 8192

/* Bytes of a compositor's environment or command line that are searched. The rest is not seen. */
#define PROCESS_WORDS_BYTES_MAX 16384

/* Flips in one second whose intervals are kept. Further flips are counted only. */
#define WATCH_INTERVALS_MAX 1024
/* Bytes of kernel trace that wait for the end of their line. A longer line is dropped. */
#define WATCH_TRACE_BYTES_MAX 65536

/* Files in a bundle, and bytes of each. Further files are left out, longer ones are cut. */
#define BUNDLE_MEMBERS_MAX 48
#define BUNDLE_MEMBER_BYTES_MAX (512u * 1024u)

/* Soon after boot udev still loads the driver. Past this time what is there is judged. */
#define UDEV_WAIT_MS 15000
/* The host answers a transfer, a command or a flip within this time, or the finding fails. */
#define HOST_ANSWER_MS 3000
#define HOST_ANSWER_SLOW_MS 30000 /* without KVM */
#define FLIP_ANSWER_MS 5000
/* The checks of a room that runs in a child process take no longer, or the process is killed. */
#define ROOM_MS 30000
#define ROOM_SLOW_MS 240000 /* without KVM */
/* A port whose host end is closed never takes a byte. Past this time the report is given up. */
#define PORT_WRITE_MS 5000
