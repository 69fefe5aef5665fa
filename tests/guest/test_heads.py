#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A real guest's monitors: plugged in and out by a stock SPICE client, of different sizes, the pointer exact on each."""
import json
import os
import random
import re
import time

import desktop as lib
import tap
from desktop import Desktop, wait_for

HEADS = 3
SIZES = ((1600, 900), (1280, 720), (800, 600))
TURNS = 12


class Subject:
    def __init__(self, desktop, probe):
        self.desktop, self.probe = desktop, probe
        self.open = {0}

    def ask(self, head, size):
        self.probe.command(f'monitors-config {size[0]} {size[1]} {head}')
        (self.open.discard if size == (0, 0) else self.open.add)(head)

    def outputs(self):
        """{number: [x, y, width, height]} as the guest's compositor has laid them out."""
        return {int(output['name'].split('-')[1]) - 1: [output['rect'][key] for key in ('x', 'y', 'width', 'height')]
                for output in json.loads(self.desktop.swaymsg('-t', 'get_outputs')) if output['active']}

    def seen(self):
        """{number: (width, height)} of what the client shows."""
        displays = self.probe.command('status')['displays']
        return {display['id']: (display['width'], display['height']) for display in displays if display['width']}

    def agree(self):
        outputs = self.outputs()
        return set(outputs) == self.open and {head: tuple(rect[2:]) for head, rect in outputs.items()} == self.seen()

    def cursor(self):
        """(head, x, y): where the guest's hardware cursor has its picture."""
        state = self.desktop.control.run('cat /sys/kernel/debug/dri/0/state', 30)
        for plane in re.split(r'^(?=plane\[)', state, flags=re.MULTILINE):
            place = re.search(r'\tcrtc=crtc-(\d+)\n.*\tcrtc-pos=64x64\+(-?\d+)\+(-?\d+)', plane, re.DOTALL)
            if place:
                return int(place[1]), int(place[2]), int(place[3])
        return None

    def expect_pointer(self, head, x, y):
        def is_there():
            cursor, hot = self.cursor(), self.probe.cursor()
            return cursor == (head, x - hot['hot_x'], y - hot['hot_y']) and hot['hot_x'] + hot['hot_y'] > 0
        self.probe.move(x, y, head)
        wait_for(f'pointer at {x},{y} of head {head}; it is {self.cursor()}', is_there, 10)


def a_second_and_a_third_monitor_come(subject):
    for head in range(HEADS):
        subject.ask(head, SIZES[head])
    wait_for('monitors as asked', subject.agree, 20)
    outputs = subject.outputs()
    assert [outputs[head][2:] for head in (1, 2)] == [list(SIZES[1]), list(SIZES[2])], outputs
    return outputs


def the_pointer_is_exact_on_each(subject):
    for head, (x, y, width, height) in subject.outputs().items():
        for place in ((width // 3, height // 2), (width - 9, 9), (9, height - 9)):
            subject.expect_pointer(head, *place)


def they_go_and_come_in_any_order(subject):
    for turn in range(TURNS):
        head = random.randrange(1, HEADS)
        subject.ask(head, (0, 0) if head in subject.open else random.choice(SIZES))
        wait_for(f'agreement after turn {turn}', subject.agree, 20)
    for head in tuple(subject.open - {0}):
        subject.ask(head, (0, 0))
    wait_for('one monitor', subject.agree, 20)
    subject.expect_pointer(0, 333, 222)


def main():
    if lib.missing() or not lib.guest_folder():
        tap.skip_all(lib.missing() or 'the guest cannot be built here')
    seed = int(os.environ.get('SEED', time.time()))
    random.seed(seed)
    print(f'# SEED={seed}')
    with Desktop('desktop', options=['--heads', HEADS]) as desktop:
        desktop.wait_desktop()
        desktop.control.run('mount -t debugfs none /sys/kernel/debug; true')
        with desktop.connect() as probe:
            probe.command('wait-mouse-mode client 10000', 10)
            tap.run([a_second_and_a_third_monitor_come, the_pointer_is_exact_on_each, they_go_and_come_in_any_order],
                    Subject(desktop, probe), desktop.print_logs)


if __name__ == '__main__':
    main()
