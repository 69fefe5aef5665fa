/* SPDX-License-Identifier: MIT */
/*
 * requests: what the keeper does for each vhost-user request. Every answer comes from cached state.
 */
#pragma once

#include "server/keeper/vhost_user.h"

struct keeper;

/* For vhost_user_open() with a struct keeper; `closed` ends the keeper. */
extern const struct vhost_user_class requests_class;

/* Gives the renderer the memory table if it was held back. */
void requests_send_memory(struct keeper *keeper);
