/* SPDX-License-Identifier: MIT */
/* control_command is `vitrine pause`, `resume`, `reset` and `send-key`. */
#pragma once

int pause_main(int argc, char **argv);
int resume_main(int argc, char **argv);
int reset_main(int argc, char **argv);
int send_key_main(int argc, char **argv);
int hand_over_main(int argc, char **argv);
