/* SPDX-License-Identifier: MIT */
/* client policy: what whoever runs the desktop has said of its clients. */
#pragma once

#include <stdbool.h>

struct relay_policy {
	bool refuse_second; /* who is in stays when another one comes who may do as much */
};
