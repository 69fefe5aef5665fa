/* SPDX-License-Identifier: MIT */
/*
 * fake_ports: QEMU's character devices on its D-Bus display, played by a test, and the guest's ends
 * of them. Threads: any but where it says otherwise.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stddef.h>

#define FAKE_PORTS_MAX 40

struct fake_ports;

/* The names are the caller's, with NULL behind them; of USB the guest's end is open at once. */
struct fake_ports *fake_ports_create(const char *const *names);
void fake_ports_destroy(struct fake_ports *ports);

/* Both must run on the connection's thread. */
void fake_ports_serve(struct fake_ports *ports, GDBusConnection *connection);
void fake_ports_hang_up(struct fake_ports *ports);

/* The guest opens or closes a port, by its place among the names. */
void fake_ports_open(struct fake_ports *ports, unsigned port, bool is_open);
/* Takes one away, as when it is unplugged. */
void fake_ports_unplug(struct fake_ports *ports, unsigned port);

/* Waits until there is a stream, or none. Gives the stream's number, counted from 1; 0: late. */
unsigned fake_ports_wait_stream(struct fake_ports *ports, unsigned port, int timeout_ms);
bool fake_ports_wait_end(struct fake_ports *ports, unsigned port, int timeout_ms);
/* These are the guest's, and block for some seconds at most; they give false then. */
bool fake_ports_say(struct fake_ports *ports, unsigned port, const void *data, size_t n_bytes);
bool fake_ports_hear(struct fake_ports *ports, unsigned port, void *data, size_t n_bytes);
