/* SPDX-License-Identifier: MIT */
/*
 * gpu_stub: stands in for the gpu thread (render/gpu_thread.h) behind render's end of the keeper
 * link, for fuzz_keeper. It keeps what is handed over, and frees it.
 */
#pragma once

struct gpu;

struct gpu *gpu_stub_create(void);
/* Frees also what a renderer that ends leaves to the kernel: rings, and half a memory table. */
void gpu_stub_destroy(struct gpu *gpu);
