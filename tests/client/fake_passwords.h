/* SPDX-License-Identifier: MIT */
/* fake passwords: keeps a desktop's list of passwords, and gives it display as the keeper does. */
#pragma once

#include "protocol/keeper_link.h"

struct fake_passwords {
	struct keeper_ticket all[4];
	unsigned n;
};

/* Puts one into the list, in the place of that of this name. One without a text goes from it. */
void fake_passwords_change(struct fake_passwords *passwords, const struct keeper_ticket *password);
void fake_passwords_send(struct fake_passwords *passwords, int link);
