/* SPDX-License-Identifier: MIT */
/*
 * troubles says what keeps a guest from being served though its driver has begun, and which option
 * of QEMU's puts it right: once in the log, in the flight, and on the heads of whoever looks. The
 * guest's memory that is not shared with us is the commonest.
 *
 * The option stays as it is for as long as QEMU runs, and so do we: nothing is said twice.
 */
#pragma once

#include "protocol/keeper_link.h"
#include "server/keeper/viewer.h"

struct troubles {
	struct viewer *viewer; /* NULL: heads say nothing */
	unsigned told;         /* a bit for each enum keeper_trouble */
};

void troubles_tell(struct troubles *troubles, enum keeper_trouble trouble);
