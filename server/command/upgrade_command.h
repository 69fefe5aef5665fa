/* SPDX-License-Identifier: MIT */
/* upgrade_command is `vitrine upgrade`. */
#pragma once

int upgrade_main(int argc, char **argv);
