"""What a person changes in Salesforce is their word: heard once, by name, and left alone."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from classifier.models import Decision, Feedback, Trust
from classifier.settling import settle_feedback
from sfsync.cases import CaseUpdate
from sfsync.checking import check_org
from sfsync.credentials import Credentials
from sfsync.errors import SalesforceRejected
from sfsync.finding import find_changes
from sfsync.gateway import SalesforceGateway
from sfsync.hearing import hear_changes
from sfsync.models import CaseLink, Connection, FieldMapping, Notice, Watermark, WriteBack
from sfsync.pushing import Delivery
from sfsync.transport import open_session
from tests.classifier.making import NOON, a_category
from tests.sfsync.wires import Tap, answer

REASON, ALL = "Contact_Reason__c", "Contact_Reasons__c"


@pytest.fixture
def case(desk, clock):
    """A Case that carries our reason."""
    link = desk.decided_case("billing.refund")
    desk.push()
    clock.go_on(minutes=1)
    return link


def codes(word):
    return [category.code for category in word.named]


def change_field(desk, name, **changes):
    (field,) = (one for one in desk.org.sobject("Case").fields if one.name == name)
    desk.org.deploy_fields([replace(field, **changes)])


def standing(link):
    return Decision.objects.standing().get(thread=link.case_id)


def test_a_change_is_a_correction_by_name(case, desk, sets, hear, clock):
    sets(case, **{REASON: "delivery.late"})

    assert hear() == 1

    word = Feedback.objects.get()
    assert (word.verdict, codes(word), word.source) == (
        "corrected",
        ["delivery.late"],
        "salesforce",
    )
    assert (word.person_name, word.person) == (
        "Ann Bell",
        desk.org.founders.representatives[0],
    )
    assert word.said_at == (clock.now - timedelta(seconds=10)).replace(microsecond=0)
    assert word.reference.startswith("017")
    assert word.decision.category.code == "billing.refund"


def test_the_persons_word_stands_and_nothing_is_written_any_more(case, desk, sets, hear):
    sets(case, **{REASON: "delivery.late"})
    hear()
    writes = len(desk.writes())

    delivery = desk.push()

    assert standing(case).source == "person"
    assert standing(case).category.code == "delivery.late"
    case.refresh_from_db()
    assert case.ceded_at is not None
    assert (delivery, len(desk.writes())) == (Delivery(), writes)
    assert desk.row(case).outcome == WriteBack.Outcome.CEDED


def test_a_change_is_heard_however_late_it_is_committed(case, desk, sets, hear, clock):
    desk.org.faults.commit_delay = timedelta(minutes=30)
    sets(case, **{REASON: "delivery.late"})
    heard = []

    for _ in range(3):
        find_changes(desk.gateway, [])
        heard.append(hear())
        clock.go_on(minutes=15)

    assert heard == [0, 0, 1]
    assert standing(case).category.code == "delivery.late"


def test_hearing_again_hears_nothing_new(case, sets, hear, clock):
    sets(case, **{REASON: "delivery.late"})
    hear()

    assert hear() == 0
    clock.go_on(hours=1)
    assert hear() == 0
    assert Feedback.objects.count() == 1


def test_our_own_writes_are_no_words(case, desk, hear):
    assert len(desk.writes()) == 1
    assert hear() == 0
    assert not Feedback.objects.exists()


def test_a_change_of_another_field_is_no_word(case, sets, hear):
    sets(case, Priority="High")

    assert hear() == 0


@pytest.mark.parametrize("named", ["robot", "username", "short id"])
def test_an_automations_change_is_no_word_and_is_left_alone(case, desk, sets, hear, named):
    founders = desk.org.founders
    by = founders.automation if named == "robot" else "Ben Cole"
    users = {"robot": [], "username": ["BEN.cole@acme.example"]}
    short_id = [founders.representatives[1][:15]]
    Connection.objects.update(automation_users=users.get(named, short_id))

    sets(case, by=by, **{REASON: "delivery.late"})
    heard = hear()
    desk.decide(case, "delivery")
    desk.push()

    assert (heard, Feedback.objects.count()) == (0, 0)
    assert desk.on_case(case) == "delivery.late"


def test_setting_it_and_setting_it_back_are_two_words_of_which_the_last_counts(
    case, sets, hear
):
    sets(case, **{REASON: "delivery.late"})
    sets(case, **{REASON: "billing.refund"})

    assert hear() == 2
    settle_feedback()

    verdicts = Feedback.objects.order_by("said_at").values_list("verdict", flat=True)
    assert list(verdicts) == ["corrected", "confirmed"]
    assert standing(case).category.code == "billing.refund"
    assert Feedback.objects.latest("said_at").gold_label is not None


def test_a_word_that_we_overwrote_in_the_same_moment_comes_back(case, desk, sets, hear, clock):
    sets(case, **{REASON: "delivery.late"})
    desk.gateway.update_cases([CaseUpdate(case.case_id, {REASON: "delivery"})])
    case.refresh_from_db()
    CaseLink.objects.update(delivered={**case.delivered, REASON: "delivery"})
    clock.go_on(minutes=1)

    assert hear() == 1
    assert desk.push() == Delivery(written=1)

    assert desk.on_case(case) == "delivery.late"
    assert desk.on_case(case, "Contact_Reason_Source__c") == "Person"


def test_two_people_who_differ_are_both_heard_and_the_last_stands(case, sets, hear):
    sets(case, **{REASON: "delivery.late"})
    hear()
    sets(case, by="Cem Demir", **{REASON: "delivery"})
    hear()

    assert set(Feedback.objects.values_list("person_name", flat=True)) == {
        "Ann Bell",
        "Cem Demir",
    }
    assert standing(case).category.code == "delivery"


def test_a_word_that_comes_late_does_not_beat_a_newer_one(case, desk, sets, hear, clock):
    sets(case, **{REASON: "delivery.late"})
    Decision.objects.stand_by_person(
        case.case_id, [a_category("billing")], at=clock.now + timedelta(minutes=1)
    )

    assert hear() == 1
    assert standing(case).category.code == "billing"


def test_a_word_older_than_our_decision_confirms_it_where_both_agree(desk, sets, hear):
    case = desk.case()
    sets(case, **{REASON: "billing.refund"})
    desk.decide(case, "billing.refund")

    hear()

    assert Feedback.objects.get().verdict == "confirmed"
    assert standing(case).source == "person"


def test_emptying_our_reason_is_a_correction_without_a_reason(case, desk, sets, hear):
    sets(case, **{REASON: None})

    assert hear() == 1

    word = Feedback.objects.get()
    assert (word.verdict, codes(word), word.said_value) == ("corrected", [], "")
    desk.decide(case, "delivery")
    desk.push()
    assert desk.on_case(case) is None


def test_a_value_that_is_no_category_of_ours_is_kept_as_they_left_it(case, desk, sets, hear):
    change_field(desk, REASON, is_restricted=False)
    sets(case, **{REASON: "Lunar matters"})

    hear()

    word = Feedback.objects.get()
    assert (codes(word), word.said_value) == ([], "Lunar matters")
    assert standing(case).category.code == "billing.refund"


def test_several_reasons_are_kept_with_the_primary_one_first(case, sets, hear):
    sets(case, **{REASON: "delivery.late", ALL: "billing;delivery.late"})

    hear()

    assert codes(Feedback.objects.get()) == ["delivery.late", "billing"]
    assert [one.code for one in standing(case).named] == ["delivery.late", "billing"]


def test_a_reason_added_to_all_reasons_leaves_the_primary_one_first(case, sets, hear):
    sets(case, **{ALL: "delivery.late;billing.refund"})

    hear()

    word = Feedback.objects.get()
    assert (codes(word), word.verdict) == (["billing.refund", "delivery.late"], "corrected")


def test_of_two_edits_of_all_reasons_only_the_last_can_be_told(case, sets, hear):
    sets(case, **{ALL: "delivery"})
    sets(case, by="Cem Demir", **{ALL: "delivery.late"})

    assert hear() == 1
    assert (Feedback.objects.get().person_name, codes(Feedback.objects.get())) == (
        "Cem Demir",
        ["delivery.late"],
    )


def test_a_level_that_was_emptied_leaves_the_level_above(desk, sets, hear):
    desk.use_levels("level_1", "level_2")
    desk.deploy_levels("level_1", "level_2")
    change_field(desk, "Reason_Level_1__c", is_tracked=True)
    change_field(desk, "Reason_Level_2__c", is_tracked=True)
    case = desk.decided_case("billing.refund")
    desk.push()

    sets(case, Reason_Level_2__c=None)
    hear()

    assert codes(Feedback.objects.get()) == ["billing"]


def test_a_case_that_is_not_pulled_yet_is_heard_once_it_is(desk, sets, clock):
    link = desk.decided_case("billing.refund")
    case_id = link.case_id
    WriteBack.objects.all().delete()
    sets(link, **{REASON: "delivery.late"})
    CaseLink.objects.filter(pk=link.pk).delete()
    assert hear_changes(desk.gateway) == 0
    clock.go_on(minutes=30)
    assert hear_changes(desk.gateway) == 0

    CaseLink.objects.create(case_id=case_id)

    assert hear_changes(desk.gateway) == 1


def test_a_case_deleted_meanwhile_does_no_harm(case, desk, sets, hear):
    sets(case, **{REASON: "delivery.late", ALL: "delivery"})
    desk.org.people.delete_case(case.case_id)

    hear()

    assert hear() == 0


def test_a_word_found_when_about_to_write_gets_its_person_later(case, desk, sets, hear):
    sets(case, **{REASON: "delivery.late"})
    desk.decide(case, "delivery")
    desk.push()
    settle_feedback()
    assert Feedback.objects.get().person == ""

    assert hear() == 1
    settle_feedback()

    word = Feedback.objects.get()
    assert (word.person_name, codes(word)) == ("Ann Bell", ["delivery.late"])
    assert word.gold_label.feedback.count() == 1
    assert not Trust.objects.filter(settled__gt=0).exists()


def test_what_proves_to_be_an_automations_is_taken_back(case, desk, sets, hear):
    sets(case, by=desk.org.founders.automation, **{REASON: "delivery.late"})
    desk.decide(case, "delivery")
    desk.push()
    settle_feedback()

    assert hear() == 0
    settle_feedback()

    word = Feedback.objects.get()
    assert (word.withdrawn_at is None, word.gold_label) == (False, None)


def test_long_spans_are_heard_in_parts(desk, sets):
    cases = [desk.decided_case("billing.refund") for _ in range(5)]
    for case in cases:
        sets(case, **{REASON: "delivery.late"})

    assert hear_changes(desk.gateway, at_most=2) == 5


def test_the_watermark_follows_the_orgs_clock(case, hear, clock):
    hear()
    clock.go_on(hours=1)
    hear()  # its first answer tells the new time
    hear()

    covered_until = Watermark.objects.get(sobject="CaseHistory").covered_until
    assert (
        timedelta() <= covered_until - clock.now.replace(microsecond=0) < timedelta(minutes=1)
    )


def test_a_field_without_history_is_told_once(desk, hear, clock):
    change_field(desk, REASON, is_tracked=False)
    case = desk.decided_case("billing.refund")
    desk.push()
    WriteBack.objects.update(ended_at=clock.now)
    clock.go_on(minutes=5)

    hear()
    hear()

    (notice,) = Notice.objects.filter(cleared_at=None)
    assert notice.text.startswith(f"Turn on field history for {REASON}")
    assert case.case_id not in notice.text


def test_a_field_that_is_tracked_again_closes_the_notice(case, sets, hear, desk):
    Notice.raise_for("history-off:Contact_Reason__c", "warning", "…", NOON)
    sets(case, **{REASON: "delivery.late"})

    hear()

    assert not Notice.objects.filter(cleared_at=None).exists()


def test_an_org_that_hides_its_history_is_told_and_asked_again(case, desk, sets):
    def judge(request):
        if "CaseHistory" not in str(request.url):
            return None
        body = [{"message": "CaseHistory is not supported.", "errorCode": "INVALID_TYPE"}]
        return answer(request, 400, json.dumps(body), **{"Content-Type": "application/json"})

    sets(case, **{REASON: "delivery.late"})
    app = desk.org.app
    secret = Credentials("acme.my", app.client_id, client_secret=app.client_secret)
    deaf = SalesforceGateway(secret, open_session(Tap(desk.org, judge)))
    with pytest.raises(SalesforceRejected):
        hear_changes(deaf)
    assert Notice.objects.get(cleared_at=None).key == "history-unreadable"

    assert hear_changes(desk.gateway) == 1
    assert not Notice.objects.filter(cleared_at=None).exists()


def test_without_a_mapped_reason_field_nothing_is_asked(case, desk, hear):
    FieldMapping.objects.filter(slot__in=["primary", "all_reasons"]).delete()
    calls = desk.org.ledger.api_calls

    assert hear() == 0
    assert desk.org.ledger.api_calls == calls


def test_the_check_tells_whether_people_can_be_heard(desk):
    def findings():
        return [one for one in check_org(desk.gateway) if one.topic.startswith("field history")]

    assert [one.grade for one in findings()] == ["good"]

    Notice.raise_for(f"history-off:{REASON}", "warning", "…", NOON)

    (found,) = findings()
    assert found.grade == "note"
    assert f"Turn on field history for {REASON}" in found.remedy
