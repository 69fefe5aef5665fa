/* SPDX-License-Identifier: MIT */
/*
 * These are the bounds on what vitrine-guest-check takes from others, which are the host behind the
 * device, the kernel, and the files of whoever uses this guest. Each bound says what happens past
 * it. Times whose names say SLOW are for guests without KVM.
 */
#pragma once

/*
 * The check looks at GUEST_SCREENS_MAX display devices on PCI and at GUEST_CARDS_MAX DRM cards. It
 * leaves further ones out.
 */
#define GUEST_SCREENS_MAX 8
#define GUEST_CARDS_MAX 8

/*
 * The check reads CAPS_WORDS_MAX 32-bit words of the host's capset. Version 2 has 190 of them and
 * grows; the rest is cut.
 */
#define CAPS_WORDS_MAX 1024

/*
 * The check reads EDID_READ_BYTES_MAX bytes of an EDID, which are four blocks, and judges the first
 * one.
 */
#define EDID_READ_BYTES_MAX 512

/*
 * No record of /dev/kmsg is longer than this, in bytes: it is CONSOLE_EXT_LOG_MAX of the kernel,
 * which refuses to be read with a smaller buffer.
 */
#define KERNEL_RECORD_BYTES_MAX 8192

/*
 * The check searches PROCESS_WORDS_BYTES_MAX bytes of a compositor's environment and command line,
 * and does not see the rest.
 */
#define PROCESS_WORDS_BYTES_MAX 16384

/*
 * --watch keeps the intervals of WATCH_INTERVALS_MAX flips in one second, and only counts further
 * ones.
 */
#define WATCH_INTERVALS_MAX 1024
/*
 * WATCH_TRACE_BYTES_MAX bytes of kernel trace may wait for the end of their line. A longer line is
 * dropped.
 */
#define WATCH_TRACE_BYTES_MAX 65536

/*
 * A bundle has room for BUNDLE_MEMBERS_MAX files of BUNDLE_MEMBER_BYTES_MAX bytes. Further files
 * are left out, and longer ones are cut.
 */
#define BUNDLE_MEMBERS_MAX 48
#define BUNDLE_MEMBER_BYTES_MAX (512u * 1024u)

/* Soon after boot udev still loads the driver. Past this time the check judges what is there. */
#define UDEV_WAIT_MS 15000
/* The host must answer a transfer, a command or a flip within this time, or the finding fails. */
#define HOST_ANSWER_MS 3000
#define HOST_ANSWER_SLOW_MS 30000
#define FLIP_ANSWER_MS 5000
/*
 * All checks of a room that runs in a child process must end within this time, or the process is
 * killed.
 */
#define ROOM_MS 30000
#define ROOM_SLOW_MS 240000
/* A port whose host end is closed never takes a byte. Past this time the report is given up. */
#define PORT_WRITE_MS 5000
