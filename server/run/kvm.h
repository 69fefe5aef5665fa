/* SPDX-License-Identifier: MIT */
/*
 * kvm: does KVM work here? A /dev/kvm that opens proves nothing: on some machines vCPUs hang or
 * abort. So one is run: a child process makes a VM with a few bytes of real-mode code and sees it
 * add 2 and 3.
 */
#pragma once

#include <stdbool.h>

/* Returns within 2 s. *reason says why or why not, a static string. `device`: NULL is /dev/kvm. */
bool kvm_works(const char *device, const char **reason);
