/* SPDX-License-Identifier: MIT */
#include "display/line/intake.h"

#include <glib.h>

struct gate {
	bool is_shut;
	uint8_t type, id;
	void (*wake)(void *user); /* NULL: nobody waits */
	void *user;
};

struct intake {
	GMutex lock;
	struct gate gates[INTAKE_MAX];
};

struct intake *intake_create(void)
{
	struct intake *intake = g_new0(struct intake, 1);
	g_mutex_init(&intake->lock);
	return intake;
}

void intake_destroy(struct intake *intake)
{
	if (!intake)
		return;
	g_mutex_clear(&intake->lock);
	g_free(intake);
}

/* Returns the gate that is shut for the device; NULL: none is. */
static struct gate *find(struct intake *intake, uint8_t type, uint8_t id)
{
	for (unsigned i = 0; i < INTAKE_MAX; i++) {
		struct gate *gate = &intake->gates[i];
		if (gate->is_shut && gate->type == type && gate->id == id)
			return gate;
	}
	return NULL;
}

static void shut(struct intake *intake, uint8_t type, uint8_t id)
{
	for (unsigned i = 0; i < INTAKE_MAX; i++) {
		if (!intake->gates[i].is_shut) {
			intake->gates[i] = (struct gate){ .is_shut = true, .type = type, .id = id };
			return;
		}
	}
}

void intake_shut(struct intake *intake, uint8_t type, uint8_t id, bool is_shut)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&intake->lock);
	struct gate *gate = find(intake, type, id);
	if (is_shut && !gate)
		shut(intake, type, id);
	if (is_shut || !gate)
		return;
	gate->is_shut = false;
	if (gate->wake)
		gate->wake(gate->user);
	gate->wake = NULL;
}

bool intake_is_shut(
	struct intake *intake, uint8_t type, uint8_t id, void (*wake)(void *user), void *user)
{
	if (!intake)
		return false;
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&intake->lock);
	struct gate *gate = find(intake, type, id);
	if (!gate)
		return false;
	gate->wake = wake;
	gate->user = user;
	return true;
}

void intake_forget(struct intake *intake, const void *user)
{
	if (!intake)
		return;
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&intake->lock);
	for (unsigned i = 0; i < INTAKE_MAX; i++) {
		if (intake->gates[i].user == user)
			intake->gates[i].wake = NULL;
	}
}
