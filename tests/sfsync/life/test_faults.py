"""What happens to Cases, values, fields and rights in Salesforce, and what we do then.

The numbers are those of reliability-security.md 2.3; ``PROVEN`` names the tests of each, here and
elsewhere.
"""

from datetime import timedelta
from importlib import import_module

import pytest

from classifier import leases
from classifier.models import Decision, Feedback, Transcript
from sfsync.hearing import hear_changes
from sfsync.local_org.faults import RowError
from sfsync.local_org.org import LocalOrg
from sfsync.models import CaseEvent, CaseLink, FieldMapping, Notice, WriteBack
from sfsync.pulling import pull_changed
from sfsync.whereabouts import Stage, located
from tests.sfsync.conftest import OrgClock
from tests.sfsync.pushing.conftest import CODES, Desk

pytestmark = pytest.mark.django_db

PROVEN = {
    "F25": {
        "tests.sfsync.life.test_faults": [
            "test_a_value_that_the_picklist_lacks_holds_its_category_with_one_notice"
        ],
        "tests.sfsync.pushing.test_failures": [
            "test_many_cases_wait_for_a_missing_picklist_value_with_one_notice",
            "test_waiting_cases_are_written_once_the_picklist_has_the_value",
        ],
    },
    "F26": {
        "tests.sfsync.life.test_faults": [
            "test_a_field_that_is_removed_pauses_and_others_go_on"
        ],
    },
    "F27": {
        "tests.sfsync.life.test_faults": [
            "test_a_row_that_our_user_may_not_edit_is_given_up_and_others_go_on",
            "test_a_case_that_is_not_shared_any_more_says_so_and_comes_back",
        ],
    },
    "F28": {
        "tests.sfsync.life.test_faults": ["test_a_deleted_case_is_gone_and_nothing_is_written"],
    },
    "F29": {
        "tests.sfsync.life.test_faults": [
            "test_a_merged_case_leads_to_the_one_it_was_merged_into",
            "test_the_case_that_was_kept_is_read_again_with_the_words_of_both",
        ],
    },
    "F30": {
        "tests.sfsync.life.test_faults": [
            "test_a_case_out_of_the_bin_keeps_its_decision_and_is_written_after_all",
            "test_a_case_that_was_written_before_it_went_is_not_written_again",
        ],
    },
    "F31": {
        "tests.sfsync.life.test_faults": ["test_a_person_who_was_quicker_keeps_their_word"],
    },
    "F32": {
        "tests.sfsync.life.test_faults": ["test_a_person_who_chooses_the_same_confirms_it"],
    },
    "F33": {
        "tests.sfsync.life.test_faults": [
            "test_another_integration_is_left_alone_like_a_person"
        ],
    },
    "F34": {
        "tests.sfsync.life.test_faults": [
            "test_our_own_write_comes_back_as_a_confirmation_and_nothing_else"
        ],
    },
}


def test_every_fault_has_its_tests():
    assert list(PROVEN) == [f"F{number}" for number in range(25, 35)]
    missing = [
        f"{module}.{name}"
        for proofs in PROVEN.values()
        for module, names in proofs.items()
        for name in names
        if not hasattr(import_module(module), name)
    ]
    assert missing == []


@pytest.fixture
def clock() -> OrgClock:
    return OrgClock()


@pytest.fixture
def org(clock: OrgClock) -> LocalOrg:
    org = LocalOrg(clock)
    org.deploy_contact_reason(CODES)
    return org


class Life(Desk):
    """A desk whose Cases are pulled as they are in production."""

    def __init__(self, org: LocalOrg, clock: OrgClock) -> None:
        super().__init__(org)
        self.clock = clock

    def pull(self) -> None:
        self.clock.go_on(seconds=40)
        pull_changed(self.gateway)

    def hear(self) -> None:
        self.clock.go_on(seconds=40)
        hear_changes(self.gateway)

    def pulled_case(self, *codes: str) -> CaseLink:
        """A Case that was pulled and, where ``codes`` are given, decided."""
        self.clock.go_on(minutes=1)
        link = self.case()
        self.pull()
        if codes:
            self.decide(link, *codes)
            Transcript.objects.filter(thread=link.case_id).update(decided_at=leases.now())
        link.refresh_from_db()
        return link

    def written_case(self, *codes: str) -> CaseLink:
        link = self.pulled_case(*codes)
        assert self.push().written == 1
        link.refresh_from_db()
        return link

    def where(self, link: CaseLink) -> tuple[Stage, str]:
        link.refresh_from_db()
        found = located([link], leases.now())[link.pk]
        return found.stage, found.told

    def happened(self, link: CaseLink) -> list[str]:
        return [event.kind for event in link.events.order_by("at", "id")]


@pytest.fixture
def life(org: LocalOrg, clock: OrgClock) -> Life:
    return Life(org, clock)


def test_a_value_that_the_picklist_lacks_holds_its_category_with_one_notice(life):
    life.org.sobject("Case").remove("Contact_Reason__c")
    life.org.deploy_contact_reason(["billing"])
    links = [life.pulled_case("delivery.late") for _ in range(3)]
    other = life.pulled_case("billing")
    life.connect()

    life.push()

    assert {life.where(link)[0] for link in links} == {Stage.HELD}
    assert "picklist lacks the value" in life.where(links[0])[1]
    assert life.where(other)[0] is Stage.WRITTEN
    assert Notice.objects.filter(key="picklist-values-missing").count() == 1


def test_a_field_that_is_removed_pauses_and_others_go_on(life):
    life.org.remove_field("Case", "Contact_Reason_Confidence__c")
    link = life.pulled_case("billing")
    life.connect()

    life.push()

    assert life.on_case(link) == "billing"
    paused = FieldMapping.objects.get(field="Contact_Reason_Confidence__c")
    assert paused.paused_because
    assert Notice.objects.still_open().filter(text__contains=paused.field).exists()


def test_a_row_that_our_user_may_not_edit_is_given_up_and_others_go_on(life):
    denied, free = life.pulled_case("billing"), life.pulled_case("billing")
    refusal = RowError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights")
    life.org.faults.row_errors = {denied.case_id: refusal}

    life.push()

    stage, told = life.where(denied)
    assert stage is Stage.FAILED
    assert "INSUFFICIENT_ACCESS_OR_READONLY" in told
    assert life.where(free)[0] is Stage.WRITTEN


def test_a_case_that_is_not_shared_any_more_says_so_and_comes_back(life):
    link = life.pulled_case("billing")
    row = life.org.row("Case", link.case_id)
    life.org.table("Case")._rows.pop(link.case_id)
    life.push()

    assert "not shared with our user" in life.where(link)[1]
    assert life.happened(link) == []

    life.org.table("Case")._rows[link.case_id] = row
    life.org.people.edit_case(link.case_id, {"Priority": "High"})
    life.pull()

    assert life.happened(link) == ["returned"]
    assert life.push().written == 1


def test_a_deleted_case_is_gone_and_nothing_is_written(life):
    link = life.pulled_case("billing")
    life.org.people.delete_case(link.case_id)

    life.pull()
    life.push()

    stage, told = life.where(link)
    assert (stage, life.writes(link)) == (Stage.GONE, [])
    assert "deleted in Salesforce" in told
    assert life.happened(link) == ["deleted"]
    assert Decision.objects.standing().filter(thread=link.case_id).exists()


def test_what_is_listed_as_deleted_again_and_again_is_asked_about_once(life):
    link = life.pulled_case("billing")
    life.org.people.delete_case(link.case_id)
    life.pull()
    asked = life.org.ledger.calls["GET queryall"]

    life.pull()

    assert asked == life.org.ledger.calls["GET queryall"] == 1
    assert life.happened(link) == ["deleted"]


def test_a_merged_case_leads_to_the_one_it_was_merged_into(life):
    master, merged = life.pulled_case("billing"), life.pulled_case("delivery")

    life.org.people.merge_cases(master.case_id, merged.case_id)
    life.pull()
    life.push()

    stage, told = life.where(merged)
    assert stage is Stage.GONE
    master.refresh_from_db()
    assert f"into Case {master.case_number}" in told
    assert life.happened(merged) == ["merged"]
    assert (life.writes(merged), len(life.writes(master))) == ([], 1)


def test_the_case_that_was_kept_is_read_again_with_the_words_of_both(life):
    master, merged = life.pulled_case("billing"), life.pulled_case("delivery")
    life.org.people.customer_emails(merged.case_id, "My parcel never came.")
    life.clock.go_on(minutes=1)

    life.org.people.merge_cases(master.case_id, merged.case_id)
    life.pull()

    words = Transcript.objects.current().get(thread=master.case_id).turns
    assert "My parcel never came." in [turn["text"] for turn in words]


def test_a_case_out_of_the_bin_keeps_its_decision_and_is_written_after_all(life):
    link = life.pulled_case("billing")
    decision = Decision.objects.standing().get(thread=link.case_id)
    life.org.people.delete_case(link.case_id)
    life.pull()
    life.push()
    assert life.row(link).outcome == WriteBack.Outcome.GONE

    life.clock.go_on(minutes=1)
    life.org.people.undelete_case(link.case_id)
    life.pull()
    life.push()

    assert life.on_case(link) == "billing"
    assert Decision.objects.standing().get(thread=link.case_id) == decision
    assert life.happened(link) == ["deleted", "returned"]
    life.pull()
    assert life.where(link)[0] is Stage.CONFIRMED
    assert life.happened(link) == ["deleted", "returned"]


def test_a_case_that_was_written_before_it_went_is_not_written_again(life):
    link = life.written_case("billing")
    life.org.people.delete_case(link.case_id)
    life.pull()
    life.clock.go_on(minutes=1)
    life.org.people.undelete_case(link.case_id)
    life.pull()

    life.push()

    assert len(life.writes(link)) == 1


def test_a_person_who_was_quicker_keeps_their_word(life):
    link = life.pulled_case("billing")
    life.person_sets(link, Contact_Reason__c="delivery")

    life.push()

    assert (life.on_case(link), life.writes(link)) == ("delivery", [])
    assert life.where(link)[0] is Stage.CEDED
    assert Feedback.objects.get(thread=link.case_id).verdict == "corrected"


def test_a_person_who_chooses_the_same_confirms_it(life):
    link = life.pulled_case("billing")
    life.person_sets(link, Contact_Reason__c="billing")

    life.push()

    stage, told = life.where(link)
    assert stage is Stage.CONFIRMED
    assert "theirs" in told
    assert Feedback.objects.get(thread=link.case_id).verdict == "confirmed"


def test_a_person_who_changes_what_we_wrote_corrects_it(life):
    link = life.written_case("billing")
    life.clock.go_on(minutes=1)
    life.person_sets(link, Contact_Reason__c="delivery")

    life.hear()
    life.pull()
    life.push()

    assert life.where(link)[0] is Stage.CORRECTED
    assert life.on_case(link) == "delivery"


def test_another_integration_is_left_alone_like_a_person(life):
    link = life.written_case("billing")
    life.clock.go_on(minutes=1)
    life.org.people.automation_edits(link.case_id, {"Contact_Reason__c": "delivery"})

    life.hear()
    life.hear()
    life.decide(link, "billing.refund")
    life.push()

    stage, told = life.where(link)
    assert stage is Stage.CEDED
    assert "Another integration" in told
    assert life.on_case(link) == "delivery"
    assert life.happened(link) == ["automation"]
    assert not Feedback.objects.filter(thread=link.case_id).exists()


def test_our_own_write_comes_back_as_a_confirmation_and_nothing_else(life):
    link = life.written_case("billing")
    versions = Transcript.objects.filter(thread=link.case_id).count()

    life.pull()

    assert life.where(link)[0] is Stage.CONFIRMED
    assert life.row(link).confirmed_at
    assert Transcript.objects.filter(thread=link.case_id).count() == versions
    assert Decision.objects.filter(thread=link.case_id).count() == 1


def test_what_somebody_changed_before_we_looked_is_not_confirmed(life):
    link = life.written_case("billing")
    life.person_sets(link, Contact_Reason__c="delivery")

    life.pull()

    assert life.row(link).confirmed_at is None


def test_what_stands_in_our_own_fields_is_no_context_of_the_words(life):
    link = life.written_case("billing")
    life.org.people.customer_emails(link.case_id, "And another thing.")

    life.pull()

    context = Transcript.objects.current().get(thread=link.case_id).context
    assert "billing" not in str(context)


def test_a_reopened_case_keeps_what_was_decided(life):
    link = life.written_case("billing")
    decision = Decision.objects.standing().get(thread=link.case_id)
    life.org.people.close_case(link.case_id)
    life.pull()
    Transcript.objects.filter(thread=link.case_id).update(decided_at=leases.now())
    life.clock.go_on(minutes=1)

    life.org.people.reopen_case(link.case_id)
    life.pull()

    assert life.happened(link) == ["reopened"]
    assert Decision.objects.standing().get(thread=link.case_id) == decision
    assert not Transcript.objects.waiting().filter(thread=link.case_id).exists()


def test_new_words_of_a_reopened_case_are_decided_on_and_the_old_decision_stays_on_record(life):
    link = life.written_case("billing")
    first = Decision.objects.standing().get(thread=link.case_id)
    life.org.people.close_case(link.case_id)
    life.pull()
    life.clock.go_on(minutes=1)
    life.org.people.reopen_case(link.case_id)
    life.org.people.customer_emails(link.case_id, "It is about my parcel now.")
    life.pull()
    assert Transcript.objects.waiting().filter(thread=link.case_id).exists()

    life.decide(link, "delivery", score=0.99)

    assert Decision.objects.filter(pk=first.pk).exists()


def test_a_case_that_changes_hands_keeps_its_reason_and_says_from_whom_to_whom(life):
    link = life.written_case("billing")
    before = link.owner_name or CaseLink.objects.get(pk=link.pk).owner_name

    life.clock.go_on(minutes=1)
    life.org.people.change_owner(link.case_id, "Ann Bell")
    life.pull()

    (event,) = CaseEvent.objects.filter(case_link=link)
    assert (event.kind, event.detail) == ("owner", f"{before} → Ann Bell")
    assert life.on_case(link) == "billing"


def test_a_case_that_is_read_for_the_first_time_has_no_past(life):
    link = life.pulled_case()

    assert life.happened(link) == []
    assert link.noticed_at is not None
    assert leases.now() - link.noticed_at < timedelta(minutes=5)
