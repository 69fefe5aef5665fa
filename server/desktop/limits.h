/* SPDX-License-Identifier: MIT */
/*
 * limits: bounds on what others may send or choose, for this room. Each says its unit, its reason,
 * and what happens past it.
 */
#pragma once

#include "protocol/keeper_link.h"

/*
 * Bytes of a desktop's name. It is part of paths of sockets, which end at 107 bytes (unix(7)).
 * A longer one is refused.
 */
#define DESKTOP_NAME_MAX_BYTES 64

/* The largest TCP port. A larger number is refused. */
#define DESKTOP_PORT_MAX 65535

/*
 * The guest's memory in MiB: less boots no system that draws; more than 16 TiB no CPU of today
 * addresses. Refused outside.
 */
#define DESKTOP_MEMORY_MIN_MIB 64
#define DESKTOP_MEMORY_MAX_MIB (16 * 1024 * 1024)

/* Virtual CPUs: more need 32-bit APIC ids and an IOMMU, which our machine has not. Refused. */
#define DESKTOP_CPUS_MAX 255

/*
 * Seconds that one submission may take. More than an hour is no limit: who waits has given up, and
 * an endless program holds everybody's picture as long. Refused.
 */
#define DESKTOP_SUBMIT_LIMIT_MAX_S 3600

/* Bytes of a client's password: what a SPICE ticket can hold. A longer one is refused. */
#define DESKTOP_PASSWORD_MAX_BYTES KEEPER_TICKET_MAX

/*
 * Bytes of one text in a guest's report: four lines of a terminal of 160 columns. A longer text is
 * cut; GUEST_REPORT_TEXT_LINE_MAX bounds the whole report, and a longer line is skipped.
 */
#define GUEST_REPORT_TEXT_MAX_BYTES 640

/*
 * Milliseconds between two lines of a guest's report. A guest that sends more fills its port's
 * socket and is held back there.
 */
#define GUEST_REPORT_PAUSE_MS 200

/*
 * Bytes of one text line of QMP. The longest answers we ask for have some 100 bytes; QEMU's longest
 * take a few 100 KiB. A longer line is no QMP: the connection is closed.
 */
#define QMP_TEXT_LINE_MAX_BYTES (1024 * 1024)
