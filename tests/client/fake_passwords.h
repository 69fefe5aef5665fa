/* SPDX-License-Identifier: MIT */
/* fake passwords: keeps a desktop's list of passwords, and gives it display as the keeper does. */
#pragma once

#include "protocol/keeper_link.h"

struct fake_passwords {
	struct keeper_ticket all[4];
	unsigned n;
};

/*
 * Gives display the list with this one in it, in the place of that of this name; one without a text
 * goes from it. A ticket that lets one session in is no part of the list, and given alone.
 */
void fake_passwords_give(
	struct fake_passwords *passwords, int link, const struct keeper_ticket *password);
