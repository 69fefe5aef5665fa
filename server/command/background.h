/* SPDX-License-Identifier: MIT */
/*
 * background has the commands for a desktop whose `vitrine run` is not before one's eyes: `vitrine
 * attach` shows what a detached one says, and `vitrine stop` ends any.
 */
#pragma once

int attach_main(int argc, char **argv);
int stop_main(int argc, char **argv);
