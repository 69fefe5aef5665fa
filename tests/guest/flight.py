# SPDX-License-Identifier: MIT
"""What a worker that runs has written into its flight recorder (common/flight.h), read from the keeper's descriptors of it.

Numbers and places come from the headers, so that nothing is to be kept the same here. It needs the right to look into the keeper,
as root has it."""
import os
import pathlib
import re
import struct

ROOT = pathlib.Path(__file__).resolve().parents[2]
EVENT = struct.Struct('<5Q')


def read_numbers():
    """The events' numbers by their names, without FLIGHT_."""
    text = (ROOT / 'protocol/flight_events.h').read_text().split('enum flight_event_number {')[1].split('};')[0]
    numbers, number = {}, 0
    for name, value in re.findall(r'^\tFLIGHT_(\w+)(?: = (\d+))?,', text, re.MULTILINE):
        number = int(value) if value else number + 1
        numbers[name] = number
    return numbers


def read_places():
    """How many places the rare events have, and the others."""
    text = (ROOT / 'common/flight.h').read_text()
    return [int(re.search(rf'#define FLIGHT_{name}_MAX (\d+)', text)[1]) for name in ('RARE', 'OFTEN')]


NUMBERS = read_numbers()
NAMES = {number: name for name, number in NUMBERS.items()}
RARE, OFTEN = read_places()


def parse(memory):
    """The events as (time in ns, name, words), by their time. They are the last thing in the memory, the rare ones first."""
    size = struct.unpack_from('<I', memory, 12)[0]
    events = []
    for i in range(RARE + OFTEN):
        at, *words, tag = EVENT.unpack_from(memory, size - (RARE + OFTEN - i) * EVENT.size)
        if tag:
            events.append((at, NAMES.get(tag & 0xffff), words))
    return sorted(events)


def read_newest(keeper_pid, name):
    """The events of the process that has noted this event last; [] when none has."""
    folder = pathlib.Path(f'/proc/{keeper_pid}/fd')
    newest, newest_ns = [], 0
    for fd in os.listdir(folder):
        try:
            if 'memfd:vitrine-flight' not in os.readlink(folder / fd):
                continue
            events = parse((folder / fd).read_bytes())
        except (OSError, struct.error):
            continue
        at_ns = max((at for at, event, _ in events if event == name), default=0)
        if at_ns > newest_ns:
            newest, newest_ns = events, at_ns
    return newest
