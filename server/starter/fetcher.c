/* SPDX-License-Identifier: MIT */
#include "server/starter/fetcher.h"

#include <errno.h>

#include "common/fd.h"
#include "server/starter/fetcher_process.h"

bool fetcher_init(struct fetcher *fetcher, const struct fetcher_plan *plan, GError **error)
{
	return servant_init(&fetcher->servant, "fetcher", fetcher_process_run, plan, error);
}

void fetcher_finish(struct fetcher *fetcher)
{
	servant_finish(&fetcher->servant);
}

void fetcher_watch(struct fetcher *fetcher)
{
	servant_watch(&fetcher->servant,
		"what runs goes on, without QEMU's monitor when that hangs up, and SIGHUP reads "
		"nothing again");
}

int fetcher_connect(struct fetcher *fetcher)
{
	struct servant_answer answer;
	int fd;
	return servant_ask(&fetcher->servant, FETCHER_CONNECT, NULL, &answer, &fd) ? fd : -1;
}

int fetcher_copy_file(struct fetcher *fetcher, unsigned file)
{
	g_assert(file < FETCHER_FILES_MAX);
	struct servant_answer answer;
	int fd;
	if (!servant_ask(&fetcher->servant, (uint8_t)(FETCHER_COPY + file), NULL, &answer, &fd))
		return -EPIPE;
	if (answer.error == 0 && fd >= 0)
		return fd;
	fd_close(&fd);
	return answer.error > 0 ? -answer.error : -EPROTO;
}
