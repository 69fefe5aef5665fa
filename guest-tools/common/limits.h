/* SPDX-License-Identifier: MIT */
/*
 * These bounds say how many objects of a DRM card are looked at. The card's driver, and the host
 * behind it, decide how many there are.
 */
#pragma once

/*
 * A card's first KMS_OBJECTS_MAX CRTCs, connectors and planes of each kind are seen, since the
 * kernel cuts its lists. A connector with more encoders is passed over.
 */
#define KMS_OBJECTS_MAX 32
/* An object's first KMS_PROPERTIES_MAX properties are seen. The kernel cuts this list, too. */
#define KMS_PROPERTIES_MAX 64
/* A monitor with more modes is passed over, since the kernel then hands out none at all. */
#define KMS_MODES_MAX 256

/* A message of Wayland has 16 bits of length. Past it the compositor is left. */
#define WIRE_MESSAGE_MAX_BYTES 65536
/* So many descriptors may wait for the events that they belong to. Past it they are closed. */
#define WIRE_FDS_MAX 32
