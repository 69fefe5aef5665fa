/* SPDX-License-Identifier: MIT */
/*
 * guest ports: names the guest's virtio-serial ports that programs of others open there, by which
 * `vitrine run` makes them and display finds them.
 */
#pragma once

/* So SPICE's agents for guests look for it. */
#define GUEST_AGENT_PORT "com.redhat.spice.0"
