# SPDX-License-Identifier: MIT
"""Numbered checks that share something expensive, reported in TAP (one line each, counted by meson)."""
import sys
import time
import traceback


class Skip(Exception):
    """Raised by a check that this machine cannot do; the text says what is missing."""


def skip_all(reason):
    print(f'1..0 # SKIP {reason}', flush=True)
    sys.exit(0)


def run(checks, subject, on_failure=None):
    """Calls each check with the subject. A failure does not stop the others. Ends the program."""
    failed = 0
    print(f'1..{len(checks)}', flush=True)
    for number, check in enumerate(checks, 1):
        name = check.__name__.replace('_', ' ')
        began = time.monotonic()
        try:
            said = check(subject)
        except Skip as reason:
            print(f'ok {number} - {name} # SKIP {reason}', flush=True)
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            print(f'not ok {number} - {name}', flush=True)
            print(''.join('# ' + line + '\n' for line in traceback.format_exc().splitlines()), end='')
            if on_failure:
                on_failure(check.__name__, error)
        else:
            print(f'ok {number} - {name}', flush=True)
            print(f'# {time.monotonic() - began:.1f} s{": " + str(said) if said else ""}', flush=True)
    sys.exit(1 if failed else 0)
