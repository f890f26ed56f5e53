"""Workers that die at a chosen point: right after a row was written, or around a call."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests
from django.db import connection
from requests.adapters import BaseAdapter

from sfsync.local_org.door import InProcessDoor
from sfsync.local_org.org import LocalOrg

WRITES = ("INSERT", "UPDATE", "DELETE", "RELEASE")
"""A statement outside a transaction stands at once; inside one it does with the savepoint."""


class Killed(BaseException):
    """The worker is no more: nothing of our code may catch this."""


@contextmanager
def killed_after_write(number: int) -> Iterator[None]:
    """Let the worker die right after the ``number``-th row or transaction it wrote, from 1."""
    left = [number]

    def counting(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        answer = execute(sql, *rest)
        if sql.startswith(WRITES):
            left[0] -= 1
            if left[0] == 0:
                raise Killed
        return answer

    with connection.execute_wrapper(counting):
        yield


class DeadlyDoor(BaseAdapter):
    """The org's door, at which the worker dies before or after its ``number``-th call."""

    def __init__(self, org: LocalOrg) -> None:
        super().__init__()
        self.door = InProcessDoor(org)
        self.before = self.after = 0
        """How many calls are left until then; 0: never."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        self.before -= 1
        if self.before == 0:
            raise Killed
        answer = self.door.send(request, **options)
        self.after -= 1
        if self.after == 0:
            raise Killed
        return answer

    def close(self) -> None:
        self.door.close()
