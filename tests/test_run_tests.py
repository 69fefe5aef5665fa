#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What run-tests says at its end, from made-up logs of meson and of ThreadSanitizer: its count is what people and machines
believe. And what it refuses at its beginning."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
SUMMARY = ROOT / 'tools/test-summary'
REPORTS = ROOT / 'tests/threads/reports'
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


def report_of_threads(*sides, kind='data race', heading='Write of size 8 at 0x7b0800001040 by main thread:'):
    """A report as ThreadSanitizer writes it; a side is (function, place, module) of each frame."""
    lines = ['==================', f'WARNING: ThreadSanitizer: {kind} (pid=77)']
    for number, side in enumerate(sides):
        lines.append(f'  {"Previous w" if number else "W"}{heading[1:]}')
        lines += [f'    #{i} {function} {where} ({module}+0x47e82)' for i, (function, where, module) in enumerate(side)]
        lines.append('')
    lines += ["  Thread T1 'gpu' (tid=78, running) created by main thread at:",
              '    #0 pthread_create ../tsan_interceptors_posix.cpp:1001 (libtsan.so.2+0x5e686)', '',
              f'SUMMARY: ThreadSanitizer: {kind} somewhere', '==================', '']
    return '\n'.join(lines)


def reports_of_threads(build, *logs):
    """What the last line says when processes have written these logs, beside one test that passed."""
    (build / 'reports').mkdir(parents=True)
    for pid, log in enumerate(logs):
        (build / 'reports' / f'of.vitrine-render.{pid}').write_text(log)
    log_write(build, 'testlog', a=PASSED)
    subprocess.run([REPORTS, build], stdout=subprocess.DEVNULL, check=False)
    return summary(build)[1][-1]


OURS = ('on_present', '../display/heads/frame_receiver.c:7', 'vitrine-display')
FREE = ('free', '../tsan_interceptors_posix.cpp:706', 'libtsan.so.2')
GLIB = ('g_free', '<null>', 'libglib-2.0.so.0')
OF_LIBRARY = ('<null>', '<null>', 'libunheard-of.so.1')
OF_LISTED = ('<null>', '<null>', 'swrast_dri.so')
OF_GLIB = ('<null>', '<null>', 'libglib-2.0.so.0')
WAITPID = ('waitpid', '../sanitizer_common_interceptors.inc:2514', 'libtsan.so.2')


def no_report_is_one_pass(build):
    assert reports_of_threads(build) == '2 passed, 0 failed, 0 skipped'


def a_report_of_many_processes_counts_once(build):
    log = report_of_threads([OURS], [OURS]) + 'ThreadSanitizer: reported 1 warnings\n'
    assert reports_of_threads(build, log, log, report_of_threads([OURS], [FREE, OURS])) == '1 passed, 1 failed, 0 skipped'


def each_kind_of_report_counts(build):
    log = report_of_threads([OURS], [OURS]) + report_of_threads([OURS], kind='lock-order-inversion (potential deadlock)')
    assert reports_of_threads(build, log) == '1 passed, 2 failed, 0 skipped'


def a_side_of_ours_counts(build):
    assert reports_of_threads(build, report_of_threads([FREE, OF_LISTED, OURS], [FREE, GLIB, OURS])) == \
        '1 passed, 1 failed, 0 skipped'


def a_library_counts_that_has_no_reason(build):
    assert reports_of_threads(build, report_of_threads([FREE, OF_LISTED], [FREE, OF_LIBRARY])) == \
        '1 passed, 1 failed, 0 skipped'


def listed_libraries_alone_do_not_count(build):
    assert reports_of_threads(build, report_of_threads([FREE, OF_LISTED, OURS], [FREE, OF_LISTED, OURS])) == \
        '2 passed, 0 failed, 0 skipped'


def libraries_are_listed_for_one_kind_of_report(build):
    assert reports_of_threads(build, report_of_threads([OF_LISTED], [OF_LISTED], kind='thread leak')) == \
        '1 passed, 1 failed, 0 skipped'


def a_library_is_listed_between_two_functions(build):
    log = report_of_threads([FREE, OF_GLIB, OURS], [WAITPID, OF_GLIB])
    assert reports_of_threads(build, log) == '2 passed, 0 failed, 0 skipped'
    for number, red in enumerate(([FREE, OF_GLIB], [FREE, OURS], [WAITPID, OURS])):
        other = build / f'{number}'
        assert reports_of_threads(other, report_of_threads([FREE, OF_GLIB], red)) == '1 passed, 1 failed, 0 skipped', red


def what_the_guest_orders_does_not_count(build):
    """Its memory does, when something else than a chain looks at it, and chains do in other memory."""
    chain = ('chain_read', '../render/ring/chain.c:7', 'vitrine-render')
    location = "  Location is global '<null>' at 0x000000000000 (memfd:guest-memory (deleted)+0x11d0)\n\n"
    log = report_of_threads([chain], [FREE, chain]).replace('  Thread T1', location + '  Thread T1')
    assert reports_of_threads(build, log) == '2 passed, 0 failed, 0 skipped'
    for number, red in enumerate((log.replace('chain.c', 'virtqueue.c', 1), log.replace('guest-memory', 'memory'))):
        other = build / f'{number}'
        assert reports_of_threads(other, red) == '1 passed, 1 failed, 0 skipped', red


def a_report_without_stack_counts(build):
    assert reports_of_threads(build, report_of_threads([], [])) == '1 passed, 1 failed, 0 skipped'


def the_end_of_thread_sanitizer_counts(build):
    assert reports_of_threads(build, 'ThreadSanitizer: CHECK failed: tsan_rtl.cpp:1\n') == '1 passed, 1 failed, 0 skipped'


CHECKS = [all_runs_count, what_passed_again_counts_and_is_named, what_failed_again_counts_once, each_round_counts,
          what_tests_print_is_no_xml, nothing_is_a_failure, a_part_that_is_not_there_builds_nothing,
          no_report_is_one_pass, a_report_of_many_processes_counts_once, each_kind_of_report_counts, a_side_of_ours_counts,
          a_library_counts_that_has_no_reason, listed_libraries_alone_do_not_count,
          libraries_are_listed_for_one_kind_of_report, a_library_is_listed_between_two_functions,
          what_the_guest_orders_does_not_count, a_report_without_stack_counts, the_end_of_thread_sanitizer_counts]


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
