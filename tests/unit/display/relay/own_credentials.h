/* SPDX-License-Identifier: MIT */
/*
 * own_credentials: makes what the relay's side of TLS needs, from a certificate made for this test.
 */
#pragma once

#include "display/relay/tls.h"

/*
 * Returns one reference, which is the caller's. The files are gone when it returns; asserts that
 * all of it works.
 */
struct tls_credentials *own_credentials_create(void);
/* The same with this subject, as certificate_write_for() takes it. */
struct tls_credentials *own_credentials_create_for(const char *subject);
