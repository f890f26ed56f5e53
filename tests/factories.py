"""Rows for tests, one function per model: ``make_…(**what_matters)`` fills in the rest."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from django.contrib.auth.models import Group, Permission, User

from classifier.models import (
    Category,
    Comparison,
    Decision,
    DecisionReason,
    Errand,
    Feedback,
    GoldLabel,
    GoldReason,
    KeywordRule,
    ModelVersion,
    Prediction,
    Remit,
    Review,
    Transcript,
    Trust,
)
from sfsync.models import (
    ApiSpending,
    Backfill,
    CaseLink,
    CategoryMapping,
    Connection,
    Doorbell,
    FieldMapping,
    Notice,
    Reconciliation,
    Source,
    Watermark,
    WriteBack,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_numbers = count(1)


def make_user(*permissions: str, **fields: Any) -> User:
    """Return a staff user; ``permissions`` as in ``"sfsync.change_connection"``."""
    fields.setdefault("username", f"user{next(_numbers)}")
    user = User.objects.create_user(**{"is_staff": True, **fields})
    for name in permissions:
        app, codename = name.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    return user


def make_administrator(**fields: Any) -> User:
    return make_user(is_superuser=True, **fields)


def make_group(**fields: Any) -> Group:
    return Group.objects.create(**{"name": f"Group {next(_numbers)}", **fields})


def make_category(label: str = "", parent: Category | None = None, **fields: Any) -> Category:
    label = label or f"Reason {next(_numbers)}"
    own = label.lower().replace(" ", "_")
    code = f"{parent.code}.{own}" if parent else own
    return Category.objects.create(**{"label": label, "parent": parent, "code": code, **fields})


def make_rule(**fields: Any) -> KeywordRule:
    number = next(_numbers)
    if "category" not in fields:
        fields["category"] = make_category()
    return KeywordRule.objects.create(
        **{
            "name": f"Rule {number}",
            "any_of": "money back\nrefund*",
            "is_certain": True,
            **fields,
        }
    )


def turn(
    text: str, speaker: str = "customer", at: datetime | None = NOON
) -> dict[str, str | None]:
    return {"speaker": speaker, "text": text, "at": at.isoformat() if at else None}


def make_transcript(*said: str | dict[str, str | None], **fields: Any) -> Transcript:
    """Return a transcript; plain strings are turns of the customer."""
    turns = [turn(one) if isinstance(one, str) else one for one in said]
    turns = turns or [turn("Please send my money back.")]
    digest = hashlib.sha256(json.dumps(turns).encode()).hexdigest()
    made = {
        "thread": case_id(next(_numbers)),
        "turns": turns,
        "digest": digest,
        "customer_digest": digest,
        "channel": "email",
        "received_at": NOON,
    }
    return Transcript.objects.create(**{**made, **fields})


def make_decision(**fields: Any) -> Decision:
    """Return a standing decision; give ``category=None`` for an abstention."""
    if "transcript" not in fields:
        fields["transcript"] = make_transcript(decided_at=NOON)
    if "category" not in fields:
        fields["category"] = make_category()
    is_abstention = fields["category"] is None
    made = {
        "thread": fields["transcript"].thread,
        "source": "nobody" if is_abstention else "rules",
        "doubt": "unsure" if is_abstention else "",
        "confidence": None if is_abstention else 0.95,
        "decided_at": NOON,
    }
    return Decision.objects.create(**{**made, **fields})


def make_reason(decision: Decision, **fields: Any) -> DecisionReason:
    made = {
        "decision": decision,
        "category": decision.category,
        "rank": 0,
        "score": 0.95,
        "rule_score": 0.95,
        "ground": "rules",
        "evidence": [],
    }
    return DecisionReason.objects.create(**{**made, **fields})


def make_feedback(**fields: Any) -> Feedback:
    if "thread" not in fields:
        fields["decision"] = make_decision()
        fields["transcript"] = fields["decision"].transcript
        fields["thread"] = fields["transcript"].thread
    made = {"verdict": "confirmed", "source": "desk", "person": "Ada", "said_at": NOON}
    return Feedback.objects.create(**{**made, **fields})


def make_review(**fields: Any) -> Review:
    """Return a review that waits; give ``outcome`` for a closed one."""
    if "decision" not in fields:
        fields["decision"] = make_decision(category=None)
    made = {
        "thread": fields["decision"].thread,
        "transcript": fields["decision"].transcript,
        "kind": "unsure",
        "opened_at": NOON,
        "closed_at": NOON + timedelta(minutes=2) if fields.get("outcome") else None,
    }
    return Review.objects.create(**{**made, **fields})


def make_trust(**fields: Any) -> Trust:
    return Trust.objects.create(
        **{"source": "desk", "person": f"person{next(_numbers)}", **fields}
    )


def make_remit(**fields: Any) -> Remit:
    if "group" not in fields:
        fields["group"] = make_group()
    return Remit.objects.create(**fields)


def make_errand(**fields: Any) -> Errand:
    """Return an errand that waits; give ``done_at`` for one that is over."""
    return Errand.objects.create(**{"kind": "train", "asked_at": NOON, **fields})


def make_comparison(**fields: Any) -> Comparison:
    if "candidate" not in fields:
        fields["candidate"] = make_model_version()
    made = {"gold_digest": "cd" * 32, "figures": {}, "compared_at": NOON}
    return Comparison.objects.create(**{**made, **fields})


def make_gold_label(**fields: Any) -> GoldLabel:
    if "transcript" not in fields:
        fields["transcript"] = make_transcript(purpose="learn")
    made = {"split": "train", "source": "import", "settled_at": NOON}
    label = GoldLabel.objects.create(**{**made, **fields})
    GoldReason.objects.create(gold_label=label, category=make_category(), rank=0)
    return label


def make_model_version(**fields: Any) -> ModelVersion:
    made = {
        "number": next(_numbers),
        "sha256": "ab" * 32,
        "size_bytes": 1_234_567,
        "metrics": {"micro_f1": 0.93, "coverage": 0.71, "precision": 0.96},
        "trained_on": {"train": 150, "test": 40},
        "created_at": NOON,
    }
    return ModelVersion.objects.create(**{**made, **fields})


def make_prediction(**fields: Any) -> Prediction:
    made = {"probabilities": {"billing": 0.9}, "predicted_at": NOON}
    fields.setdefault("transcript", make_transcript())
    fields.setdefault("model_version", make_model_version())
    return Prediction.objects.create(**{**made, **fields})


def case_id(number: int) -> str:
    """Return an 18-character id that looks like a Case's."""
    return f"500{number:012d}AAA"


def make_case_link(**fields: Any) -> CaseLink:
    number = next(_numbers)
    made = {
        "case_id": case_id(number),
        "case_number": f"{number:08d}",
        "origin": "Email",
        "status": "New",
        "case_created_at": NOON,
        "read_at": NOON,
    }
    return CaseLink.objects.create(**{**made, **fields})


def make_write_back(**fields: Any) -> WriteBack:
    """Return a write-back that is due; give ``held_because`` or ``outcome`` for another."""
    if "decision" not in fields:
        fields["decision"] = make_decision()
    if "case_link" not in fields:
        fields["case_link"] = make_case_link(case_id=fields["decision"].thread)
    is_open = not fields.get("outcome")
    made = {
        "fields": {"Contact_Reason__c": "billing.refund", "Contact_Reason_Source__c": "Rules"},
        "staged_at": NOON,
        "due_at": NOON if is_open and not fields.get("held_because") else None,
        "ended_at": None if is_open else NOON + timedelta(seconds=2),
    }
    return WriteBack.objects.create(**{**made, **fields})


def make_connection(**fields: Any) -> Connection:
    """Return the one connection, connected to an org unless told otherwise."""
    made = {
        "org_id": "00D000000000001AAA",
        "org_name": "Acme Support",
        "instance_host": "acme.my.salesforce.com",
        "user_id": "005000000000001AAA",
        "connected_at": NOON,
        "org_calls_used": 1200,
        "org_calls_allowed": 100_000,
    }
    connection, _ = Connection.objects.update_or_create(id=1, defaults={**made, **fields})
    return connection


def make_category_mapping(**fields: Any) -> CategoryMapping:
    fields.setdefault("category", make_category())
    return CategoryMapping.objects.create(**fields)


def make_field_mapping(**fields: Any) -> FieldMapping:
    free = set(FieldMapping.Slot.values) - set(
        FieldMapping.objects.values_list("slot", flat=True)
    )
    made = {"slot": min(free), "field": f"Field_{next(_numbers)}__c"}
    return FieldMapping.objects.create(**{**made, **fields})


def make_source(**fields: Any) -> Source:
    number = next(_numbers)
    return Source.objects.create(**{"code": f"source{number}", "name": f"S {number}", **fields})


def make_notice(**fields: Any) -> Notice:
    made = {
        "key": f"cause{next(_numbers)}",
        "level": "error",
        "text": "Salesforce refused the login. Renew the token, then run check_salesforce.",
        "first_at": NOON,
        "last_at": NOON,
    }
    return Notice.objects.create(**{**made, **fields})


def make_ring(**fields: Any) -> Doorbell:
    made = {
        "source": "outbound",
        "org_id": "00DHu00000000001",
        "notification_id": f"04lHu{next(_numbers):010d}",
        "case_id": f"500Hu{next(_numbers):010d}AAA",
        "received_at": NOON,
    }
    if fields.get("heard"):
        made["heard_at"] = NOON
    return Doorbell.objects.create(**{**made, **fields})


def make_watermark(**fields: Any) -> Watermark:
    return Watermark.objects.create(**{"sobject": f"Object{next(_numbers)}__c", **fields})


def make_api_spending(**fields: Any) -> ApiSpending:
    made = {"started_at": NOON - timedelta(days=next(_numbers)), "purpose": "scan", "calls": 40}
    return ApiSpending.objects.create(**{**made, **fields})


def make_backfill(**fields: Any) -> Backfill:
    span = {"created_from": NOON, "created_to": NOON + timedelta(days=1), "asked_at": NOON}
    return Backfill.objects.create(**{**span, **fields})


def make_reconciliation(**fields: Any) -> Reconciliation:
    """A weekly check that came to its end and found nothing."""
    span = {"since": NOON - timedelta(days=30), "until": NOON, "swept_until": NOON}
    run = {"slice_seconds": 86_400, "started_at": NOON, "ended_at": NOON}
    return Reconciliation.objects.create(**{**span, **run, **fields})
