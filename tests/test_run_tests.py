#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What run-tests says at its end, from made-up logs of meson: its count is what people and machines believe. And what it
refuses at its beginning."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
SUMMARY = ROOT / 'tools/test-summary'
PASSED, FAILED, LATE, SKIPPED = 'OK', 'FAIL', 'TIMEOUT', 'SKIP'


def log_write(build, base, **results):
    logs = build / 'meson-logs'
    logs.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({'name': f'vitrine:unit / {name}', 'result': result, 'duration': 1.5, 'stdout': 'why\n'})
             for name, result in results.items()]
    (logs / f'{base}.json').write_text('\n'.join(lines) + '\n')


def summary(*arguments):
    done = subprocess.run([sys.executable, SUMMARY, *arguments], stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


def all_runs_count(build):
    log_write(build, 'testlog', a=PASSED, b=SKIPPED)
    log_write(build, 'guests', c=PASSED)
    log_write(build, 'drm', d=FAILED)
    log_write(build, 'client', e=LATE)
    status, lines = summary(build)
    assert (status, lines[-1]) == (1, '2 passed, 2 failed, 1 skipped'), lines
    assert summary('--failed', build)[1] == ['d', 'e']


def what_passed_again_counts_and_is_named(build):
    log_write(build, 'testlog', a=FAILED, b=PASSED)
    log_write(build, 'again', a=PASSED)
    status, lines = summary(build)
    assert (status, lines[-1]) == (0, '2 passed, 0 failed, 0 skipped'), lines
    assert any(line.startswith('passed only when it ran again') and line.endswith(' a') for line in lines), lines


def what_failed_again_counts_once(build):
    log_write(build, 'guests', a=LATE)
    log_write(build, 'again', a=FAILED)
    assert summary(build)[1][-1] == '0 passed, 1 failed, 0 skipped'


def each_round_counts(build):
    for number, result in enumerate((PASSED, FAILED, PASSED), 1):
        log_write(build, f'round-{number}', a=result)
    status, lines = summary('--logs', 'round-1,round-2,round-3', build)
    assert (status, lines[-1]) == (1, '2 passed, 1 failed, 0 skipped'), lines


def what_tests_print_is_no_xml(build):
    log_write(build, 'testlog', a=PASSED)
    (build / 'meson-logs/testlog.junit.xml').write_bytes(
        b'<testsuites><testsuite name="vitrine.vitrine:unit / a"><testcase name="one"/><testcase name="two"/>'
        b'<system-out>\x01 \x1b[0m \xff</system-out></testsuite></testsuites>')
    assert summary(build)[1][-1] == '2 passed, 0 failed, 0 skipped', summary(build)


def nothing_is_a_failure(build):
    status, lines = summary(build)
    assert (status, lines[-1]) == (1, '0 passed, 1 failed, 0 skipped'), lines


def a_part_that_is_not_there_builds_nothing(build):
    build.mkdir()
    for name in ('meson', 'ninja'):
        (build / name).write_text('#!/bin/sh\necho "$0 was started"\nexit 1\n')
        (build / name).chmod(0o755)
    done = subprocess.run([ROOT / 'run-tests', '--no-install', '--long', 'no-such-part'], capture_output=True, text=True,
                          check=False, env={**os.environ, 'PATH': f'{build}:{os.environ["PATH"]}'})
    assert (done.returncode, done.stdout) == (2, ''), done
    assert done.stderr.startswith('long: no part no-such-part; there are: fuzz-virtqueue '), done


CHECKS = [all_runs_count, what_passed_again_counts_and_is_named, what_failed_again_counts_once, each_round_counts,
          what_tests_print_is_no_xml, nothing_is_a_failure, a_part_that_is_not_there_builds_nothing]


def main():
    print(f'1..{len(CHECKS)}')
    failed = 0
    for number, check in enumerate(CHECKS, 1):
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(pathlib.Path(folder, 'build'))
                said = 'ok'
            except AssertionError as error:
                said, failed = 'not ok', failed + 1
                print(f'# {error}')
        print(f'{said} {number} - {check.__name__.replace("_", " ")}')
    sys.exit(failed > 0)


if __name__ == '__main__':
    main()
