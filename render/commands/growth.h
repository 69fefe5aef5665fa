/* SPDX-License-Identifier: MIT */
/*
 * growth: finds out how much memory the drawing of a program has made, which no command asks for.
 *
 * A driver compiles a shader anew for each state that it is drawn with, and keeps what it has
 * compiled; virglrenderer keeps each pair of shaders that were drawn with. Nobody can tell from the
 * commands how much that is. So the process's private memory is measured after what took long, as
 * compiling does, and what is not counted by another quota is charged to the context that drew, as
 * program-bytes.
 *
 * One thread uses a growth and the accounts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct quota_account;
struct growth;

/*
 * `path` is that of proc(5)'s statm, or NULL: then nothing is measured. The same happens where it
 * cannot be opened, which is logged.
 */
struct growth *growth_create(const char *path);
void growth_destroy(struct growth *growth);
/* Notes that what others than draws make comes or goes, which is not to be charged to draws. */
void growth_forget(struct growth *growth);
/* Is to be called before something is drawn. */
void growth_begin(struct growth *growth, const struct quota_account *guest);
/*
 * Charges the context with what has come since growth_begin(), or since the last call. Returns
 * false when its quota or the guest's has no room for that, which is logged; it is not charged.
 */
bool growth_charge(struct growth *growth, struct quota_account *context);
