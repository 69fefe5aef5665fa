/* SPDX-License-Identifier: MIT */
/*
 * secrets reads password, certificate and key again, when SIGHUP says that their files have
 * changed. The starter copies the files, since the keeper may open none. What is there but cannot
 * be used is refused with a line in the log, and what was there before stays. Who is connected
 * stays so.
 */
#pragma once

#include "server/desktop/desktop.h"
#include "server/keeper/viewer.h"
#include "server/starter/starter.h"

void secrets_read_again(
	struct starter *starter, const struct desktop *desktop, struct viewer *viewer);
