/* SPDX-License-Identifier: MIT */
/* fetcher_process is what the fetcher (fetcher.h) does, and what the keeper says to it. */
#pragma once

#include <sys/types.h>

/*
 * A request is one of these, the second with the file's number added, and no descriptor. With the
 * answer comes the connection, or the copy.
 */
#define FETCHER_COPY 200
#define FETCHER_CONNECT 255

/* `plan` is a struct fetcher_plan. It is called in a fresh fork and never returns. */
_Noreturn void fetcher_process_run(int link, const void *plan, pid_t keeper);
