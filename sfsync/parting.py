"""Parting: Cases that are deleted, merged or hidden from us, and those that come back."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sfsync.cases import CaseSnapshot
from sfsync.models import CaseEvent, CaseLink, WriteBack

Fate, Kind = CaseLink.Fate, CaseEvent.Kind
EVENTS = {Fate.DELETED: Kind.DELETED, Fate.MERGED: Kind.MERGED, Fate.UNSEEN: Kind.UNSEEN}


def note_gone(case_ids: Iterable[str], in_the_bin: Mapping[str, str], at: datetime) -> int:
    """Note that these Cases are not there any more; return how many that is news for.

    ``in_the_bin``: the deleted ones → the Case each was merged into, as the gateway tells it.
    That Case is read again: it has their e-mails and comments now. One transaction.
    """
    number = 0
    for case_id in case_ids:
        master = in_the_bin.get(case_id)
        fate = Fate.UNSEEN if master is None else (Fate.MERGED if master else Fate.DELETED)
        link = CaseLink.objects.filter(case_id=case_id).exclude(
            gone_at__isnull=False, fate=fate
        )
        known = link.first()
        if known is None:
            continue
        number += CaseLink.objects.mark_gone([case_id], at, fate)
        if master:
            CaseLink.objects.filter(pk=known.pk).update(merged_into=master)
            CaseLink.objects.mark_due([master], at)
        CaseEvent.objects.note(known.pk, EVENTS[fate], at, master or "")
    return number


def note_changes(before: CaseLink, case: CaseSnapshot, at: datetime) -> None:
    """Note what happened to a Case since it was last read, and what follows from it.

    ``before``: as we knew it. Nothing that was decided is decided anew by any of this. The
    caller's transaction.
    """
    if before.fate:
        CaseEvent.objects.note(before.pk, Kind.RETURNED, at)
        _write_after_all(before, at)
    if before.read_at is None:
        return
    if before.is_closed and not case.is_closed:
        CaseEvent.objects.note(before.pk, Kind.REOPENED, at)
    if before.owner_name and before.owner_name != case.owner_name[:255]:
        told = f"{before.owner_name[:120]} → {case.owner_name[:120]}"
        CaseEvent.objects.note(before.pk, Kind.OWNER, at, told)


def _write_after_all(link: CaseLink, at: datetime) -> None:
    """Let what was not written because the Case was gone be written now, if it still stands."""
    ended = WriteBack.objects.filter(
        case_link=link, outcome=WriteBack.Outcome.GONE, decision__superseded_at=None
    )
    ended.make_due(at)
