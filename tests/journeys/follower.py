"""A worker in a process of its own that decides one batch whenever it is told to, and tells.

Reads lines from standard input; for each it decides what waits and prints the number of the model
that it decided with and the moment, as JSON. Started by ``python -m tests.journeys.follower``.
"""

import json
import os
import subprocess
import sys
import time

from django.db import connection


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactreason.settings")
    django.setup()
    from classifier.deciding import decide_waiting
    from classifier.models import Decision

    _tell({"is_ready": True})
    for _line in sys.stdin:
        decided = decide_waiting(limit=200)
        newest = Decision.objects.order_by("-id").first()
        number = newest.model_version.number if newest and newest.model_version else None
        _tell({"model": number, "taken": decided.taken, "at": time.time()})


def _tell(told: dict[str, object]) -> None:
    sys.stdout.write(f"{json.dumps(told)}\n")
    sys.stdout.flush()


class Follower:
    """The process, as its parent sees it. It works on the parent's database."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.journeys.follower"],
            env={**os.environ, "DATABASE_URL": database_url()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()

    def decide(self) -> dict[str, object]:
        """Let it decide one batch; return what it tells."""
        assert self.process.stdin is not None
        self.process.stdin.write("batch\n")
        self.process.stdin.flush()
        return self._read()

    def stop(self) -> None:
        self.process.communicate(timeout=20)

    def _read(self) -> dict[str, object]:
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline()))


def database_url() -> str:
    """Return the address of the database that this process works on."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    who = f"{at['USER']}:{at['PASSWORD']}@" if at["PASSWORD"] else f"{at['USER']}@"
    return f"postgresql://{who}{at['HOST']}:{at['PORT']}/{at['NAME']}"


if __name__ == "__main__":
    main()
