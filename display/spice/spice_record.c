/* SPDX-License-Identifier: MIT */
#include "display/spice/spice_record.h"

#include <glib.h>
#include <spice.h>

/* Of these spice-server stores 8192. */
#define CHUNK_PAIRS 2048

struct spice_record {
	SpiceRecordInstance instance;
	const struct spice_record_ops *ops;
	void *user;
	unsigned tick;  /* timer, 0: the guest does not record */
	unsigned again; /* idle source that says `mute` again, 0: off */
	bool mute;      /* the guest's last wish */
};

static const SpiceRecordInterface record_interface = {
	.base = {
		.type = SPICE_INTERFACE_RECORD,
		.description = "vitrine microphone",
		.major_version = SPICE_INTERFACE_RECORD_MAJOR,
		.minor_version = SPICE_INTERFACE_RECORD_MINOR,
	},
};

struct spice_record *spice_record_create(
	struct RedsState *server, const struct spice_record_ops *ops, void *user)
{
	struct spice_record *record = g_new0(struct spice_record, 1);
	record->instance.base.sif = &record_interface.base;
	record->ops = ops;
	record->user = user;
	if (spice_server_add_interface(server, &record->instance.base) == 0)
		return record;
	g_warning("spice: the record channel was refused");
	g_free(record);
	return NULL;
}

void spice_record_destroy(struct spice_record *record)
{
	if (!record)
		return;
	g_clear_handle_id(&record->tick, g_source_remove);
	g_clear_handle_id(&record->again, g_source_remove);
	g_free(record);
}

static gboolean on_tick(gpointer user)
{
	struct spice_record *record = user;
	uint32_t pairs[CHUNK_PAIRS], n;
	do {
		n = spice_server_record_get_samples(&record->instance, pairs, CHUNK_PAIRS);
		if (n > 0)
			record->ops->heard(record->user, pairs, n);
	} while (n == CHUNK_PAIRS);
	return G_SOURCE_CONTINUE;
}

void spice_record_stop(struct spice_record *record)
{
	if (record->tick == 0)
		return;
	g_clear_handle_id(&record->tick, g_source_remove);
	spice_server_record_stop(&record->instance);
}

void spice_record_start(struct spice_record *record, uint32_t rate_hz)
{
	spice_record_stop(record);
	spice_server_set_record_rate(&record->instance, rate_hz);
	spice_server_record_start(&record->instance);
	record->tick = g_timeout_add(RECORD_TICK_MS, on_tick, record);
}

static gboolean on_again(gpointer user)
{
	struct spice_record *record = user;
	record->again = 0;
	spice_server_record_set_mute(&record->instance, record->mute);
	return G_SOURCE_REMOVE;
}

/* Why it is said again: spice_playback_set_volume(). */
void spice_record_set_volume(struct spice_record *record, bool mute, uint16_t left, uint16_t right)
{
	uint16_t volume[] = { left, right };
	record->mute = mute;
	if (record->again == 0)
		record->again = g_idle_add(on_again, record);
	spice_server_record_set_mute(&record->instance, mute);
	spice_server_record_set_volume(&record->instance, G_N_ELEMENTS(volume), volume);
}
