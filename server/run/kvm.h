/* SPDX-License-Identifier: MIT */
/*
 * kvm tells whether KVM works here. A /dev/kvm that opens proves nothing: on some machines vCPUs
 * hang or abort. So one is run: a child process makes a VM whose few bytes of 64-bit code do
 * privileged and atomic instructions many times, and sees whether their result comes out.
 */
#pragma once

#include <stdbool.h>

/*
 * Returns within 2 s. *reason is a static string that says why or why not. `device` is the path of
 * the device; NULL means /dev/kvm.
 */
bool kvm_works(const char *device, const char **reason);
