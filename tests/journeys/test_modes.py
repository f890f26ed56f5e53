"""A fresh connection watches first; only then does it write, and it stops when told to."""

import pytest
from django.conf import settings

from classifier.models import Category, KeywordRule
from sfsync import gateway
from sfsync.local_org.remote import RemoteOrg
from sfsync.models import Notice

pytestmark = pytest.mark.django_db(transaction=True)
LATE = "Where is my parcel? The courier promised delivery on Tuesday, tracking says delayed."


def reason(org, case_id):
    return org.row("Case", case_id).get("Contact_Reason__c")


@pytest.fixture
def connected(trained, org, contact, command):
    return contact(LATE)


def test_a_fresh_connection_decides_and_writes_nothing(connected, org, command):
    told = command("sync", "--once")

    assert (told["pulled"], told["decided"], told["written"]) == (1, 1, 0)
    assert org.ledger.api_writes() == []


def test_what_was_decided_in_shadow_is_written_once_the_mode_is_automatic(
    connected, org, command
):
    command("sync", "--once")

    command("set_mode", "automatic")
    told = command("sync", "--once")

    assert told["written"] == 1
    assert reason(org, connected) == "delivery.late"


def test_in_suggest_mode_the_representatives_field_stays_theirs(connected, org, command):
    command("set_mode", "suggest")

    command("sync", "--once")

    (write,) = org.ledger.api_writes()
    assert list(write.fields) == ["Contact_Reason_Suggestion__c"]
    assert reason(org, connected) is None


def test_nothing_is_written_while_paused(connected, org, command, contact):
    command("set_mode", "automatic")
    command("set_mode", "paused")

    told = command("sync", "--once")

    assert (told["decided"], told["written"]) == (1, 0)
    assert org.ledger.api_writes() == []


def test_a_persons_own_reason_is_never_overwritten(connected, org, command):
    org.people.edit_case(connected, {"Contact_Reason__c": "billing.refund"})
    command("set_mode", "automatic")

    told = command("sync", "--once")

    assert (told["ceded"], told["written"]) == (1, 0)
    assert reason(org, connected) == "billing.refund"
    assert org.ledger.api_writes() == []


def test_a_second_round_finds_nothing_to_do(connected, org, command):
    command("set_mode", "automatic")
    command("sync", "--once")

    told = command("sync", "--once")

    assert (told["pulled"], told["decided"], told["written"]) == (0, 0, 0)
    assert org.ledger.writes_by_case()[connected] == 1


def test_a_case_is_decided_again_when_the_customer_says_something_new(connected, org, command):
    KeywordRule.objects.create(
        name="Said plainly",
        category=Category.objects.get(code="billing.refund"),
        any_of="money back",
        is_certain=True,
    )
    command("set_mode", "automatic")
    command("sync", "--once")

    org.people.customer_emails(connected, "It came. Now I want my money back.")
    told = command("sync", "--once")

    assert (told["pulled"], told["decided"], told["written"]) == (1, 1, 1)
    assert reason(org, connected) == "billing.refund"


def test_a_new_category_waits_with_one_notice_until_its_value_is_deployed(
    trained, org, command, contact, tmp_path
):
    lending = Category.objects.at_path(["Lending", "Zebra"], create=True)
    KeywordRule.objects.create(name="Zebra", category=lending, any_of="zebra", is_certain=True)
    command("set_mode", "automatic")
    cases = [contact("May I borrow a zebra?"), contact("A zebra, please.")]
    assert command("sync", "--once")["held"] == 2
    (notice,) = Notice.objects.filter(cleared_at=None)
    assert "“lending.zebra”" in notice.text

    told = command("salesforce_metadata", tmp_path / "package", "--only-missing")
    assert told["fields"] == 2
    RemoteOrg(settings.SALESFORCE_LOCAL_ORIGIN).deploy(tmp_path / "package")
    gateway.close()  # as after a minute: what was known of the org is asked for again
    command("sync", "--once")

    assert [reason(org, case) for case in cases] == ["lending.zebra"] * 2
    assert not Notice.objects.filter(cleared_at=None).exists()


@pytest.mark.parametrize("step", ["first reply", "closing"])
def test_a_case_is_decided_again_at_first_reply_and_at_closing(connected, org, command, step):
    command("set_mode", "automatic")
    command("sync", "--once")

    if step == "closing":
        org.people.close_case(connected)
    else:
        org.people.reply(connected, "We have asked the courier.")
    told = command("sync", "--once")

    assert (told["pulled"], told["decided"]) == (1, 1)


def test_a_written_reason_stays_when_the_new_words_leave_it_unsure(connected, org, command):
    command("set_mode", "automatic")
    command("sync", "--once")

    org.people.customer_emails(connected, "I have a receipt and the account, refund or store?")
    command("sync", "--once")

    assert reason(org, connected) == "delivery.late"
    assert org.ledger.writes_by_case()[connected] == 1
