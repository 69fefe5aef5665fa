#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""viewer FILE.vv | -: in the place of remote-viewer, for tests: reads its connection file, or its standard input, and ends with status 0 when
its connection ends, or when it is asked to (SIGTERM), as if a person had closed its window.

Behind it is a stock client library (SPICE_PROBE). When the picture's pixel has the colour that stands in the file
$VIEWER_WANTED, that colour is written to $VIEWER_SEEN."""
import configparser
import json
import os
import signal
import subprocess
import sys


def ask(probe, line):
    probe.stdin.write(line + "\n")
    probe.stdin.flush()
    return json.loads(probe.stdout.readline())


def main():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    file = configparser.ConfigParser(interpolation=None)
    if sys.argv[-1] == "-":
        file.read_file(sys.stdin)
    else:
        file.read(sys.argv[-1])
        os.unlink(sys.argv[-1])
    viewer = file["virt-viewer"]
    command = [os.environ["SPICE_PROBE"], "--no-connect", "--connect-timeout-ms=20000",
               "--password=" + viewer.get("password", ""), f"spice://{viewer['host']}:{viewer['port']}"]
    probe = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    answer = ask(probe, "reconnect")
    if not answer["ok"]:
        print("viewer:", answer, file=sys.stderr)
        return 1
    while True:
        with open(os.environ["VIEWER_WANTED"], encoding="ascii") as wanted:
            color = wanted.read()
        answer = ask(probe, f"wait-pixel 9 9 {color} 100 0")
        if answer["ok"]:
            with open(os.environ["VIEWER_SEEN"] + ".new", "w", encoding="ascii") as seen:
                seen.write(color)
            os.rename(os.environ["VIEWER_SEEN"] + ".new", os.environ["VIEWER_SEEN"])
        elif "not connected" in answer.get("error", ""):
            return 0


sys.exit(main())
