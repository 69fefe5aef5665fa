/* SPDX-License-Identifier: MIT */
/*
 * consoles: knows which of QEMU's consoles are our device's, a console for each head.
 *
 * A machine may have other display devices beside ours, and QEMU numbers the consoles of all of
 * them in the order in which it made them. Nothing says which device is ours, but several things
 * tell:
 *
 *   the size   the keeper has QEMU believe in a size of twice the desktop's, which no other device
 *              can have but by chance: that is certain
 *   the name   QEMU labels a console with its device's id, else its type: vitrine run gives ours
 *              the id KEEPER_GPU_ID, and types of our kind begin with "vhost-user-"
 *   refusals   a device without heads of its own takes no sizes, as VGA does
 *
 * The consoles of one device have one address and numbered heads. Until anything is known console 0
 * is head 0.
 *
 * It is a plain value, and no call waits. Threads: one at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/qemu/limits.h"

/* A label or an address is cut to this: it is compared and printed, no more. */
#define CONSOLES_TEXT_MAX 64

struct console_facts {
	uint32_t id;                     /* of /org/qemu/Display1/Console_ID */
	char label[CONSOLES_TEXT_MAX];   /* "gpu", or "gpu.1" for head 1 of several */
	char address[CONSOLES_TEXT_MAX]; /* of the device, as "pci/0000/01.0"; "": not known */
	bool is_graphic;
	uint32_t head;
	uint32_t width, height;
	bool refused; /* it takes no sizes */
};

/* A struct of zeros knows nothing. */
struct consoles {
	struct console_facts all[CONSOLES_MAX];
	unsigned n;
	uint32_t told_width, told_height; /* what the keeper tells QEMU; 0: nothing yet */
};

/* Says what QEMU says of a console. One more than CONSOLES_MAX is left out. */
void consoles_put(struct consoles *consoles, const struct console_facts *facts);
/* Returns what is known of one, or NULL. */
struct console_facts *consoles_get(struct consoles *consoles, uint32_t id);

/* Returns our console of a head, or NULL when the device has no such head. */
const struct console_facts *consoles_find(const struct consoles *consoles, uint32_t head);
/* Returns how many heads our device has, counted from head 0 on; 0: nothing is known yet. */
unsigned consoles_count_heads(const struct consoles *consoles);
/* Returns the label of a display device that is not ours, or NULL when there is none. */
const char *consoles_other(const struct consoles *consoles);
