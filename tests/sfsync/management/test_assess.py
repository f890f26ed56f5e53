import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from classifier.models import Errand
from sfsync.models import Assessment
from sfsync.tasks import run_errands
from tests import factories as make
from tests.sfsync.assessing.conftest import AREA, REASON, deploy_reasons, fill

pytestmark = pytest.mark.django_db
FIELDS = f"{AREA},{REASON}"


def run(*arguments: str) -> dict[str, object]:
    out = StringIO()
    call_command(*arguments, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue().splitlines()[-1])


@pytest.fixture
def past(connected):
    deploy_reasons(connected)
    return fill(connected, each=15)


def test_assess_writes_a_file_and_adopt_begins_with_a_dry_run(past, tmp_path):
    found = run("assess", "--fields", FIELDS, "--out", str(tmp_path / "page.html"))
    proposed = run("adopt", "--dry-run")
    made = run("adopt")

    assert (found["seen"], found["fields"]) == (90, [AREA, REASON])
    assert found["calls"] > 0
    assert "Is it worth it for us?" in (tmp_path / "page.html").read_text("utf-8")
    assert (proposed["labels"], proposed["model"]) == (made["labels"], None)
    assert made["model"] == 1
    assert past.org.ledger.writes == []


def test_a_worker_assesses_and_adopts_what_was_asked_for(past):
    asked = {"fields": [AREA, REASON], "most": 50, "every_source": True}
    Errand.objects.ask("assess", at=make.NOON, parameters=asked)

    assert run_errands() == 1

    errand = Errand.objects.get()
    assert errand.error == ""
    assert "automation could tag about" in errand.told
    assert b"viewBox" in b"".join(errand.file.content())
    assessment = Assessment.objects.get()
    assert assessment.seen == 50
    adoption = {"assessment": assessment.pk, "map_fields": False}
    Errand.objects.ask("adopt", at=make.NOON, parameters=adoption)

    assert run_errands() == 1

    assert "it is a candidate" in Errand.objects.order_by("id").last().told


def test_a_worker_says_why_it_cannot_assess(past):
    asked = {"fields": ["Nonsense__c"], "most": 50, "every_source": False}
    Errand.objects.ask("assess", at=make.NOON, parameters=asked)

    run_errands()

    assert "Case has no field Nonsense__c" in Errand.objects.get().error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("assess", "--fields", "Nonsense__c"), "no field Nonsense__c"),
        (("assess", "--limit", "50001"), "1 to 50000"),
        (("adopt",), "Make one first: assess"),
    ],
)
def test_commands_say_what_is_wrong_and_what_to_do(connected, arguments, words):
    with pytest.raises(CommandError, match=words):
        run(*arguments)
