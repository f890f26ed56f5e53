import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from classifier.models import KeywordRule
from sfsync.local_org.faults import RowError
from sfsync.local_org.org import LocalOrg
from sfsync.local_org.records import Record, Said
from sfsync.models import Connection, Mode, WriteBack
from tests.classifier.making import a_category

REFUND = "billing.refund"


def load(org: LocalOrg, *texts: str) -> list[str]:
    return org.load(
        Record(f"case-{number}", (Said("customer", text),), "web", "A question")
        for number, text in enumerate(texts)
    )


def sync(*options: str) -> dict[str, object]:
    out = StringIO()
    call_command("sync", "--once", *options, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue().splitlines()[-1])


def on_case(org: LocalOrg, case_id: str) -> object:
    return org.row("Case", case_id).get("Contact_Reason__c")


@pytest.fixture
def rules(db: None) -> None:
    category = a_category(REFUND, "Refund", parent=a_category("billing", "Billing"))
    KeywordRule.objects.create(
        name="Refund", category=category, any_of="refund", is_certain=True
    )
    Connection.current()
    Connection.objects.update(mode=Mode.AUTOMATIC)


@pytest.fixture
def org(connected: LocalOrg, rules: None) -> LocalOrg:
    connected.deploy_contact_reason(["billing", REFUND])
    return connected


def test_cases_are_pulled_decided_and_written_in_one_run(org):
    sure, unsure = load(org, "Where is my refund?", "Hello, hello.")

    told = sync()

    assert {name: told[name] for name in ("pulled", "decided", "abstained", "written")} == {
        "pulled": 2,
        "decided": 1,
        "abstained": 1,
        "written": 2,
    }
    assert (on_case(org, sure), on_case(org, unsure)) == (REFUND, None)
    assert (told["failed"], told["ceded"]) == (0, 0)
    assert told["api_calls"] == org.ledger.api_calls


def test_a_second_run_finds_nothing_to_do(org):
    load(org, "Where is my refund?")
    sync()

    told = sync()

    assert (told["pulled"], told["written"], len(org.ledger.api_writes())) == (0, 0, 1)


def test_in_shadow_mode_nothing_is_written_and_people_are_told_why(org):
    Connection.objects.update(mode=Mode.SHADOW)
    load(org, "Where is my refund?")
    out = StringIO()

    call_command("sync", "--once", stdout=out)

    assert org.ledger.api_writes() == []
    assert "shadow mode" in out.getvalue()


def test_a_case_given_up_ends_the_run_with_an_error(org):
    (case_id,) = load(org, "Where is my refund?")
    org.faults.row_errors = {case_id: RowError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No.")}

    with pytest.raises(CommandError, match="1 Cases were given up"):
        sync()


def test_without_waiting_a_locked_case_is_left_for_later(org):
    (case_id,) = load(org, "Where is my refund?")
    org.faults.locked = {case_id}

    told = sync()

    assert (told["written"], told["failed"], told["waiting"]) == (0, 0, 1)


def test_with_waiting_a_lost_answer_is_settled_in_the_same_run(org):
    (case_id,) = load(org, "Where is my refund?")
    org.faults.lost_answers = 1

    told = sync("--wait", "20")

    assert (told["written"], told["waiting"]) == (1, 0)
    assert org.ledger.writes_by_case() == {case_id: 1}


def test_with_waiting_an_outage_is_sat_out(org):
    (case_id,) = load(org, "Where is my refund?")
    org.faults.outages = 1

    assert sync("--wait", "20")["written"] == 1
    assert on_case(org, case_id) == REFUND


def test_an_outage_without_waiting_is_told_in_one_sentence(org):
    org.faults.outages = 1

    with pytest.raises(CommandError, match="Salesforce"):
        sync()


def test_a_persons_value_is_counted_as_ceded(org):
    (case_id,) = load(org, "Where is my refund?")
    org.people.edit_case(case_id, {"Contact_Reason__c": "billing"})

    told = sync()

    assert (told["ceded"], told["written"]) == (1, 0)


def test_missing_settings_are_told_in_one_sentence(db):
    with pytest.raises(CommandError, match="SALESFORCE_DOMAIN"):
        sync()


def test_a_revoked_app_is_told_in_one_sentence(org):
    load(org, "Where is my refund?")
    org.app.client_secret = "changed"

    with pytest.raises(CommandError, match="refused the login"):
        sync()

    assert not WriteBack.objects.exists()


def test_a_spent_allowance_is_told_as_long_as_it_lasts(org):
    load(org, "Where is my refund?")
    org.faults.allowance_spent = 1
    with pytest.raises(CommandError, match="API calls of the last 24 hours are used up"):
        sync()
    out = StringIO()

    call_command("sync", "--once", "--wait", "1", stdout=out, stderr=StringIO())

    assert "API calls of the last 24 hours are used up" in out.getvalue()
