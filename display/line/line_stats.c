/* SPDX-License-Identifier: MIT */
#include "display/line/line_stats.h"

#include <glib.h>

#include "display/line/line.h"
#include "protocol/stats_clients.h"

#define INTERVAL_MS 500

struct seen {
	int client; /* -1: nobody */
	char address[LINE_CLIENT_BYTES];
	uint64_t acked_bytes;
};

struct line_stats {
	struct line *line;
	struct seen heads[FRAME_HEADS_MAX];
	unsigned source;
};

static void forget(struct seen *seen)
{
	stats_client_close(seen->client);
	*seen = (struct seen){ .client = -1 };
}

static void note(struct seen *seen, unsigned head, const struct line_figures *figures)
{
	if (!g_str_equal(seen->address, figures->client)) {
		forget(seen);
		seen->client = stats_client_open(figures->client);
		g_strlcpy(seen->address, figures->client, sizeof(seen->address));
	}
	uint64_t sent_bytes = figures->acked_bytes - MIN(seen->acked_bytes, figures->acked_bytes);
	seen->acked_bytes = figures->acked_bytes;
	stats_add(head, STATS_SENT_BYTES, sent_bytes);
	stats_client_add(seen->client, STATS_CLIENT_SENT_BYTES, sent_bytes);
	stats_client_set(seen->client, STATS_CLIENT_ROUND_TRIP_US, figures->rtt_us);
	stats_client_set(seen->client, STATS_CLIENT_CLOCK_MARGIN_US, figures->margin_ms * 1000ull);
	stats_client_set(seen->client, STATS_CLIENT_BITS_PER_S, figures->rate_bps);
}

static gboolean on_time(gpointer user)
{
	struct line_stats *stats = user;
	struct line_figures figures;
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++) {
		if (line_get(stats->line, head, &figures))
			note(&stats->heads[head], head, &figures);
		else
			forget(&stats->heads[head]);
	}
	return G_SOURCE_CONTINUE;
}

struct line_stats *line_stats_create(struct line *line)
{
	struct line_stats *stats = g_new0(struct line_stats, 1);
	stats->line = line;
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++)
		stats->heads[head].client = -1;
	return stats;
}

void line_stats_destroy(struct line_stats *stats)
{
	if (!stats)
		return;
	line_stats_watch(stats, false);
	g_free(stats);
}

void line_stats_watch(struct line_stats *stats, bool watched)
{
	if (watched && !stats->source)
		stats->source = g_timeout_add(INTERVAL_MS, on_time, stats);
	if (watched || !stats->source)
		return;
	g_clear_handle_id(&stats->source, g_source_remove);
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++)
		forget(&stats->heads[head]);
}
