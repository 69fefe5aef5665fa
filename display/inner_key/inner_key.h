/* SPDX-License-Identifier: MIT */
/*
 * inner key: is the RSA key with which spice-server greets the relay. spice-server asks libcrypto
 * for a key for each connection that it is given (EVP_RSA_gen() in its reds.cpp), on the main loop,
 * where making one takes 12 ms, now and then 50, and more where the machine has other work. It also
 * does that for connections that need no password, and nothing in its interface prevents it.
 *
 * So this program has a function of its own of the name by which spice-server asks
 * (EVP_PKEY_Q_keygen), which the dynamic linker finds before libcrypto's. On the main loop it
 * answers whoever wants an RSA key of 1024 bits with one that a thread has made when the process
 * began. It passes everything else on to libcrypto, and this too where there is no such key.
 *
 * One key does for the life of the process, as there is nothing for it to keep secret: what is
 * encrypted with it is an empty password, and both ends are this process. Clients get keys of the
 * relay's (relay/link_key.h), which are made on another thread and so are none of these.
 *
 * Another spice-server may ask libcrypto in another way, or a linker may not export the function.
 * Then all goes on as without this, and a line in the log says so (inner_key_check).
 *
 * Threads: the main loop; the key is made on one of its own, which then ends.
 */
#pragma once

/* Makes the key from now on, and gives it to whoever asks on this thread. */
void inner_key_begin(void);
/* Waits for a key that is being made. Later everybody gets libcrypto's. */
void inner_key_end(void);

/* Returns how many connections have been given the key. */
unsigned inner_key_given(void);
/* spice-server calls back: a connection has got through its log-in, so there was a key for it. Logs
 * when it was not this one, once. */
void inner_key_check(void);
