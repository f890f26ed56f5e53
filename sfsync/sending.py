"""Sending one batch: looked at, written under the best protection the org offers, recorded.

A Case that somebody changed in between is looked at again, and decided again by what stands
there then. Every network call stands outside transactions; nothing sleeps.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from django.db import transaction

from classifier import leases
from sfsync import guard, protection
from sfsync.case_writes import COLLECTION_LIMIT, COMPOSITE_LIMIT
from sfsync.cases import Looked, UpdateResult
from sfsync.delivering import Batch
from sfsync.endings import Candidate
from sfsync.errors import MODIFIED, SalesforceError, SalesforceUnavailable
from sfsync.gateway import SalesforceGateway
from sfsync.models import Connection
from sfsync.protection import Protection

ROUNDS = 3
"""So often a Case that changes under our hands is looked at in one delivery."""
SECONDS = 60.0
"""No call is begun after these; half of what a task may take."""
LONG_AGO = timedelta(days=1)
"""A condition this much older than the Case's last change must fail."""


def send(
    gateway: SalesforceGateway,
    batch: Batch,
    candidates: Sequence[Candidate],
    *,
    most: int = COLLECTION_LIMIT,
) -> None:
    """Write what is to be written of these Cases, and record what became of each.

    ``most``: so many rows go into one call at most.

    Raises:
        SalesforceError: the call under way and those to come; what was recorded stays.
    """
    sender = _Sender(gateway, batch, most)
    for portion in sender.portions(candidates):
        sender.in_rounds(portion)


class _Sender:
    """One batch on its way."""

    def __init__(self, gateway: SalesforceGateway, batch: Batch, most: int) -> None:
        self._gateway = gateway
        self._batch = batch
        self._most = most
        self._until = gateway.seconds() + SECONDS
        self._is_stopped = False

    def portions(self, candidates: Sequence[Candidate]) -> Iterator[Sequence[Candidate]]:
        """Yield what is looked at in one call: all of it where writes are protected later too."""
        rest = candidates
        while rest:
            is_protected = self._batch.protection in {Protection.GUARD, Protection.CONDITION}
            size = len(rest) if is_protected else COLLECTION_LIMIT
            yield rest[:size]
            rest = rest[size:]

    def in_rounds(self, candidates: Sequence[Candidate]) -> None:
        """Look and write until nobody has changed anything in between, but not for ever."""
        for _ in range(ROUNDS):
            if self._has_stopped():
                leases.release(candidate.row for candidate in candidates)
                return
            ids = [candidate.row.case_link.case_id for candidate in candidates]
            looked = self._gateway.look(ids, self._batch.fields_to_read(candidates))
            with transaction.atomic():
                to_send = self._batch.look(candidates, looked)
            candidates = self._written(to_send, looked)
            if not candidates:
                return
        with transaction.atomic():
            self._batch.put_off(candidates)

    def _written(self, to_send: Sequence[Candidate], looked: Looked) -> list[Candidate]:
        """Write in as few calls as may be; return what was changed by others meanwhile."""
        again: list[Candidate] = []
        rest = list(to_send)
        while rest:
            portion = self._next_call(rest)
            rest = [candidate for candidate in rest if candidate not in portion]
            noted = self._noted([*portion, *rest], len(portion))
            if self._is_stopped:
                break
            if noted:
                again += self._call(noted, looked)
        return again

    def _next_call(self, rest: Sequence[Candidate]) -> Sequence[Candidate]:
        way = self._batch.protection
        if way is None:
            chosen = self._batch.fit_for_trial(rest)
            if chosen is not None:
                return [chosen]
            # Nothing here can show it: conditions are kept at the least.
            self._batch.protection = Protection.CONDITION
        if self._batch.protection is Protection.CONDITION:
            return rest[: min(self._most, COMPOSITE_LIMIT)]
        return rest[: min(self._most, COLLECTION_LIMIT)]

    def _noted(self, all_left: Sequence[Candidate], count: int) -> list[Candidate]:
        """Note the first ``count``; where the terms have changed, give everything back."""
        with transaction.atomic():
            # Asked in here, where nobody has to be waited for between the answer and the call.
            allows = self._batch.terms.allow_the_same_as(Connection.current())
            if self._has_stopped() or not allows:
                self._is_stopped = True
                leases.release(candidate.row for candidate in all_left)
                return []
            return self._batch.note(all_left[:count])

    def _has_stopped(self) -> bool:
        return self._is_stopped or self._gateway.seconds() > self._until

    def _call(self, noted: Sequence[Candidate], looked: Looked) -> list[Candidate]:
        try:
            results = self._results(noted)
        except SalesforceError as error:
            if type(error) is not SalesforceUnavailable:  # a plain refusal: nothing was written
                with transaction.atomic():
                    self._batch.forget_attempts(noted)
            raise
        gap = self._gateway.seconds() - looked.began
        with transaction.atomic():
            return self._batch.record(noted, results, timedelta(seconds=gap))

    def _results(self, noted: Sequence[Candidate]) -> list[UpdateResult]:
        match self._batch.protection:
            case None:
                return [self._tried_out(noted[0])]
            case Protection.CONDITION:
                updates = [candidate.conditional_update for candidate in noted]
                return self._gateway.update_unmodified(updates)
            case _:
                return self._gateway.update_cases([candidate.update for candidate in noted])

    def _tried_out(self, candidate: Candidate) -> UpdateResult:
        """Write one Case so that it shows what protects people's words in this org.

        First under a condition that must fail: where it does, conditions are heeded, and the
        Case is written under the right one. Where it does not, the Case is written: after a
        look, as every Case is in such an org. The guard's flow leaves its mark when it runs.
        """
        has_field = self._batch.can_mark
        field = guard.FIELD if has_field else ""
        update = candidate.conditional_update
        if has_field:
            update = replace(update, fields={**update.fields, field: None})
        stale = replace(update, unmodified_since=candidate.modified - LONG_AGO)
        result, mark = self._gateway.update_and_read_back(stale, field)
        is_heeded = result.error_code == MODIFIED
        if is_heeded:
            result, mark = self._gateway.update_and_read_back(update, field)
        if result.success or (is_heeded and not has_field):
            self._batch.protection = protection.keep(
                self._batch.terms,
                heeds_conditions=is_heeded,
                mark=str(mark or ""),
                has_field=has_field,
                moment=leases.now(),
            )
        else:
            self._batch.protection = Protection.CONDITION  # until a later write can show it
        return result
