/* SPDX-License-Identifier: MIT */
/*
 * These bounds say how much the helper takes of the host's line and of what runs in the guest. The
 * host is trusted, and a line is read strictly all the same: what wrote it may be another version.
 */
#pragma once

/* So many programs with the GPU open are looked at; of more the last ones are left alone. */
#define PROGRAMS_MAX 256
/* A process's first so many sockets are looked at for one that a display server listens on. */
#define PROGRAM_SOCKETS_MAX 1024
/* What was readable when the port was opened is of an earlier start of the guest, and goes. */
#define PORT_STALE_MS 200
/* A guest without the port is waited for so long, as the driver may come late. */
#define PORT_WAIT_MS 30000
/* Nobody at the host's end: this long until the next look. */
#define PORT_IDLE_MS 900
/* A program that is told to end has this long until SIGKILL. */
#define PROGRAM_END_MS 3000
/*
 * A display server has less where systemd has told it to end, with all of its unit: it draws by
 * what is lost, waits for it, and its session begins anew only when it is gone. What else it would
 * do at its end takes a moment. One that ends by a command of the person's has more.
 */
#define SERVER_STOPPED_MS 500
#define SERVER_END_MS 4000
/* systemd has this long to take a restart, before it is asked by its own program. */
#define MANAGER_ANSWER_MS 2000
#define MANAGER_MESSAGE_BYTES 1024
/* Of one message of systemd's this much is passed over until its answer. */
#define MANAGER_ANSWER_MAX (1 << 20)
/*
 * A desktop that comes up is asked for its notifications so often, and then a console gets the
 * word. Each time may start a program that cannot run yet, of which systemd bears five in ten
 * seconds.
 */
#define WORD_PAUSE_MS 3000
#define WORD_TRIES 20
/* So long in all, by looks of so long, for processors that are not busy with the desktop's start.
 */
#define WORD_CALM_MAX_MS 60000
#define WORD_CALM_STEP_MS 1000
/* So many buses of one person are tried: their own, and those of sessions, ended ones among them.
 */
#define WORD_BUSES_MAX 8
/* So many restarts are remembered at most: a limit in the file may not be higher. */
#define HISTORY_MAX 32
