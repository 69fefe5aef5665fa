/* SPDX-License-Identifier: MIT */
/*
 * These are this room's bounds on what a disk image may say and on what people may ask of the
 * network. Each says its unit, its reason, and what happens past it.
 */
#pragma once

/*
 * A disk has at most this many layers. Chains grow by a snapshot a night; a layer costs QEMU a
 * descriptor and each read of what was never written a look into it. A longer chain is refused.
 */
#define DISK_LAYERS_MAX 256

/*
 * QEMU takes at most this many bytes as the name of a backing file (1023, docs/interop/qcow2.rst).
 * A longer one is refused.
 */
#define IMAGE_NAME_MAX_BYTES 1023

/*
 * What lies in a qcow2 image before its data, the extensions of its header among it, ends with the
 * first cluster, which has at most this many bytes (docs/interop/qcow2.rst, cluster_bits). What
 * lies behind is not looked at.
 */
#define QCOW2_HEADER_MAX_BYTES (2 * 1024 * 1024)

/*
 * QEMU reads at most this many bytes of a VMDK's description (block/vmdk.c, vmdk_read_desc). What
 * lies behind is not looked at.
 */
#define VMDK_TEXT_MAX_BYTES (1024 * 1024)

/*
 * A VMDK has at most this many files of its data, which are 2 TiB in pieces of 2 GiB as VMware
 * makes them. More are refused.
 */
#define VMDK_FILES_MAX 1024

/*
 * At most this many ports of the host lead to the guest: QEMU looks at each of them whenever
 * anything happens on its network. More are refused.
 */
#define FORWARDS_MAX 64

/*
 * A file of public keys has at most this many bytes, which are some hundred keys; the seed's disk
 * has room for many times more. A larger one is refused.
 */
#define CLOUD_KEYS_MAX_BYTES (64 * 1024)

/*
 * So many events of the keeper's are passed on in a second: people come and go less often. More are
 * dropped; the log has its own bound.
 */
#define KEEPER_EVENTS_A_SECOND_MAX 64

/*
 * So many may be connected to the control socket: people and programs of this user, who wait for
 * events. One more is hung up on.
 */
#define CONTROL_CONNECTIONS_MAX 32

/* A guest has a day at most to power off, in seconds. More is refused. */
#define STOP_WITHIN_MAX_S 86400

/* Keys are held for ten seconds at most, as by somebody who turns a machine off by its button; QEMU
 * takes no other keys meanwhile. More is refused. */
#define KEYS_HOLD_MAX_MS 10000
