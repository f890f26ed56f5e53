"""A small lively world to look at: what the pages show after some days of work."""

import random
from datetime import datetime, timedelta

from classifier.models import Category, Decision, Transcript
from sfsync.models import CaseLink, FieldMapping, Source, WriteBack
from tests import factories as make

TREE = {
    "Billing": ["Refund", "Invoice question", "Card declined"],
    "Delivery": ["Late parcel", "Wrong address", "Damaged on arrival"],
    "Account": ["Cannot sign in", "Change of details", "Close the account"],
    "Product": ["How does it work", "Fault"],
}
SAID = {
    "Refund": "Hello, I sent the shoes back two weeks ago and I still do not have my money back.",
    "Invoice question": "Why is there a service fee on my last invoice? Nobody told me about it.",
    "Card declined": "My card was declined three times although there is enough money on it.",
    "Late parcel": "My parcel was promised for Monday and it has still not arrived.",
    "Wrong address": "I typed the wrong house number, can you still change the address?",
    "Damaged on arrival": "The box was torn open and the glass is broken.",
    "Cannot sign in": "I cannot sign in any more, the reset mail never comes.",
    "Change of details": "I married and my surname is different now. Please change it.",
    "Close the account": "Please close my account and delete everything you have about me.",
    "How does it work": "How do I connect the scale to the app on my phone?",
    "Fault": "Since the update the screen stays black. I tried to charge it all night.",
}


REFUSED = {
    "error_code": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    "error_text": "A closed Case needs an owner.",
}


def categories() -> dict[str, Category]:
    found = {}
    for top, leaves in TREE.items():
        parent = make.make_category(top)
        found[top] = parent
        for leaf in leaves:
            found[leaf] = make.make_category(leaf, parent)
    return found


def conversation(category: Category, said: str, at: datetime, **decision: object) -> Decision:
    """Return a decision on a three-turn conversation, with evidence in the customer's words."""
    case = make.make_case_link(case_created_at=at, read_at=at)
    transcript = make.make_transcript(
        make.turn(said, at=at),
        make.turn(
            "Thank you for writing. May I have the order number?",
            "representative",
            at + timedelta(minutes=9),
        ),
        make.turn("It is 4711-22. Please be quick.", at=at + timedelta(minutes=14)),
        thread=case.case_id,
        received_at=at,
        decided_at=at,
        moment="replied",
        context={"Origin": "Email", "Status": "New", "Product": "Runner 3", "Language": "en"},
    )
    made = make.make_decision(
        transcript=transcript,
        category=category,
        decided_at=at,
        staged_at=at,
        contacted_at=at,
        channel="email",
        language="en",
        product="Runner 3",
        **decision,
    )
    if made.confidence is not None:
        _with_reason(made, said)
    elif category is None:
        _with_guesses(made, said)
    return made


def ground(
    said: str,
    words: str,
    *,
    at: int | None = None,
    weight: float,
    rule: str = "",
    term: str = "",
) -> dict[str, object]:
    """Return one piece of evidence: ``words`` in the first turn, where they stand first."""
    start = said.index(words) if at is None else at
    return {
        "turn": 0,
        "start": start,
        "end": start + len(words),
        "rule": rule,
        "term": term,
        "weight": weight,
    }


def _with_reason(decision: Decision, said: str) -> None:
    words = said.split()
    found = " ".join(words[-3:]).rstrip(".?")
    start = said.index(found)
    first = words[3].strip(",.")
    evidence = [
        ground(said, found, rule="Said plainly", weight=0.95),
        ground(said, found.split()[0], at=start, term=found.split()[0], weight=0.92),
        ground(said, first, term=first, weight=0.61),
    ]
    by_model = decision.source in ("model", "both")
    by_rule = decision.source in ("rules", "both")
    make.make_reason(
        decision,
        score=decision.confidence,
        rule_score=0.95 if by_rule else None,
        model_score=0.91 if by_model else 0.34,
        ground=decision.source,
        evidence=[e for e in evidence if by_model or e["rule"]] if by_rule else evidence[1:],
    )


def _with_guesses(decision: Decision, said: str) -> None:
    leaves = Category.objects.exclude(parent=None).order_by("code")[:3]
    first = said.split(maxsplit=1)[0]
    for rank, category in enumerate(leaves):
        make.make_reason(
            decision,
            category=category,
            rank=rank,
            is_suggestion=True,
            score=0.41 - rank * 0.12,
            rule_score=None,
            model_score=0.41 - rank * 0.12,
            ground="nothing",
            evidence=[ground(said, first, term=first, weight=0.4)],
        )


def lively(now: datetime, *, cases: int = 25) -> Decision:
    """Fill the database and return one decision that is worth looking at."""
    draw = random.Random(7)
    found = categories()
    make.make_connection(org_calls_used=21_400, connected_at=now - timedelta(days=9))
    make.make_api_spending(started_at=now, calls=1_284)
    Source.objects.update(checked_at=now)
    Source.objects.filter(code="messaging").update(
        is_enabled=False,
        off_because="The org has no object MessagingSession. Switch it on when you buy Messaging.",
    )
    if not FieldMapping.objects.exists():
        make.make_field_mapping(slot="primary", field="Contact_Reason__c")
        make.make_field_mapping(slot="source", field="Contact_Reason_Source__c")
    for name in ("Refund", "Late parcel", "Fault"):
        make.make_category_mapping(category=found[name], value=f"{name} (old)", mode="suggest")
    rule = make.make_rule(
        name="Said plainly",
        category=found["Refund"],
        any_of="money back\nrefund*\nwant my money",
        none_of="no refund needed",
    )
    make.make_rule(name="Parcel is late", category=found["Late parcel"], any_of="not arrived")
    make.make_rule(
        name="Not about the card",
        category=found["Card declined"],
        any_of="sim card",
        effect="veto",
    )
    model = make.make_model_version(
        number=3, stage="champion", promoted_at=now - timedelta(days=2)
    )
    make.make_model_version(number=2, stage="retired", metrics={"micro_f1": 0.89})
    make.make_model_version(number=4, stage="candidate", created_at=now - timedelta(hours=3))
    leaves = [name for leaves in TREE.values() for name in leaves]
    special = conversation(
        found["Refund"], SAID["Refund"], now - timedelta(minutes=20), source="both",
        confidence=0.97, model_version=model, rulebook_digest="3f9a77c2" * 8,
    )  # fmt: skip
    for number in range(cases):
        name = draw.choices(leaves, weights=[9, 4, 3, 8, 2, 2, 6, 1, 1, 3, 2])[0]
        source = draw.choices(
            ["rules", "model", "both", "nobody", "person"], [30, 40, 18, 10, 2]
        )[0]
        at = now - timedelta(
            minutes=draw.choice([17, 40, 95, 200, 333, 480, 700, 900, 1200]) + number
        )
        abstains = source == "nobody"
        decision = conversation(
            None if abstains else found[name],
            SAID[name],
            at,
            source=source,
            confidence=None
            if source in ("nobody", "person")
            else round(draw.uniform(0.8, 0.99), 3),
            model_version=model,
            doubt="unsure" if abstains else "",
        )
        _written(decision, at, number)
        if number % 9 == 0 and not abstains:
            make.make_feedback(
                thread=decision.thread,
                decision=decision,
                transcript=decision.transcript,
                category=found[draw.choice(leaves)],
                verdict=draw.choice(["confirmed", "corrected"]),
                source=draw.choice(["salesforce", "api"]),
                said_at=at + timedelta(minutes=30),
            )
    for number in range(7):
        make.make_transcript(
            SAID[leaves[number]], received_at=now - timedelta(seconds=20 + number)
        )
    for name in leaves[:6]:
        make.make_gold_label(transcript=make.make_transcript(SAID[name], purpose="learn"))
    make.make_notice(
        key="picklist",
        level="warning",
        text="3 Cases wait because the picklist of Contact_Reason__c lacks “product.fault”. "
        "Run “python manage.py salesforce_metadata DIR” and deploy the folder it writes.",
        count=3,
        first_at=now - timedelta(hours=5),
        last_at=now - timedelta(minutes=4),
    )
    assert rule.pk
    assert Transcript.objects.exists()
    return special


def weeks_of_contacts(now: datetime, *, weeks: int = 12) -> None:
    """Add contacts of some weeks for the report; in the last full one parcels come late.

    Needs the categories of ``lively``.
    """
    draw = random.Random(11)
    leaves = list(Category.objects.exclude(parent=None).order_by("code"))
    late = Category.objects.get(label="Late parcel")
    monday = now.replace(hour=0, minute=0, second=0, microsecond=0)
    monday -= timedelta(days=monday.weekday())
    planned = [
        (draw.choices([None, *leaves], [8, *range(4, 4 + len(leaves))])[0], back)
        for back in range(weeks)
        for _ in range(draw.randint(130, 160))
    ]
    planned += [(late, 1)] * 60
    moments = [
        (category, monday - timedelta(weeks=back) + timedelta(minutes=draw.randrange(7 * 1440)))
        for category, back in planned
    ]
    moments = [(category, at) for category, at in moments if at < now]
    transcripts = Transcript.objects.bulk_create(
        Transcript(
            thread=make.case_id(9_000_000 + number), turns=[make.turn("Hello?", at=at)],
            digest=f"{number:064d}", customer_digest=f"{number:064d}",
            received_at=at, decided_at=at,
        )
        for number, (_, at) in enumerate(moments)
    )  # fmt: skip
    Decision.objects.bulk_create(
        Decision(
            thread=transcript.thread,
            transcript=transcript,
            category=category,
            source=draw.choices(["rules", "model", "both", "person"], [4, 5, 2, 1])[0]
            if category
            else "nobody",
            doubt="" if category else "unsure",
            decided_at=at,
            contacted_at=at,
            staged_at=at,
            channel=draw.choices(["email", "chat", "voice", "messaging"], [5, 3, 2, 2])[0],
            language=draw.choices(["en", "es", "zh-Hant"], [8, 2, 1])[0],
            product=draw.choice(["Runner 3", "Scale X", "Trail 2", ""]),
            team=draw.choice(["North", "South"]),
            queue=draw.choice(["Support", "Returns"]),
            is_audit=bool(category) and number % 20 == 0,
            audit_probability=0.05 if category else 0.0,
        )
        for number, (transcript, (category, at)) in enumerate(
            zip(transcripts, moments, strict=True)
        )
    )
    audited = Decision.objects.filter(is_audit=True, source__in=["rules", "model", "both"])
    for number, decision in enumerate(audited):
        make.make_feedback(
            thread=decision.thread,
            decision=decision,
            transcript=decision.transcript,
            category=leaves[0] if number % 14 == 0 else decision.category,
            verdict="confirmed",
            is_blind=True,
        )


def _written(decision: Decision, at: datetime, number: int) -> None:
    reason = decision.category.code if decision.category else ""
    ending = {
        0: {"outcome": "ceded"},
        1: {"held_because": "shadow"},
        2: {},
        3: {"held_because": "picklist", "hold_detail": reason},
        4: {"outcome": "dead", **REFUSED},
    }.get(number % 23, {"outcome": "delivered"})  # fmt: skip
    fields = {
        "Contact_Reason__c": reason or None,
        "Contact_Reason_Source__c": decision.get_source_display(),
        "Contact_Reason_Confidence__c": decision.confidence
        and round(decision.confidence * 100, 2),
    }
    make.make_write_back(
        decision=decision,
        case_link=CaseLink.objects.get(case_id=decision.thread),
        fields=fields,
        sent_fields=fields if ending.get("outcome") == "delivered" else {},
        staged_at=at,
        due_at=at if not ending else None,
        ended_at=at + timedelta(seconds=3) if "outcome" in ending else None,
        attempts=1 if "outcome" in ending else 0,
        **ending,
    )
    assert WriteBack.objects.exists()
