/* SPDX-License-Identifier: MIT */
/*
 * maps: counts in how many pieces the process's addresses are mapped.
 *
 * The kernel allows some number of them (vm.max_map_count), and a driver that compiles for the CPU
 * takes four or five for each piece of code. Where no more can be had LLVM ends the process. So the
 * pieces are counted now and then, while something is compiled: that takes the kernel a millisecond
 * for each thousand.
 *
 * One thread uses it.
 */
#pragma once

#include <stdint.h>

/* It is counted when something was compiled this often, or when a context has gone. */
#define MAPS_INTERVAL 64

struct maps;

enum maps_state {
	MAPS_FEW,
	MAPS_MANY, /* half of what is allowed: who has compiled much may compile no more */
	MAPS_FULL, /* three quarters: nobody may */
};

/*
 * `path` is that of proc(5)'s maps, or NULL: then there are always few. The same happens where it
 * cannot be opened, which is logged. `most` is what the kernel allows.
 */
struct maps *maps_create(const char *path, uint64_t most);
void maps_destroy(struct maps *maps);
/* Returns what the kernel allows, as its file says it, or what is usual if there is no such file.
 */
uint64_t maps_read_most(const char *path);
/* Notes that some have gone. */
void maps_forget(struct maps *maps);
/* Notes that something was compiled, and returns how many there were when they were counted last.
 */
enum maps_state maps_note_compiled(struct maps *maps);
