"""An org whose representatives have tagged closed Cases for a while, not always rightly."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from sfsync.local_org.org import LocalOrg
from sfsync.local_org.records import Record, Said
from sfsync.local_org.schema import Field, Kind, PicklistValue
from sfsync.local_org.state import Change

AREA, REASON = "Reason_Area__c", "Reason_Detail__c"
WORDS = {
    ("BILL", "refund"): "refund money back returned jacket credited account paid receipt owed",
    ("BILL", "invoice"): "invoice copy pdf tax number address statement missing month company",
    ("BILL", "double"): "charged twice duplicate two payments bank same amount again debit",
    ("SHIP", "late"): "parcel tracking courier depot delayed waiting arrive delivery late days",
    (
        "SHIP",
        "broken",
    ): "broken damaged cracked arrived box glass torn replace scratched dented",
    (
        "SHIP",
        "address",
    ): "moved change address street house wrong label redirect neighbour flat",
}
SMALL_TALK = "hello please thanks help order yesterday customer week could you kindly regards"
WRONG_SHARE = 0.05
AREAS = {"BILL": "Billing", "SHIP": "Shipping", "OLD": "Old area"}


@dataclass
class Past:
    """What lies in the org: the true path of each Case, and those tagged wrongly."""

    org: LocalOrg
    truths: dict[str, tuple[str, str]] = field(default_factory=dict)
    wrong: set[str] = field(default_factory=set)


def sentence(draw: random.Random, path: tuple[str, str]) -> str:
    words = draw.sample(WORDS[path].split(), 5) + draw.sample(SMALL_TALK.split(), 4)
    draw.shuffle(words)
    return " ".join(words)


def deploy_reasons(org: LocalOrg) -> None:
    def picklist(name: str, label: str, values: list[PicklistValue]) -> Field:
        return Field(name, Kind.PICKLIST, label=label, length=255, values=tuple(values))

    areas = [PicklistValue(value, label, value != "OLD") for value, label in AREAS.items()]
    details = [PicklistValue(detail, detail.title()) for _, detail in WORDS]
    fields = (
        picklist(AREA, "Reason area", areas),
        picklist(REASON, "Reason detail", details),
    )
    org.deploy_fields(fields)
    org.access.grant(org.founders.integration, "Case", [one.name for one in fields])


def close(org: LocalOrg, case_id: str, path: tuple[str, ...]) -> None:
    tags = dict(zip((AREA, REASON), path, strict=False))
    changes = {"IsClosed": True, "Status": "Closed", **tags}
    org.commit([Change("Case", case_id, changes)], ())


def fill(
    org: LocalOrg,
    *,
    each: int,
    saying: Callable[[random.Random, tuple[str, str]], str] = sentence,
    seed: int = 1,
) -> Past:
    """Let Cases be in the org, ``each`` of every reason, 5 % of them tagged wrongly."""
    draw = random.Random(seed)
    past = Past(org)
    paths = [path for path in WORDS for _ in range(each)]
    records = [
        Record(f"past-{number}", (Said("customer", saying(draw, path)),), "web", "")
        for number, path in enumerate(paths)
    ]
    ids = org.load(records)
    past.truths = dict(zip(ids, paths, strict=True))
    past.wrong = set(draw.sample(ids, round(WRONG_SHARE * len(ids))))
    for case_id, path in past.truths.items():
        others = [other for other in WORDS if other != path]
        close(org, case_id, draw.choice(others) if case_id in past.wrong else path)
    return past


@pytest.fixture
def past(org: LocalOrg) -> Past:
    deploy_reasons(org)
    return fill(org, each=25)
