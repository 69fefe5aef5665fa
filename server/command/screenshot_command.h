/* SPDX-License-Identifier: MIT */
/* screenshot_command is `vitrine screenshot`. */
#pragma once

int screenshot_main(int argc, char **argv);
