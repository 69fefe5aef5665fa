/* SPDX-License-Identifier: MIT */
/* qemu_command finds QEMU and writes its command line. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "server/desktop/desktop.h"
#include "server/desktop/run_dir.h"
#include "server/run/disk_chain.h"
#include "server/run/net_card.h"

/* In QEMU the vhost-user socket has this descriptor. */
#define QEMU_VHOST_FD 3
/* In QEMU the guest's report port (protocol/guest_report.h) has this descriptor. */
#define QEMU_REPORT_FD 4
/* And this one has the port over which it is told of lost contexts (protocol/guest_lost.h). */
#define QEMU_LOST_FD 6

/* These files in the run directory are used by QEMU, `vitrine run` and the keeper alone. */
#define QEMU_KEEPER_QMP "qmp-keeper"
#define QEMU_OUR_QMP "qmp"
#define QEMU_LOG "qemu.log"
#define QEMU_SERIAL_LOG "serial.log"
#define QEMU_SEED "seed.img"

struct qemu_program {
	char *path;
	unsigned major, minor;
};

/*
 * `path` is that of the program, or a name to look for in $PATH. The program is asked for its
 * version.
 */
bool qemu_find(struct qemu_program *qemu, const char *path, GError **error);
void qemu_program_finish(struct qemu_program *qemu);

/* Gives false with `error` set when this QEMU refuses vhost-user-gpu without KVM. */
bool qemu_check_accel(const struct qemu_program *qemu, bool kvm, GError **error);

/* What goes into the command line besides the desktop, which may have no disk. */
struct qemu_parts {
	const struct disk_chain *disk;
	const char *seed; /* a disk for cloud-init; NULL: none */
	const struct net_card *net_card;
	const struct run_dir *dir;
	char *const *arguments; /* they come last */
	bool kvm;
};

/*
 * Gives a NULL-terminated argv. It copies firmware variables when the desktop has none yet.
 */
char **qemu_command(const struct qemu_program *qemu, const struct desktop *desktop,
	const struct qemu_parts *parts, GError **error);
