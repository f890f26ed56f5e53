"""Another process can read the ledger and play the people, at local addresses only."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sfsync.local_org.http_door import HttpDoor
from sfsync.local_org.records import Record, Said
from sfsync.local_org.remote import RefusedByOrg, RemoteOrg

ROOT = Path(__file__).resolve().parents[3]
QUIET = {"Sforce-Auto-Assign": "FALSE"}
pytestmark = pytest.mark.enable_socket


@pytest.fixture
def remote(org):
    org.load([Record("r", (Said("customer", "x"),), "web")])
    with HttpDoor(org) as door:
        yield RemoteOrg(door.origin)


@pytest.fixture
def case_id(org, remote):
    return next(iter(org.table("Case")))["Id"]


def test_the_ledger_of_an_untouched_org_is_empty(remote):
    ledger = remote.ledger()

    assert (ledger["cases"], ledger["api_calls"], ledger["writes"]) == (1, 0, 0)
    assert ledger["most_writes_of_a_case"] == 0


def test_the_ledger_counts_what_the_api_wrote(remote, sf, case_id):
    for priority in ("Low", "High"):
        sf.Case.update(case_id, {"Priority": priority}, headers=QUIET)
    remote.edit_case(case_id, {"Priority": "Medium"})

    ledger, writes = remote.ledger(), remote.writes()

    assert ledger["writes_by_case"] == {case_id: 2}
    assert (ledger["writes"], ledger["cases_written"]) == (2, 1)
    assert ledger["most_writes_of_a_case"] == 2
    assert (ledger["people_writes"], ledger["api_calls"], ledger["logins"]) == (1, 2, 1)
    assert [one["by_api"] for one in writes] == [True, True, False]
    assert writes[0]["fields"] == {"Priority": "Low"}
    assert writes[0]["headers"] == {"sforce-auto-assign": "FALSE"}


def test_people_work_on_cases_from_afar(remote, sf, case_id):
    for way in ("reply", "comment", "email", "portal", "message"):
        assert remote.say(way, case_id, f"words by {way}")
    remote.close_case(case_id)

    assert sf.Case.get(case_id)["IsClosed"] is True
    assert sf.query("SELECT COUNT() FROM EmailMessage")["totalSize"] == 2
    assert sf.query("SELECT COUNT() FROM CaseComment")["totalSize"] == 2
    assert sf.query("SELECT COUNT() FROM MessagingSession")["totalSize"] == 1


def test_both_sides_talk_on_from_afar(remote, sf, org, case_id):
    said = [("customer", "Any news?"), ("representative", "Not yet."), ("customer", "Hm.")]

    for way in ("messages", "messages", "chat", "chat", "social"):
        assert remote.talk(way, case_id, said)
    remote.hang_up(remote.talk("take_call", case_id, said))
    document = remote.attach(case_id, "Call", "txt", "Customer: one")
    remote.replace_file(document, "Customer: two", by="Ben Cole")

    [entries] = [found for found in org.entries.values() if "0Mw" in found[0].session_id]
    assert [one.text for one in entries if one.text] == [text for _, text in said] * 2
    [chat] = sf.query("SELECT Body FROM LiveChatTranscript")["records"]
    assert chat["Body"].count("Visitor: Any news?<br>") == 2
    assert "<br>( 1m 25s )(" not in chat["Body"]
    assert sf.query("SELECT COUNT() FROM SocialPost")["totalSize"] == 3
    assert (
        sf.query("SELECT CallDisposition FROM VoiceCall")["records"][0]["CallDisposition"]
        == "completed"
    )
    latest = "SELECT VersionNumber, CreatedBy.Name FROM ContentVersion WHERE IsLatest = true"
    [version] = sf.query(latest)["records"]
    assert (version["VersionNumber"], version["CreatedBy"]["Name"]) == ("2", "Ben Cole")


def test_a_named_representative_changes_a_reason_or_takes_the_suggested_one(
    remote, sf, org, case_id
):
    org.deploy_contact_reason(["billing", "refund"])
    with pytest.raises(RefusedByOrg, match="no suggestion"):
        remote.confirm_reason(case_id)
    sf.Case.update(case_id, {"Contact_Reason_Suggestion__c": "refund"}, headers=QUIET)

    remote.confirm_reason(case_id, by="Dora Egan")
    remote.change_reason(case_id, "billing", by="Ann Bell")
    remote.automation_edits(case_id, {"Contact_Reason__c": None})

    history = sf.query(
        "SELECT NewValue, CreatedBy.Name, CreatedBy.UserType FROM CaseHistory"
        " WHERE Field = 'Contact_Reason__c' ORDER BY Id"
    )["records"]
    assert [
        (row["NewValue"], row["CreatedBy"]["Name"], row["CreatedBy"]["UserType"])
        for row in history
    ] == [
        ("refund", "Dora Egan", "Standard"),
        ("billing", "Ann Bell", "Standard"),
        (None, "Automated Process", "AutomatedProcess"),
    ]


def test_a_deleted_case_leaves_the_count(remote, case_id):
    remote.delete_case(case_id)

    assert remote.ledger()["cases"] == 0


def test_a_case_comes_in_as_described_or_as_any_of_the_feed(remote, sf):
    described = remote.new_case({"id": "n", "text": "My parcel is late", "channel": "web"})
    other = remote.new_case()

    assert sf.Case.get(described)["Description"] == "My parcel is late"
    assert sf.Case.get(other)["Description"] == "x"
    assert remote.ledger()["cases"] == 3


def test_tokens_die_from_afar(remote, sf, org):
    remote.revoke_tokens()

    sf.query("SELECT COUNT() FROM Case")

    assert org.ledger.logins == 2


def test_switches_turn_from_afar(remote, org, case_id):
    remote.set_faults(outages=2, commit_delay_seconds=30, page_size=5, locked=[case_id])

    assert (org.faults.outages, org.faults.page_size) == (2, 5)
    assert org.faults.commit_delay.total_seconds() == 30
    assert org.faults.locked == {case_id}


def test_switches_of_bulk_turn_from_afar_as_well(remote, org):
    remote.set_faults(bulk_stuck=True, bulk_failures=3, forgets_in_flight=True)
    remote.set_faults(forgets_in_flight=False)

    assert (org.faults.bulk_stuck, org.faults.bulk_failures) == (True, 3)
    assert not org.faults.forgets_in_flight


def test_nonsense_is_refused_in_a_sentence(remote, case_id):
    for call in (
        lambda: remote.set_faults(gravity=1),
        lambda: remote.set_faults(outages=-1),
        lambda: remote.edit_case("500", {}),
        lambda: remote.edit_case(case_id, {"Nonsense": "x"}),
        lambda: remote.edit_case(case_id, {"Priority": "Low"}, by="Nobody"),
        lambda: remote.say("whisper", case_id, "x"),
        lambda: remote.talk("pigeon", case_id, [("customer", "x")]),
        lambda: remote.hang_up(case_id),
        lambda: remote.new_case({"id": "n"}),
        lambda: remote.deploy(ROOT / "nowhere"),
    ):
        with pytest.raises(RefusedByOrg, match="error"):
            call()


def test_somebody_does_something(remote, org):
    _, case_id = remote.act()

    assert case_id == next(iter(org.table("Case")))["Id"]
    assert org.ledger.writes[0].by_api is False


def test_an_address_beyond_this_machine_is_refused():
    with pytest.raises(ValueError, match="not an address of a local org"):
        RemoteOrg("http://salesforce.example:80")


@pytest.mark.timeout(60)
def test_the_command_starts_an_org_tells_how_to_reach_it_and_ends_at_once(tmp_path):
    cases = tmp_path / "cases.jsonl"
    lines = [{"id": str(n), "text": "x", "split": s} for n, s in enumerate(("train", "test"))]
    cases.write_text("\n".join(json.dumps(line) for line in lines))
    key = tmp_path / "key.pem"
    command = [sys.executable, "manage.py", "local_org", "--port", "0", "--json"]
    options = ["--cases", str(cases), "--split", "test", "--private-key-out", str(key)]
    environment = {**os.environ, "SECRET_KEY": "x" * 50, "SALESFORCE_CLIENT_ID": "my-app"}
    process = subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        told = json.loads(process.stdout.readline())
        ledger = RemoteOrg(told["origin"]).ledger()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)

    assert (told["cases"], ledger["cases"]) == (1, 1)
    assert told["settings"]["SALESFORCE_CLIENT_ID"] == "my-app"
    assert told["settings"]["SALESFORCE_LOCAL_ORIGIN"] == told["origin"]
    assert key.stat().st_mode & 0o777 == 0o600
    assert process.returncode == 0
