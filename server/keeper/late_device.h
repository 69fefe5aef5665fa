/* SPDX-License-Identifier: MIT */
/*
 * late_device notices that QEMU does not start the guest's GPU. The guest's driver reads the
 * device's configuration right before it has it started, and QEMU asks us for that. A start that
 * does not come then has failed in QEMU, for want of descriptors as a rule: it says so to its own
 * log alone, the guest waits for answers, and clients see nothing.
 *
 * It is said once, until the device has started. All of this is the main thread's.
 */
#pragma once

#include <stdbool.h>

#include "server/keeper/ticket_socket.h"
#include "server/keeper/viewer.h"

struct late_device {
	struct viewer *viewer;         /* shows it */
	struct ticket_socket *tickets; /* tells it to who follows */
	unsigned source;               /* the start is awaited; 0: it is not */
	bool is_up, is_told;
};

/* What is lent must live until late_device_finish(). */
void late_device_init(
	struct late_device *late, struct viewer *viewer, struct ticket_socket *tickets);
/* The driver has asked for the configuration. */
void late_device_asked(struct late_device *late);
/* The device has started, or has stopped. */
void late_device_set_up(struct late_device *late, bool is_up);
void late_device_finish(struct late_device *late);
