#!/bin/sh
# SPDX-License-Identifier: MIT
# until.sh SUBMISSIONS COMMAND...: ends a command that would not end when it has sent so many submissions, or nothing more for
# a while. Runs in a root, beside the server's figures. SLOW: how many times as long everything may take.
# A command that has sent nothing is named in the server's log, since a check of several commands cannot tell.
counted() { od -An -tu8 -j8 -N8 /run/mesa/figures 2>/dev/null | tr -d ' ' | grep . || echo 0; }
now() { date +%s; }

wanted=$1 first=$(counted) last=$(counted) moved=$(now) end=$(($(now) + 20 * SLOW))
shift
setsid "$@" &
child=$!
while kill -0 $child 2>/dev/null && [ "$(now)" -lt $end ] && [ "$last" -lt $((first + wanted)) ]; do
	sleep 0.3
	sent=$(counted)
	[ "$sent" = "$last" ] || moved=$(now)
	last=$sent
	[ "$last" = "$first" ] || [ "$(now)" -lt $((moved + 2 * SLOW)) ] || break
done
kill -- -$child 2>/dev/null
sleep 0.3
kill -9 -- -$child 2>/dev/null
wait $child
status=$?
[ "$(counted)" != "$first" ] || echo "sent nothing, status $status: $*" >>/run/mesa/log
exit 0
