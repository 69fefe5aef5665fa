/* SPDX-License-Identifier: MIT */
/*
 * nodes: the render nodes that there are. Mesa's shim has one, renderD128; the others are opened as
 * that one is, and differ by name, device number and PCI slot. Which descriptors belong to a node
 * is remembered here. Any thread.
 */
#pragma once

/* Returns the node that the descriptor is open on, from 0 on, or -1. */
int nodes_find(int fd);
/* Returns a number for what open() made, which duplicates share; 0: is no node. */
unsigned nodes_get_file(int fd);
