/* SPDX-License-Identifier: MIT */
/*
 * qemu_command: finding QEMU and writing its command line.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "server/desktop/desktop.h"
#include "server/desktop/run_dir.h"

/* Descriptor of the vhost-user socket in QEMU. */
#define QEMU_VHOST_FD 3
/* And of the guest's report port (protocol/guest_report.h). */
#define QEMU_REPORT_FD 4

/* Files in the run directory that nobody but QEMU, `vitrine run` and the keeper uses. */
#define QEMU_KEEPER_QMP "qmp-keeper"
#define QEMU_OUR_QMP "qmp"
#define QEMU_LOG "qemu.log"
#define QEMU_SERIAL_LOG "serial.log"

struct qemu_program {
	char *path;
	unsigned major, minor;
};

/* `path`: of the program, or a name to look for in $PATH. Asks it for its version. */
bool qemu_find(struct qemu_program *qemu, const char *path, GError **error);
void qemu_program_finish(struct qemu_program *qemu);

/* False with `error` set when this QEMU refuses vhost-user-gpu without KVM. */
bool qemu_check_accel(const struct qemu_program *qemu, bool kvm, GError **error);

/* NULL-terminated argv, which ends with `arguments`. May copy firmware variables. */
char **qemu_command(const struct qemu_program *qemu, const struct desktop *desktop,
	char *const *arguments, const struct run_dir *dir, bool kvm, GError **error);
