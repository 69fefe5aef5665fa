/* SPDX-License-Identifier: MIT */
/*
 * These are this room's bounds on what others may send or choose. Each says its unit, its reason,
 * and what happens past it.
 */
#pragma once

#include "protocol/keeper_link.h"

/*
 * A desktop's name has at most this many bytes, because it is part of the paths of sockets, which
 * end at 107 bytes (unix(7)). A longer one is refused.
 */
#define DESKTOP_NAME_MAX_BYTES 64

/* No TCP port is larger than this (RFC 9293, 3.1: 16 bits). A larger number is refused. */
#define DESKTOP_PORT_MAX 65535

/*
 * The guest's memory lies between these, in MiB: with less no system that draws boots, and more
 * than 16 TiB no CPU of today addresses. What lies outside is refused.
 */
#define DESKTOP_MEMORY_MIN_MIB 64
#define DESKTOP_MEMORY_MAX_MIB (16 * 1024 * 1024)

/*
 * A guest has at most this many virtual CPUs, because more need 32-bit APIC ids and an IOMMU, which
 * our machine has not. More are refused.
 */
#define DESKTOP_CPUS_MAX 255

/*
 * A monitor's sides are between these, in pixels, because Linux's virtio_gpu drives no smaller and
 * no larger ones (XRES_MIN, XRES_MAX); its refresh rate is between that of film and what fast
 * monitors have. Others are refused.
 */
#define DESKTOP_SIDE_MIN 32
#define DESKTOP_SIDE_MAX 8192
#define DESKTOP_REFRESH_MIN_HZ 24
#define DESKTOP_REFRESH_MAX_HZ 240

/*
 * The limit of one submission is at most this many seconds. More than an hour is no limit: who
 * waits has given up, and an endless program holds everybody's picture as long. A larger one is
 * refused.
 */
#define DESKTOP_SUBMIT_LIMIT_MAX_S 3600

/*
 * A client's password has at most this many bytes, which is what a SPICE ticket can hold. A longer
 * one is refused.
 */
#define DESKTOP_PASSWORD_MAX_BYTES KEEPER_TICKET_MAX

/*
 * So many users may have names and passwords of their own; with those tickets that are given
 * (VIEWER_GIVEN_MAX) display has room for them (TICKETS_MAX in display/tickets/limits.h). A file
 * with more is refused, and one with more bytes.
 */
#define USERS_MAX 50
#define USERS_FILE_MAX_BYTES 16384

/*
 * A certificate's or key's file may have this many bytes: display refuses more
 * (display/relay/limits.h), whatever is in them. A larger one is refused.
 */
#define DESKTOP_TLS_FILE_MAX_BYTES (256 * 1024)

/*
 * One text in a guest's report is cut at this many bytes, which are four lines of a terminal of 160
 * columns. GUEST_REPORT_TEXT_LINE_MAX bounds the whole report, and a longer line is skipped.
 */
#define GUEST_REPORT_TEXT_MAX_BYTES 640

/*
 * The lines of a guest's report are read this many milliseconds apart. A guest that sends more
 * fills its port's socket and is held back there.
 */
#define GUEST_REPORT_PAUSE_MS 200

/*
 * One text line of QMP has at most this many bytes. The longest answers we ask for have some 100
 * bytes; QEMU's longest take a few 100 KiB. A longer line is no QMP: the connection is closed.
 */
#define QMP_TEXT_LINE_MAX_BYTES (1024 * 1024)

/* --viewers is at most this many: each costs display a spice-server. What is more is refused. */
#define DESKTOP_VIEWERS_MAX 8

/* --idle-timeout is at most this many minutes: a week. What is more is refused. */
#define DESKTOP_IDLE_MAX_MINUTES 10080

/* --max-mbit is at most this many Mbit/s: no client takes more. What is more is refused. */
#define DESKTOP_MBIT_MAX 10000

/*
 * --clipboard-max is at most this many MiB, since SPICE counts an agent's message in 32 bits, and
 * agents in signed ones. What is more is refused.
 */
#define DESKTOP_CLIPBOARD_MAX_MIB 2047

/*
 * --usb is at most this: each device is a channel of every client's. More are refused.
 */
#define DESKTOP_USB_MAX 8
