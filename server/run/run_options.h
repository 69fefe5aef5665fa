/* SPDX-License-Identifier: MIT */
/*
 * run_options: the command line of `vitrine run`. See vitrine(1).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "server/desktop/tls_options.h"

#define RUN_DEFAULT_MEMORY_MIB 2048
#define RUN_DEFAULT_CPUS 2
#define RUN_FIRST_PORT 5900
#define RUN_LAST_PORT 5999

enum run_accel { RUN_ACCEL_AUTO, RUN_ACCEL_KVM, RUN_ACCEL_TCG };

struct run_options {
	char *name;

	char *disk, *disk_format; /* both or neither; the format is known after parsing */
	bool snapshot, uefi;
	char *kernel, *initrd, *append;

	unsigned memory_mib, n_cpus;
	enum run_accel accel;
	bool no_network, no_audio;
	char *serial; /* NULL: a file in the run directory; "stdio"; or a path */

	char *spice_addr;
	unsigned spice_port; /* 0: the first free one */
	char *spice_unix, *password_file;
	struct tls_options tls; /* with a port and without --spice-port: nothing but TLS */
	char *clock;

	bool no_virgl, software, no_pacing;
	char *render_node;
	char *encoder; /* as vitrine-gpu's */
	bool video_444;

	char *qemu;  /* NULL: search */
	char **rest; /* QEMU arguments after "--"; never NULL */
};

/* argv[0] is "run". Checks that named files exist. Once in a process; finish in every case. */
bool run_options_parse(struct run_options *options, int argc, char **argv, GError **error);
void run_options_finish(struct run_options *options);
