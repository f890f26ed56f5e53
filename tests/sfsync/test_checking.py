"""The check says what works, what is missing, and how to mend it."""

import json
from collections.abc import Callable

import pytest
from django.core.management import call_command

from classifier.models import Category
from sfsync import gateway as gateways
from sfsync.cases import ApiUse
from sfsync.checking import Finding, Grade, check_org, is_ready, of_allowance
from sfsync.local_org.http_door import HttpDoor
from sfsync.local_org.schema import Field, Kind
from sfsync.models import CategoryMapping, Connection, FieldMapping, Source

pytestmark = pytest.mark.django_db
CODES = ("billing", "billing.refund", "delivery")


@pytest.fixture
def categories() -> None:
    for code in CODES:
        Category.objects.create(code=code, label=code.title())


@pytest.fixture
def ready_org(org, categories):
    org.deploy_contact_reason(CODES)
    return org


def missing(findings: list[Finding]) -> dict[str, Finding]:
    return {one.topic: one for one in findings if one.grade is Grade.MISSING}


def test_a_ready_org_is_ready(ready_org, gateway):
    findings = check_org(gateway)

    assert is_ready(findings)
    assert {one.topic for one in findings} >= {
        "settings",
        "login",
        "org",
        "source email",
        "field Contact_Reason__c",
        "API calls",
    }


def test_checking_writes_nothing_here_nor_there(ready_org, gateway):
    check_org(gateway)

    assert ready_org.ledger.writes == []
    assert Connection.current().org_id == ""
    assert not Source.objects.filter(checked_at__isnull=False).exists()


def test_without_settings_all_that_is_missing_is_told(capsys):
    gateways.close()

    with pytest.raises(SystemExit) as left:
        call_command("check_salesforce")

    told = capsys.readouterr().out
    assert left.value.code == 1
    assert "SALESFORCE_CLIENT_ID" in told
    assert ".env.example" in told


def test_a_login_that_is_refused_is_told(ready_org, gateway):
    ready_org.app.approved.clear()

    findings = check_org(gateway)

    assert "pre-authorised" in missing(findings)["connection"].sentence


def test_an_org_that_does_not_answer_is_told(ready_org, gateway):
    ready_org.faults.outages_of_login = 9

    assert "HTTP 503" in missing(check_org(gateway))["connection"].sentence


def test_another_org_than_ours_is_told_and_looked_at_no_further(ready_org, gateway):
    Connection.current()
    Connection.objects.update(org_id="00D000000000009AAA")

    findings = check_org(gateway)

    assert (
        "belongs to the Salesforce org 00D000000000009AAA" in missing(findings)["org"].sentence
    )
    assert findings[-1].topic == "org"


def test_an_object_that_an_org_may_do_without_is_a_note(ready_org, gateway):
    ready_org.remove_sobject("MessagingSession")

    findings = check_org(gateway)

    (note,) = [one for one in findings if one.grade is Grade.NOTE]
    assert note.topic == "source messaging"
    assert is_ready(findings)


def test_a_field_that_we_may_not_read_is_named(ready_org, gateway):
    ready_org.access.hide(ready_org.founders.integration, "EmailMessage", "TextBody")

    assert "TextBody" in missing(check_org(gateway))["source email"].sentence


def test_fields_that_are_not_deployed_are_named_with_the_remedy(org, categories, gateway):
    found = missing(check_org(gateway))

    assert len(found) == FieldMapping.objects.filter(is_active=True).count()
    assert "no field Contact_Reason__c" in found["field Contact_Reason__c"].sentence
    assert "salesforce_metadata" in found["field Contact_Reason__c"].remedy


def test_a_field_that_we_may_not_write_is_named(ready_org, gateway):
    ready_org.access.freeze(ready_org.founders.integration, "Case", "Contact_Reason__c")

    found = missing(check_org(gateway))

    assert "may not write Contact_Reason__c" in found["field Contact_Reason__c"].sentence


def test_a_context_field_that_the_org_lacks_is_named(ready_org, gateway):
    Connection.current()
    Connection.objects.update(extra_case_fields=["Status", "Teir__c"])

    found = missing(check_org(gateway))

    assert [topic for topic in found if topic.startswith("context")] == ["context Teir__c"]


def test_a_field_of_the_wrong_type_is_named(ready_org, gateway):
    ready_org.deploy_fields([Field("Sure__c", Kind.STRING, length=10)])
    ready_org.access.grant(ready_org.founders.integration, "Case", ["Sure__c"])
    FieldMapping.objects.filter(slot="confidence").update(field="Sure__c")

    assert "needs double or percent" in missing(check_org(gateway))["field Sure__c"].sentence


def test_picklist_values_that_the_org_lacks_are_named(ready_org, gateway):
    Category.objects.create(code="returns", label="Returns")
    Category.objects.create(code="old", label="Old", is_active=False)

    finding = missing(check_org(gateway))["field Contact_Reason__c"]

    assert "lacks 1 of 4 values: returns" in finding.sentence
    assert "salesforce_metadata" in finding.remedy


def test_a_category_that_cannot_be_a_picklist_value_is_told(ready_org, gateway):
    category = Category.objects.get(code="billing")
    CategoryMapping.objects.create(category=category, value="Bills; and more")

    found = missing(check_org(gateway))

    assert "no semicolon" in found["field Contact_Reason__c"].sentence


def test_an_org_without_cases_is_told(ready_org, gateway):
    ready_org.remove_sobject("Case")

    found = missing(check_org(gateway))

    assert "Service Cloud" in found["Case"].remedy
    assert "no object Case" in found["source description"].sentence


def test_a_mapping_without_fields_is_told(ready_org, gateway):
    FieldMapping.objects.update(is_active=False)

    assert "nothing can be written" in missing(check_org(gateway))["field mapping"].sentence


@pytest.mark.parametrize(
    ("use", "grade"),
    [
        (ApiUse(used=10, allowed=100_000), Grade.GOOD),
        (ApiUse(used=90_000, allowed=100_000), Grade.NOTE),
        (ApiUse(used=15_000, allowed=15_000), Grade.MISSING),
        (None, Grade.NOTE),
    ],
    ids=str,
)
def test_the_daily_allowance_is_weighed(use, grade):
    assert of_allowance(use).grade is grade


def test_a_spent_allowance_is_told(ready_org, gateway):
    ready_org.api_allowance = 1

    told = missing(check_org(gateway))["connection"].sentence
    assert "The whole org has used 1 of its 1 API calls" in told


@pytest.fixture
def configured(settings, credentials) -> None:
    settings.SALESFORCE_DOMAIN = credentials.domain
    settings.SALESFORCE_CLIENT_ID = credentials.client_id
    settings.SALESFORCE_USERNAME = credentials.username
    settings.SALESFORCE_PRIVATE_KEY = credentials.private_key


def test_the_report_for_programs_is_one_object_on_the_last_line(
    ready_org, configured, settings, socket_enabled, capsys, serve: Callable[..., None]
):
    serve(ready_org)

    call_command("check_salesforce", "--json")

    captured = capsys.readouterr()
    (line,) = captured.out.splitlines()
    report = json.loads(line)
    assert report["ready"] is True
    assert {"topic", "grade", "sentence", "remedy"} == set(report["findings"][0])
    assert "Salesforce is ready." in captured.err


@pytest.fixture
def serve(settings):
    """Serve an org over HTTP, where the settings lead to it."""
    doors = []

    def served(org) -> None:
        door = HttpDoor(org)
        door.start()
        doors.append(door)
        settings.SALESFORCE_LOCAL_ORIGIN = door.origin
        gateways.close()

    yield served
    for door in doors:
        gateways.close()
        door.close()
