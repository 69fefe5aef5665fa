/* SPDX-License-Identifier: MIT */
/*
 * connect_command is `vitrine connect`: it starts a stock viewer for a desktop of this user, with a
 * ticket, and starts it again when it ended because the desktop's display did.
 *
 * Stock viewers end when their connection does, with status 0, as when somebody closes them. So the
 * keeper is asked: it tells those who follow it each time that display ends (ticket_client.h). A
 * viewer that ends within REPLACED_MS of that has ended for it; any other one was closed.
 */
#pragma once

int connect_main(int argc, char **argv);
