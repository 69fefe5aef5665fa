/* SPDX-License-Identifier: MIT */
/* list_command is `vitrine list`. */
#pragma once

int list_main(int argc, char **argv);
