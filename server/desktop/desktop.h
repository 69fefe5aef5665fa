/* SPDX-License-Identifier: MIT */
/*
 * desktop is what one desktop is: its name, its machine, where it is drawn, who may look at it.
 *
 * Every member that people can choose has a row in the table of desktop_options.h. From that table
 * come the command lines of `vitrine run` and vitrine-gpu, their --help and man pages, the
 * configuration file, and `vitrine show --json`. A member is written down nowhere else.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "protocol/quotas.h"
#include "server/desktop/tls_options.h"
#include "server/desktop/users.h"

/* So is a desktop of vitrine-gpu called that nobody has named; there may be several. */
#define DESKTOP_NAMELESS "vitrine"

/* Each of these programs takes a part of the options. */
enum desktop_program { DESKTOP_RUN, DESKTOP_GPU, DESKTOP_PROGRAMS };

enum desktop_accel { DESKTOP_ACCEL_AUTO, DESKTOP_ACCEL_KVM, DESKTOP_ACCEL_TCG };

/* How far a second renderer has come that waits for the first one's end. */
enum desktop_spare {
	DESKTOP_SPARE_READY, /* it has started its GPU */
	DESKTOP_SPARE_FORK,  /* it is executed and confined, and waits until it may start its GPU */
	DESKTOP_SPARE_NONE,
};
/* In QEMU the port of protocol/guest_lost.h has this id, by which QEMU says who listens. */
#define DESKTOP_LOST_PORT_ID "vitrine-lost-port"

/* So is --serial where the first serial port is a console for clients. */
#define DESKTOP_SERIAL_CLIENT "client"

struct desktop {
	char *name; /* never NULL */
	char *config;

	/*
	 * These are the machine's. `disk_format` is known once `vitrine run` has checked the disk.
	 */
	char *disk, *disk_format, *disk_backing;
	bool snapshot, uefi;
	char *cloud_init; /* user=NAME,key=FILE; NULL: no seed */
	char *kernel, *initrd, *append;
	unsigned memory_mib, n_cpus, n_heads;
	unsigned accel; /* enum desktop_accel */
	bool network, audio, microphone;
	char *net; /* what is behind the network card: "user", "bridge=NAME", "tap=FD", "none" */
	char *forward; /* ports of the host that lead to the guest; NULL: none */
	char *serial;  /* NULL: a file in the run directory; "stdio"; DESKTOP_SERIAL_CLIENT; a path
			*/
	char *qemu;    /* the program, by path or by a name in $PATH */

	/* These say how vitrine-gpu meets QEMU. One of the first two is given. */
	char *socket_path;
	int vhost_fd;   /* -1: none */
	int lost_fd;    /* where the guest is told of lost contexts; -1: nowhere */
	char *qmp_path; /* NULL: keyboard and pointer are not obtained */

	bool virgl, software, pacing;
	char *render_node;   /* NULL: the first that works */
	char *resolution;    /* of head 0 at first, "WIDTHxHEIGHT" */
	unsigned refresh_hz; /* of the guest's monitors */
	unsigned submit_limit_s;
	unsigned spare; /* enum desktop_spare */
	struct quota_limits quotas;

	char *encoder; /* NULL: display chooses */
	bool video_444;
	unsigned clock; /* enum worker_clock */

	/* These say what may pass between a client and the guest's agent. */
	unsigned clipboard; /* enum worker_clipboard */
	unsigned clipboard_max_mib;
	char *clipboard_types; /* as worker_clipboard_parse() takes them; NULL: all */
	unsigned file_drop;    /* enum worker_file_drop */

	unsigned second_client; /* enum worker_second_client */
	unsigned max_mbit;      /* 0: no bound */
	unsigned n_viewers;     /* one drives, the others look on */
	bool lock_on_leave;
	unsigned idle_minutes; /* until an idle client is cut off; 0: never */

	/* These say which of its devices a client can lend, and which of the guest's it finds. */
	unsigned n_usb;    /* USB devices at once */
	char *usb_allow;   /* as guest_devices_read_usb() takes them; NULL: any */
	bool share_folder; /* of the client */
	char *ports;       /* as guest_devices_read_ports() takes them; NULL: none */

	/* These say where clients connect. */
	char *spice_addr;
	unsigned spice_port; /* 0: none, or the one that `vitrine run` is yet to find */
	char *spice_unix;
	int spice_fd; /* an inherited listening TCP socket; -1: none */
	struct tls_options tls;
	char *password_file, *password_credential;
	int password_fd;          /* -1: none */
	char *allow_user;         /* who needs no password, with commas between them */
	bool no_password;         /* nobody needs one */
	char *view_password_file; /* for those who may only look on */
	char *users_file;         /* names and passwords of those who have them */
	/* Of desktop_read_password(); they are no options, and never written anywhere. */
	char *password, *view_password;
	struct users users;

	bool detach;
	unsigned confine; /* enum confine_mode */

	/* These are vitrine-gpu's own. */
	char *stats_socket, *ticket_socket, *worker_dir;
	bool print_capabilities, version;
};

/* Sets what holds where nobody chooses. Finish the desktop in any case. */
void desktop_init(struct desktop *desktop, enum desktop_program program);
void desktop_finish(struct desktop *desktop);

/*
 * Checks what holds for both programs: members that exclude or need each other, TLS's files. A
 * credential becomes the `password_file` that it is.
 */
bool desktop_check(struct desktop *desktop, GError **error);

/* Reads "WIDTHxHEIGHT", in pixels. Gives false when it is no size that a monitor may have. */
bool desktop_read_resolution(const char *text, unsigned *width, unsigned *height);

/* At most this many users are named by --allow-user; more are refused. */
#define DESKTOP_USERS_MAX 32

/*
 * Looks up users, by name or number, with commas between them; NULL names none. Gives how many, or
 * -1 with `error` set.
 */
int desktop_read_users(const char *text, uid_t users[DESKTOP_USERS_MAX], GError **error);

/*
 * Reads both passwords and closes `password_fd`, if there is anything to read. From then on no core
 * dump is made of this process, unless nothing is to be confined.
 */
bool desktop_read_password(struct desktop *desktop, GError **error);
void desktop_forget_password(struct desktop *desktop);

/*
 * Refuses an address that others can reach where there is no password. It is called for a desktop
 * that listens on TCP.
 */
bool desktop_check_address(const struct desktop *desktop, GError **error);

/* Sets a G_OPTION_ERROR_BAD_VALUE and gives false. */
bool desktop_fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
