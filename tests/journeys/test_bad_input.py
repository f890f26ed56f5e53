"""Whatever customers send goes round: it is decided, or a person is told why not; no Case is lost."""

import json

import pytest

from classifier.models import Decision, Transcript
from sfsync.models import WriteBack

pytestmark = pytest.mark.django_db(transaction=True)
LATE = "Where is my parcel? The courier promised delivery on Tuesday, tracking says delayed."
BAD = {
    "empty": "",
    "blank": " \r\n\t\u200b\ufeff",
    "nul": "\0\0",
    "lone surrogates": "\ud83d \udc00",
    "right-to-left marks": "\u202e\u2066\u200f\u202c",
    "html": "<script>alert(1)</script><img src=x onerror=alert(2)>" + "<div>" * 5_000,
    "entities": "&#0;&#xD800;&#x110000;&lt;b&gt;&bogus;",
    "one long word": "x" * 30_000,
    "signs": "🙂" * 10_000,
}
COMMENT_CHARACTERS, MAIL_CHARACTERS = 4_000, 131_000  # more than this no org takes
WRAPPED = [f"\0\u202e{LATE}\ud83d", f"<p onclick='x'>{LATE}</p>\0", f"\ufffd\ufeff{LATE}\r\r\n"]


def write_mails(org, case_id, characters):
    """Let the customer write mails of so many characters in all."""
    for _ in range(characters // MAIL_CHARACTERS + 1):
        org.people.customer_emails(case_id, ("la " * MAIL_CHARACTERS)[:MAIL_CHARACTERS])


def read(case_id):
    return Transcript.objects.current().get(thread=case_id)


def outcomes():
    return dict(WriteBack.objects.values_list("case_link__case_id", "outcome"))


def test_whatever_a_case_holds_it_ends_written_and_the_good_ones_are_decided(
    trained, org, contact, command
):
    command("set_mode", "automatic")
    bad = [contact(text) for text in BAD.values()]
    good = [contact(text) for text in (LATE, *WRAPPED)]

    told = command("sync", "--once")

    assert (told["failed"], told["pulled"]) == (0, len(bad) + len(good))
    assert outcomes() == dict.fromkeys([*bad, *good], WriteBack.Outcome.DELIVERED)
    sources = {org.row("Case", case_id).get("Contact_Reason_Source__c") for case_id in bad}
    assert sources == {"Needs review"}
    reasons = {org.row("Case", case_id).get("Contact_Reason__c") for case_id in good}
    assert reasons == {"delivery.late"}


def test_bad_words_in_mails_comments_and_chats_go_round_too(trained, org, contact, command):
    command("set_mode", "automatic")
    cases = [contact(LATE) for _ in BAD]
    for case_id, text in zip(cases, BAD.values(), strict=True):
        org.people.customer_emails(case_id, text)
        org.people.customer_comments(case_id, text[:COMMENT_CHARACTERS])
        org.people.customer_messages(case_id, text)

    told = command("sync", "--once")

    assert (told["failed"], told["pulled"]) == (0, len(cases))
    assert outcomes() == dict.fromkeys(cases, WriteBack.Outcome.DELIVERED)


def test_ten_megabytes_are_read_and_decided(trained, org, contact, command):
    command("set_mode", "automatic")
    case_id = contact(LATE)
    write_mails(org, case_id, 10_000_000)

    told = command("sync", "--once")

    assert (told["failed"], told["written"]) == (0, 1)
    assert outcomes() == {case_id: WriteBack.Outcome.DELIVERED}
    assert read(case_id).turns[0]["text"].startswith(LATE)


def test_more_words_than_are_read_are_refused_by_name_and_a_person_is_asked(
    trained, org, contact, command
):
    command("set_mode", "automatic")
    huge, good = contact(LATE), contact(LATE)
    write_mails(org, huge, 20_000_000)

    told = command("sync", "--once")

    assert (told["failed"], told["written"]) == (0, 2)
    assert (read(huge).refused, read(huge).turns) == ("transcript_too_large", [])
    assert Decision.objects.standing().get(thread=huge).category is None
    assert org.row("Case", huge).get("Contact_Reason_Source__c") == "Needs review"
    assert "too" in org.row("Case", huge).get("Contact_Reason_Evidence__c")
    assert org.row("Case", good).get("Contact_Reason__c") == "delivery.late"


def test_a_chat_of_five_thousand_turns_is_read_and_written(trained, org, contact, command):
    command("set_mode", "automatic")
    case_id = contact(LATE)
    for number in range(5_000):
        org.people.customer_messages(case_id, f"late parcel {number}")

    told = command("sync", "--once")

    assert (told["failed"], told["decided"] + told["abstained"], told["written"]) == (0, 1, 1)
    assert len(read(case_id).turns) == 5_001


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"\xff\xfe\xfa", b"\xc3(" * 5_000, json.dumps("\ud83d").encode()]
)
def test_a_file_of_any_bytes_is_classified_by_the_command(trained, command, tmp_path, content):
    path = tmp_path / "letter.txt"
    path.write_bytes(content)

    told = command("classify", path)

    assert told["verdicts"][0]["abstained"] is True
