/* SPDX-License-Identifier: MIT */
#include "protocol/stats.h"

const struct stats_name stats_count_names[STATS_COUNTS] = {
	[STATS_FRAMES_FLUSHED] = { "frames_flushed", STATS_RENDER },
	[STATS_FRAMES_MERGED] = { "frames_merged", STATS_RENDER },
	[STATS_FRAMES_SENT] = { "frames_sent", STATS_RENDER },
	[STATS_FLUSHED_PIXELS] = { "flushed_pixels", STATS_RENDER },
	[STATS_FENCES_HELD] = { "fences_held", STATS_RENDER },
	[STATS_FENCES_HELD_US] = { "fences_held_us", STATS_RENDER },
	[STATS_FRAMES_RECEIVED] = { "frames_received", STATS_DISPLAY },
	[STATS_FRAMES_SUPERSEDED] = { "frames_superseded", STATS_DISPLAY },
	[STATS_DRAWABLES] = { "drawables", STATS_DISPLAY },
	[STATS_CHANGED_PIXELS] = { "changed_pixels", STATS_DISPLAY },
	[STATS_SENT_PIXELS] = { "sent_pixels", STATS_DISPLAY },
	[STATS_STREAM_STARTS] = { "stream_starts", STATS_DISPLAY },
	[STATS_STREAM_FRAMES] = { "stream_frames", STATS_DISPLAY },
	[STATS_SENT_BYTES] = { "sent_bytes", STATS_DISPLAY },
};

const struct stats_name stats_gauge_names[STATS_GAUGES] = {
	[STATS_ON] = { "on", STATS_RENDER },
	[STATS_WIDTH] = { "width_pixels", STATS_RENDER },
	[STATS_HEIGHT] = { "height_pixels", STATS_RENDER },
	[STATS_REFRESH_MHZ] = { "refresh_mhz", STATS_RENDER },
	[STATS_WANTED_MHZ] = { "wanted_mhz", STATS_RENDER },
	[STATS_STREAMS] = { "streams", STATS_DISPLAY },
};

const char *const stats_stage_names[STATS_STAGES] = {
	[STATS_FLUSH_TO_PICTURE] = "flush_to_picture_us",
	[STATS_PICTURE_TO_ENCODED] = "picture_to_encoded_us",
	[STATS_ENCODED_TO_WIRE] = "encoded_to_wire_us",
	[STATS_FLUSH_TO_WIRE] = "flush_to_wire_us",
};

const char *const stats_guest_count_names[STATS_GUEST_COUNTS] = {
	[STATS_COMMANDS_REFUSED] = "commands_refused",
	[STATS_COMMANDS_FAILED] = "commands_failed",
	[STATS_MAKING_WAITED_US] = "making_waited_us",
	[STATS_MAKING_REFUSED] = "making_refused",
	[STATS_GPU_RESETS] = "gpu_resets",
};

const char *const stats_door_count_names[STATS_DOOR_COUNTS] = {
	[STATS_CONNECTIONS] = "connections",
	[STATS_CROWDED_OUT] = "crowded_out",
	[STATS_TOO_LATE] = "too_late",
	[STATS_PASSWORDS_RIGHT] = "passwords_right",
	[STATS_PASSWORDS_WRONG] = "passwords_wrong",
	[STATS_PASSWORDS_DELAYED] = "passwords_delayed",
	[STATS_PASSWORDS_REFUSED] = "passwords_refused",
};

const char *const stats_client_count_names[STATS_CLIENT_COUNTS] = {
	[STATS_CLIENT_SENT_BYTES] = "sent_bytes",
};

const char *const stats_client_gauge_names[STATS_CLIENT_GAUGES] = {
	[STATS_CLIENT_ROUND_TRIP_US] = "round_trip_us",
	[STATS_CLIENT_CLOCK_MARGIN_US] = "clock_margin_us",
	[STATS_CLIENT_BITS_PER_S] = "line_bits_per_s",
};

const char *const stats_spare_names[STATS_SPARES] = {
	[STATS_SPARE_NONE] = "none",
	[STATS_SPARE_STARTING] = "starting",
	[STATS_SPARE_LOADED] = "loaded",
	[STATS_SPARE_READY] = "ready",
};
