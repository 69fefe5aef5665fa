/* SPDX-License-Identifier: MIT */
/* This file tries the display side of the driver out, while nobody else has the display. */
#include "guest-tools/common/kms.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>

#include "guest-tools/check/groups.h"
#include "guest-tools/check/limits.h"
#include "guest-tools/common/descriptor.h"
#include "guest-tools/common/text.h"
#include "guest-tools/common/timing.h"

#define FLIPS 40

/* Opens the display for us. When it gives false, the finding is already written. */
static bool take_display(struct guest *guest, struct finding *finding, struct kms *kms)
{
	int rc = kms_open(kms, guest->card_path);
	if (rc < 0) {
		finding_skip(finding, "no connected monitor: %s", strerror(-rc));
		return false;
	}
	rc = kms_become_master(kms);
	if (rc == 0)
		return true;
	finding_skip(
		finding, "the display is in use%s", rc == -EACCES ? " or not for this user" : "");
	kms_close(kms);
	return false;
}

static void run_atomic(struct guest *guest, struct finding *finding)
{
	struct kms kms;
	if (!take_display(guest, finding, &kms))
		return;
	int rc = kms_make_buffers(&kms);
	if (rc == 0)
		rc = kms.atomic ? kms_atomic_test(&kms) : -EOPNOTSUPP;
	if (rc == 0) {
		finding_pass(finding, "a test commit of %s at %u Hz is taken", kms.mode.name,
			kms.mode.vrefresh);
	} else {
		finding_value(finding, "%s: %s", kms.mode.name, strerror(-rc));
		finding_fail(finding, "kms.no-atomic", strerror(-rc));
	}
	kms_close(&kms);
}

static int time_flips(struct kms *kms, double *intervals_ms, double *total_ms)
{
	double before_ms = 0, begin_ms = timing_now_ms();
	int rc = kms_flip(kms, 1, FLIP_ANSWER_MS, &before_ms);
	for (unsigned i = 0; rc == 0 && i < FLIPS; i++) {
		double event_ms = 0;
		rc = kms_flip(kms, i & 1, FLIP_ANSWER_MS, &event_ms);
		intervals_ms[i] = event_ms - before_ms;
		before_ms = event_ms;
	}
	*total_ms = timing_now_ms() - begin_ms;
	return rc;
}

static void run_flip(struct guest *guest, struct finding *finding)
{
	struct kms kms;
	double intervals_ms[FLIPS], total_ms = 0;
	if (!take_display(guest, finding, &kms))
		return;
	int rc = kms_make_buffers(&kms);
	if (rc == 0)
		rc = kms_light(&kms);
	if (rc == 0)
		rc = time_flips(&kms, intervals_ms, &total_ms);
	if (rc < 0) {
		finding_value(finding, "%s", strerror(-rc));
		finding_fail(finding, "kms.no-flip", strerror(-rc));
		kms_close(&kms);
		return;
	}
	timing_sort(intervals_ms, FLIPS);
	double frame_ms = kms.mode.vrefresh ? 1000.0 / kms.mode.vrefresh : 16.7;
	bool paced = fabs(intervals_ms[FLIPS / 4] - frame_ms) < frame_ms / 4 &&
		     fabs(intervals_ms[FLIPS * 3 / 4] - frame_ms) < frame_ms / 4;
	finding_pass(finding,
		"%.0f flips/s at %s@%u, interval %.1f/%.1f/%.1f ms (least/median/most), %s",
		(FLIPS + 1) * 1000.0 / total_ms, kms.mode.name, kms.mode.vrefresh, intervals_ms[0],
		intervals_ms[FLIPS / 2], intervals_ms[FLIPS - 1],
		paced ? "paced" : "not paced: normal for virtio-gpu");
	kms_close(&kms);
}

static void run_cursor(struct guest *guest, struct finding *finding)
{
	struct kms kms;
	int rc = kms_open(&kms, guest->card_path);
	if (rc < 0) {
		finding_skip(finding, "no connected monitor: %s", strerror(-rc));
		return;
	}
	if (kms.cursor_plane) {
		finding_pass(finding, "plane %u, %ux%u", kms.cursor_plane,
			(unsigned)kms.cursor_width, (unsigned)kms.cursor_height);
	} else {
		finding_value(finding, "no cursor plane");
		finding_warn(finding, "kms.no-cursor", NULL);
	}
	kms_close(&kms);
}

/* The kernel asks the device for its sizes again when "detect" is written to a connector. */
static void run_probe(struct guest *guest, struct finding *finding)
{
	char pattern[64], path[128], status[32];
	snprintf(
		pattern, sizeof pattern, "/sys/class/drm/%s-*/status", guest_gpu_card(guest)->name);
	if (text_find_path(pattern, path, sizeof path) == 0) {
		finding_skip(finding, "no connector");
		return;
	}
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	double begin_ms = timing_now_ms();
	bool asked = fd >= 0 && write(fd, "detect", 6) == 6;
	double took_ms = timing_now_ms() - begin_ms;
	descriptor_close(fd);
	if (!asked || !text_read(path, status, sizeof status)) {
		finding_skip(finding, "%s: %s", path, strerror(errno));
		return;
	}
	finding_value(finding, "asked again and answered in %.0f ms: %s", took_ms, status);
	if (took_ms > (guest_is_slow(guest) ? 10000 : 2000))
		finding_warn(finding, "kms.slow-probe", NULL);
}

static void run_dmabuf(struct guest *guest, struct finding *finding)
{
	struct kms_buffer buffer = { 0 };
	uint32_t handle = 0;
	int dmabuf = -1;
	char others[128] = "";
	int fd = open(guest->card_path, O_RDWR | O_CLOEXEC);
	int rc = fd < 0 ? -errno : kms_dumb_create(fd, 64, 64, &buffer);
	if (rc == 0)
		rc = kms_export(fd, buffer.handle, &dmabuf);
	if (rc == 0)
		rc = kms_import(fd, dmabuf, &handle);
	if (rc < 0) {
		finding_value(finding, "%s", strerror(-rc));
		finding_warn(finding, "kms.no-dmabuf", strerror(-rc));
	}
	for (size_t i = 0; rc == 0 && i < guest->n_cards; i++) {
		char path[64];
		if ((int)i == guest->gpu_card)
			continue;
		snprintf(path, sizeof path, "/dev/dri/%s", guest->cards[i].name);
		int other = open(path, O_RDWR | O_CLOEXEC);
		int imported = other < 0 ? -errno : kms_import(other, dmabuf, &handle);
		text_append_format(others, sizeof others, "; to %s (%s): %s", guest->cards[i].name,
			guest->cards[i].driver, imported == 0 ? "taken" : strerror(-imported));
		descriptor_close(other);
	}
	if (rc == 0)
		finding_pass(finding, "exported and taken back%s",
			others[0] ? others : "; no other card to try");
	descriptor_close(dmabuf);
	if (fd < 0)
		return;
	kms_dumb_destroy(fd, &buffer);
	close(fd);
}

const struct check kms_checks[] = {
	{ "kms.atomic", "atomic mode setting", CHECK_NEEDS_OPEN_CARD | CHECK_NEEDS_SCREEN,
		CHECK_ROOM_SCREEN, "a test commit is taken",
		"Wayland compositors set modes this way.", run_atomic },
	{ "kms.flip", "page flips", CHECK_NEEDS_OPEN_CARD | CHECK_NEEDS_SCREEN, CHECK_ROOM_SCREEN,
		"every flip's event arrives", "A desktop waits for this event before it draws on.",
		run_flip },
	{ "kms.cursor", "hardware cursor", CHECK_NEEDS_OPEN_CARD, CHECK_ROOM_SCREEN,
		"a cursor plane", "With it the pointer moves without drawing the desktop again.",
		run_cursor },
	{ "kms.probe", "monitor detection",
		CHECK_NEEDS_CARD | CHECK_NEEDS_ROOT | CHECK_NEEDS_SCREEN, CHECK_ROOM_SCREEN,
		"an answer", "Resizing the viewer works by this question and its answer.",
		run_probe },
	{ "kms.dmabuf", "dma-buf", CHECK_NEEDS_OPEN_CARD, CHECK_ROOM_SCREEN, "export and import",
		"Programs hand pictures to the desktop by dma-buf.", run_dmabuf },
	{ 0 },
};
