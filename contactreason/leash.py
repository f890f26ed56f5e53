"""A leash: kills the process groups it was told of as soon as its owner is gone.

Run as a script, with a pipe as standard input: one process group id a
line. However the owner ends (also by kill -9) the pipe closes, and nothing is left behind. A
group that ended by itself is taken off with a minus before its id.
"""

import contextlib
import os
import signal
import sys


def hold() -> None:
    groups: set[int] = set()
    for line in sys.stdin:
        number = int(line)
        if number > 0:
            groups.add(number)
        else:
            groups.discard(-number)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    hold()
