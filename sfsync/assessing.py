"""Assessing: what an org's own past promises, read from Salesforce and never written to it."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from django.db import transaction

from classifier import leases
from classifier.engine.errors import NothingToLearn
from classifier.engine.example import Example
from classifier.engine.features import words_of
from classifier.engine.folding import fold
from classifier.engine.prospects import LabelProspect, Prospect, Share
from classifier.errands import ErrandFailed, Run
from classifier.models.remit import within_remit
from classifier.models.transcript import digest, to_rows
from sfsync import gateway as gateways
from sfsync.assessment_page import WORST, doubtful, html_of
from sfsync.calls import Purpose, under
from sfsync.errors import SalesforceError, WrongOrg
from sfsync.gateway import SalesforceGateway
from sfsync.history_reading import PastCase, past_cases
from sfsync.models import AssessedCase, Assessment, Connection, FieldMapping
from sfsync.picklists import FieldsUnusable, Level, levels_of
from sfsync.source_switch import readers_in_use
from sfsync.sources import SourceReader
from sfsync.sources.description import DescriptionSource

if TYPE_CHECKING:
    from classifier.engine.assessment import Assessed

logger = logging.getLogger(__name__)

ERRAND = "assess"
MOST_CASES = 50_000
FILE_NAME = "assessment.html"
WORTH_RESUMING = timedelta(days=1)
"""An older reading that broke off is begun anew: the Cases have changed since."""
READ_UNTIL = 0.3
"""Share of the whole that reading takes, for the progress bar."""
FEWEST_CASES = 20
ROWS_AT_ONCE = 1_000
MOST_MIX_UPS = 50
LENGTHS = (10, 20, 50, 100, 200, 500, 1_000, 3_000)
"""Upper ends, in words, of the bars of the picture of lengths; the last bar has none."""
HIGHEST_ODDS = 1e6
SEPARATOR = "\x1f"
"""Joins the values of a path into a label: no picklist value holds it."""

Progress = Callable[[str, float], None]


class CannotAssess(Exception):
    """There is nothing to assess, or nothing that can be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be assessed."""

    fields: tuple[str, ...] = ()
    """API names of the picklists, top level first; none: guessed."""
    most: int = MOST_CASES
    every_source: bool = False

    @classmethod
    def from_parameters(cls, found: Mapping[str, Any]) -> "Question":
        return cls(tuple(found["fields"]), int(found["most"]), bool(found["every_source"]))

    def to_parameters(self) -> dict[str, Any]:
        return {
            "fields": list(self.fields),
            "most": self.most,
            "every_source": self.every_source,
        }


def do_assess(run: Run) -> Mapping[str, Any]:
    """Do the errand ``assess``: the report stays, and is attached as a page of its own."""
    question = Question.from_parameters(run.parameters)
    try:
        assessment = assess_org(
            gateways.open(), question, by=run.errand.asked_by, on_progress=run.say
        )
    except (CannotAssess, SalesforceError) as error:
        raise ErrandFailed(str(error)) from error
    theirs = doubtful(assessment)
    if run.errand.asked_by:
        theirs = within_remit(theirs, run.errand.asked_by)
    page = html_of(assessment, list(theirs[:WORST]))
    run.attach(FILE_NAME, "text/html", [page.encode()])
    return {"assessment": assessment.pk, "told": headline(assessment)}


def headline(assessment: Assessment) -> str:
    """Return the answer in a sentence."""
    promised = assessment.report["prospects"][-1]
    return (
        f"With {100 * promised['target']:.0f} % of its tags right, automation could tag about"
        f" {100 * promised['automated']['share']:.0f} % of these Cases;"
        f" {assessment.report['doubtful']:,} tags of today look wrong."
    )


def assess_org(
    gateway: SalesforceGateway,
    question: Question,
    *,
    by: Any = None,
    on_progress: Progress | None = None,
) -> Assessment:
    """Read closed Cases with their tags, and return what they promise.

    Nothing is written to Salesforce. A reading that broke off a short while ago goes on where
    it stopped. The words of earlier assessments are deleted once this one is done; their
    figures stay. ``by`` is the user who asks.

    Raises:
        CannotAssess: no such fields, or too few Cases with a tag and words.
        SalesforceError: what was read so far is kept.
    """
    tell = on_progress or _tell_nobody
    with under(Purpose.BACKFILL):
        before = gateway.calls
        assessment = _begun(gateway, question, by)
        if assessment.read_at is None:
            _read(gateway, assessment, before, tell)
    _judge(assessment, tell)
    AssessedCase.objects.exclude(assessment=assessment).delete()
    logger.info(
        "assessment=%d cases=%d calls=%d", assessment.pk, assessment.seen, assessment.calls
    )
    return assessment


def _begun(gateway: SalesforceGateway, question: Question, by: Any) -> Assessment:
    """Return the assessment to go on with, or a new one."""
    identity, pinned = gateway.identity(), Connection.current().org_id
    if pinned and pinned != identity.org_id:
        raise WrongOrg(pinned=pinned, met=identity.org_id)
    ours = set(FieldMapping.objects.values_list("field", flat=True))
    try:
        levels = levels_of(gateway.describe("Case"), question.fields, ours=ours)
    except FieldsUnusable as error:
        raise CannotAssess(str(error)) from error
    at = leases.now()
    asked = {
        "fields": [level.field for level in levels],
        "every_source": question.every_source,
        "most": question.most,
        "org_id": identity.org_id,
    }
    broken_off = Assessment.objects.filter(
        **asked, finished_at=None, started_at__gt=at - WORTH_RESUMING
    ).first()
    return broken_off or Assessment.objects.create(
        **asked,
        org_name=identity.org_name,
        asked_by_id=by.pk if by else None,
        started_at=at,
        levels=[level.to_dict() for level in levels],
    )


def _read(
    gateway: SalesforceGateway, assessment: Assessment, calls_before: int, tell: Progress
) -> None:
    """Store page after page; each stands by itself, so that a broken reading can go on."""
    readers: Sequence[SourceReader] = [DescriptionSource()]
    if assessment.every_source:
        readers = readers_in_use(gateway, leases.now())
    calls = assessment.calls
    pages = past_cases(
        gateway,
        assessment.fields,
        readers,
        most=assessment.most - assessment.seen,
        after=assessment.last_case_id,
    )
    for page in pages:
        with transaction.atomic():
            AssessedCase.objects.bulk_create(
                [_row(assessment, past) for past in page],
                ignore_conflicts=True,
                batch_size=ROWS_AT_ONCE,
            )
            assessment.seen += len(page)
            assessment.last_case_id = page[-1].case.case_id
            assessment.calls = calls + gateway.calls - calls_before
            assessment.save(update_fields=["seen", "last_case_id", "calls"])
        tell(
            f"{assessment.seen:,} closed Cases read",
            READ_UNTIL * assessment.seen / assessment.most,
        )
    assessment.read_at = leases.now()
    assessment.calls = calls + gateway.calls - calls_before
    assessment.save(update_fields=["read_at", "calls"])


def _row(assessment: Assessment, past: PastCase) -> AssessedCase:
    case = past.case
    return AssessedCase(
        assessment=assessment,
        case_id=case.case_id,
        case_number=case.case_number[:30],
        path=list(past.path),
        turns=to_rows(past.turns),
        digest=digest(past.turns),
        origin=case.origin[:80],
        language=case.language[:16],
        queue=case.queue[:120],
        team=case.team[:120],
    )


def _judge(assessment: Assessment, tell: Progress) -> None:
    """Let the engine judge what was read, and write its answer down."""
    # Only here: it learns, with scipy, which a worker that decides would hold for nothing.
    from classifier.engine.assessment import assess  # noqa: PLC0415

    levels = [Level.from_dict(found) for found in assessment.levels]
    facts = _Facts()
    examples, paths = _examples(assessment, levels, facts)
    if len(examples) < FEWEST_CASES:
        raise CannotAssess(_too_few(assessment, facts, len(examples)))
    try:
        found = assess(
            examples,
            on_progress=lambda said, share: tell(said, READ_UNTIL + (1 - READ_UNTIL) * share),
        )
    except NothingToLearn as error:
        raise CannotAssess(
            f"The tags of these Cases cannot be learnt from: {error}."
        ) from error
    with transaction.atomic():
        _write_doubts(assessment, found, paths)
        assessment.report = _report(found, paths, levels, facts)
        assessment.finished_at = leases.now()
        assessment.save(update_fields=["report", "finished_at"])


class _Facts:
    """What is told of the Cases besides their tags."""

    def __init__(self) -> None:
        self.without_words = 0
        self.inactive: Counter[str] = Counter()
        self.languages: Counter[str] = Counter()
        self.channels: Counter[str] = Counter()
        self.lengths: list[int] = []

    def note(self, row: AssessedCase, words: int) -> None:
        self.languages[row.language or "not told"] += 1
        self.channels[row.origin or "not told"] += 1
        self.lengths.append(words)

    def to_dict(self) -> dict[str, Any]:
        bars = Counter(
            next((end for end in LENGTHS if words <= end), 0) for words in self.lengths
        )
        return {
            "without_words": self.without_words,
            "inactive": _counted(self.inactive),
            "languages": _counted(self.languages),
            "channels": _counted(self.channels),
            "lengths": [[end, bars[end]] for end in (*LENGTHS, 0)],
            "median_words": median(self.lengths) if self.lengths else 0,
        }


def _counted(counter: Counter[str]) -> list[list[Any]]:
    """Return names with their numbers, most frequent first, as JSON holds them."""
    return [list(each) for each in sorted(counter.items(), key=lambda one: (-one[1], one[0]))]


def _examples(
    assessment: Assessment, levels: Sequence[Level], facts: _Facts
) -> tuple[list[Example], dict[str, tuple[str, ...]]]:
    """Return what can be learnt from, and label → path of values."""
    examples, paths = [], {}
    for row in assessment.cases.order_by("id").iterator(chunk_size=ROWS_AT_ONCE):
        words = row.words
        count = sum(len(words_of(fold(turn.text).text)) for turn in words.turns)
        off = [
            value
            for level, value in zip(levels, row.path, strict=False)
            if level.is_inactive(value)
        ]
        if not count:
            facts.without_words += 1
        elif off:
            facts.inactive[off[0]] += 1
        else:
            label = SEPARATOR.join(row.path)
            paths[label] = tuple(row.path)
            examples.append(Example(words, frozenset([label]), row.case_id))
            facts.note(row, count)
    return examples, paths


def _too_few(assessment: Assessment, facts: _Facts, usable: int) -> str:
    fields = ", ".join(assessment.fields)
    if not assessment.seen:
        return (
            f"No closed Case has a value in {assessment.fields[0]}. Name the picklist that your"
            " representatives fill in, and look whether the integration user may see the Cases."
        )
    told = (
        f"Of {assessment.seen:,} closed Cases with a value in {fields} {usable:,} can be learnt"
        f" from; {FEWEST_CASES} are the least."
    )
    if facts.without_words:
        told += (
            f" {facts.without_words:,} have no words here: if they are in e-mails, chats or calls,"
            " ask for every source."
        )
    if retired := assessment.seen - usable - facts.without_words:
        told += (
            f" {retired:,} have a value that the picklist no longer offers: switch it on again"
            " while you assess, or name another picklist."
        )
    return told


def _write_doubts(
    assessment: Assessment, found: "Assessed", paths: Mapping[str, tuple[str, ...]]
) -> None:
    doubts = {
        found.keys[place]: (rank, place)
        for rank, place in enumerate(found.suspicion.suspects, start=1)
    }
    assessment.cases.exclude(doubt=None).update(doubt=None, suggested=[], odds=None)
    for portion in _portions(list(doubts)):
        rows = list(assessment.cases.filter(case_id__in=portion).defer("turns"))
        for row in rows:
            row.doubt, place = doubts[row.case_id]
            label = found.labels[found.suspicion.suggested[place]]
            row.suggested = list(paths[label])
            row.odds = min(float(found.suspicion.odds[place]), HIGHEST_ODDS)
        AssessedCase.objects.bulk_update(rows, ["doubt", "suggested", "odds"])


def _portions(ids: list[str]) -> list[list[str]]:
    return [ids[start : start + ROWS_AT_ONCE] for start in range(0, len(ids), ROWS_AT_ONCE)]


def _report(
    found: "Assessed",
    paths: Mapping[str, tuple[str, ...]],
    levels: Sequence[Level],
    facts: _Facts,
) -> dict[str, Any]:
    """Return the figures as JSON holds them; shares in [0, 1]."""
    names = [_names(paths[label], levels) for label in found.labels]
    return {
        "cases": len(found.keys),
        "prospects": [_prospect(each) for each in found.prospects],
        "curve": [[round(point.automated, 4), round(point.right, 4)] for point in found.curve],
        "reasons": [
            {
                "path": names[label],
                "values": list(paths[found.labels[label]]),
                "have": need.have,
                "more": need.more,
                "at": [_label_prospect(each.by_label[label]) for each in found.prospects],
            }
            for label, need in enumerate(found.needs)
        ],
        "mix_ups": [
            {
                "one": names[each.one],
                "other": names[each.other],
                "confused": each.confused,
                "twins": each.twins,
                "texts": each.texts,
            }
            for each in found.mix_ups[:MOST_MIX_UPS]
        ],
        "noise": round(found.suspicion.noise, 4),
        "doubtful": len(found.suspicion.suspects),
        **facts.to_dict(),
    }


def _names(path: Sequence[str], levels: Sequence[Level]) -> list[str]:
    """Return what people read, top level first."""
    return [level.label_of(value) for level, value in zip(levels, path, strict=False)]


def _prospect(one: Prospect) -> dict[str, Any]:
    return {
        "target": one.target,
        "threshold": one.threshold,
        "automated": _share(one.automated),
        "right": _share(one.right),
    }


def _label_prospect(one: LabelProspect) -> dict[str, Any]:
    return {"automated": _share(one.automated), "right": _share(one.right)}


def _share(share: Share) -> dict[str, Any]:
    low, high = share.interval
    value = share.value
    return {
        "count": share.count,
        "of": share.of,
        "share": None if value is None else round(value, 4),
        "low": round(low, 4),
        "high": round(high, 4),
    }


def _tell_nobody(_doing: str, _share: float) -> None:
    """Hear of progress and say nothing."""
