/* SPDX-License-Identifier: MIT */
/* vitrine flight: how a desktop's processes came to their ends. */
#pragma once

int flight_main(int argc, char **argv);
