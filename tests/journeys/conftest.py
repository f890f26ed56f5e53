"""A world for whole journeys: a local org behind its HTTP door, and our commands beside it."""

import io
import json
import random

import pytest
from django.core.management import call_command

from sfsync import gateway
from sfsync.local_org.http_door import HttpDoor
from sfsync.local_org.org import LocalOrg
from sfsync.local_org.records import Record, Said

CODES = ("delivery.late", "billing.refund")
WORDS = {
    "Delivery > Late": (
        "parcel tracking courier depot delayed waiting arrive delivery shipped late days Tuesday"
        " where driver doorstep promised"
    ),
    "Billing > Refund": (
        "refund money back returned jacket credited account amount paid receipt store reimburse"
        " charged euros sum owed"
    ),
}
"""Eight of its sixteen words make a text of a reason."""


@pytest.fixture
def org(settings):
    """An org with our fields deployed and nobody's Cases yet, that the settings lead to."""
    org = LocalOrg(seed=3)
    org.deploy_contact_reason(CODES)
    with HttpDoor(org) as door:
        settings.SALESFORCE_LOCAL_ORIGIN = door.origin
        settings.SALESFORCE_DOMAIN = org.my_domain
        settings.SALESFORCE_CLIENT_ID = org.app.client_id
        settings.SALESFORCE_CLIENT_SECRET = org.app.client_secret
        gateway.close()
        yield org
        gateway.close()


@pytest.fixture
def command(db):
    """Run one of our commands with --json; return its report."""

    def run(name, *arguments):
        out = io.StringIO()
        call_command(name, *map(str, arguments), json=True, stdout=out, stderr=io.StringIO())
        return json.loads(out.getvalue().strip().splitlines()[-1])

    return run


@pytest.fixture
def trained(command, tmp_path):
    """Two categories and a champion that tells them apart."""
    drawn = random.Random(1)
    records = [
        {
            "id": f"{label}-{number}",
            "text": " ".join(drawn.sample(words.split(), 8)),
            "labels": [label],
            "split": "train",
        }
        for label, words in WORDS.items()
        for number in range(60)
    ]
    path = tmp_path / "gold.jsonl"
    path.write_text("\n".join(map(json.dumps, records)))
    command("import_gold", path, "--create-categories")
    command("train")
    command("promote")


@pytest.fixture
def contact(org):
    """Let a customer open a Case by web form; return its id."""
    numbers = iter(range(1000))

    def open_case(text):
        said = (Said("customer", text),)
        return org.people.open_case(Record(f"case-{next(numbers)}", said, channel="web"))

    return open_case
