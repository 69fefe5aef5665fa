/* SPDX-License-Identifier: MIT */
/* limits: how many objects of a DRM card are looked at. The card's driver, and the host, have the
 * say. */
#pragma once

/* CRTCs, connectors, planes and encoders, of each kind. The kernel cuts its lists; the rest is not
 * seen. */
#define KMS_OBJECTS_MAX 32
/* Properties of one object. The kernel cuts this list, too; the rest is not seen. */
#define KMS_PROPERTIES_MAX 64
/* Modes of one monitor. The kernel hands out none at all when there are more: that monitor is
 * passed over. */
#define KMS_MODES_MAX 256
