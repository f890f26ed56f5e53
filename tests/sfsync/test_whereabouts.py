"""Where a Case is, said in one way; every state of the state machine has its words.

The states are those of reliability-security.md 2.1, in capitals.
"""

from datetime import timedelta

import pytest

from classifier import leases
from sfsync.models import CaseEvent, CaseLink, Connection
from sfsync.whereabouts import Stage, located
from tests import factories as make

pytestmark = pytest.mark.django_db
LATER = timedelta(seconds=20)


def case(**fields):
    return make.make_case_link(**fields)


def words(link, **fields):
    return make.make_transcript(thread=link.case_id, **{"decided_at": make.NOON, **fields})


def decided(link, **fields):
    return make.make_decision(transcript=words(link), staged_at=make.NOON, **fields)


def on_its_way(link, **fields):
    return make.make_write_back(case_link=link, decision=decided(link), **fields)


def heard(link, verdict):
    make.make_feedback(thread=link.case_id, source="salesforce", verdict=verdict)


def found(link):
    link = CaseLink.objects.get(pk=link.pk)
    return located([link], leases.now())[link.pk]


def leased():
    return {"leased_until": leases.now() + LATER}


def seen():
    return case(read_due_at=leases.now(), read_at=None)


def being_read():
    return case(read_due_at=leases.now(), read_at=None, **leased())


def rejected():
    link = case()
    refused = words(link, refused="transcript_too_large", turns=[])
    make.make_decision(transcript=refused, category=None, doubt="transcript_too_large")
    return link


def unreadable():
    return case(read_error="An answer of Salesforce is not as expected.", read_due_at=make.NOON)


def fetched():
    link = case()
    words(link, decided_at=None)
    return link


def being_decided():
    link = case()
    words(link, decided_at=None, **leased())
    return link


def in_review():
    link = case()
    decided(link, category=None)
    return link


def classified():
    link = case()
    make.make_decision(transcript=words(link))
    return link


def queued():
    link = case()
    on_its_way(link)
    return link


def held(because):
    def make_held():
        link = case()
        on_its_way(link, held_because=because)
        return link

    return make_held


def sending():
    link = case()
    on_its_way(link, **leased())
    return link


def unknown():
    link = case()
    on_its_way(link, sent_fields={"Contact_Reason__c": "x"}, first_failed_at=make.NOON)
    return link


def written():
    link = case()
    on_its_way(link, outcome="delivered")
    return link


def confirmed():
    link = case()
    on_its_way(link, outcome="delivered", confirmed_at=make.NOON)
    return link


def unchanged():
    link = case()
    on_its_way(link, outcome="unchanged")
    return link


def agreed():
    link = case(ceded_at=make.NOON, delivered={"Contact_Reason__c": "x"})
    on_its_way(link, outcome="delivered")
    heard(link, "confirmed")
    return link


def corrected():
    link = case(ceded_at=make.NOON, delivered={"Contact_Reason__c": "x"})
    on_its_way(link, outcome="delivered")
    heard(link, "corrected")
    return link


def ceded():
    link = case(ceded_at=make.NOON)
    on_its_way(link, outcome="ceded")
    heard(link, "corrected")
    return link


def of_an_automation():
    link = case(ceded_at=make.NOON)
    on_its_way(link, outcome="delivered")
    CaseEvent.objects.note(link.pk, CaseEvent.Kind.AUTOMATION, make.NOON)
    return link


def stale():
    link = case()
    on_its_way(link, outcome="delivered")
    link_words = link.write_backs.get().decision.transcript
    link_words.superseded_at = make.NOON
    link_words.save()
    words(link, decided_at=None)
    return link


def dead():
    link = case()
    on_its_way(link, outcome="dead", error_code="FIELD_CUSTOM_VALIDATION_EXCEPTION")
    return link


def closed_by_a_person():
    link = case()
    on_its_way(link, outcome="dead", error_code="X", closed_at=make.NOON, closed_by="ada")
    return link


def deleted():
    link = case(gone_at=make.NOON, fate="deleted")
    words(link)
    return link


def merged():
    master = case(case_number="00000042")
    link = case(gone_at=make.NOON, fate="merged", merged_into=master.case_id)
    words(link)
    return link


def unseen():
    link = case(gone_at=make.NOON, fate="unseen")
    words(link)
    return link


def erased():
    return case(gone_at=make.NOON, fate="deleted")


STATES = [
    ("SEEN", seen, Stage.TO_READ, "waits to be read"),
    ("SEEN, its reader at work", being_read, Stage.READING, "being read"),
    ("SEEN, unreadable", unreadable, Stage.UNREADABLE, "not as expected"),
    ("FETCHED", fetched, Stage.TO_DECIDE, "wait to be decided on"),
    ("FETCHED, being decided", being_decided, Stage.DECIDING, "being decided"),
    ("REJECTED", rejected, Stage.IN_REVIEW, "too long to be read"),
    ("CLASSIFIED", classified, Stage.DECIDED, "about to be taken over"),
    ("REVIEW", in_review, Stage.IN_REVIEW, "waits for a person"),
    ("QUEUED", queued, Stage.TO_WRITE, "waits to be written"),
    ("QUEUED, held in shadow", held("shadow"), Stage.HELD, "shadow mode"),
    ("QUEUED, held by scope", held("scope"), Stage.HELD, "outside the scope"),
    ("QUEUED, value missing", held("picklist"), Stage.HELD, "picklist lacks the value"),
    ("QUEUED, field gone", held("field"), Stage.HELD, "removed, renamed, or hidden"),
    ("QUEUED, of a backfill", held("backfill"), Stage.HELD, "approve"),
    ("SENDING", sending, Stage.WRITING, "being written"),
    ("UNKNOWN", unknown, Stage.UNKNOWN, "no answer came"),
    ("WRITTEN", written, Stage.WRITTEN, "not read again since"),
    ("CONFIRMED", confirmed, Stage.CONFIRMED, "showed it"),
    ("CONFIRMED, nothing to write", unchanged, Stage.CONFIRMED, "said so already"),
    ("CONFIRMED by a person", agreed, Stage.CONFIRMED, "chose the same reason"),
    ("CORRECTED", corrected, Stage.CORRECTED, "changed the reason that we had written"),
    ("CEDED", ceded, Stage.CEDED, "before we wrote"),
    ("CEDED to an integration", of_an_automation, Stage.CEDED, "Another integration"),
    ("STALE", stale, Stage.TO_DECIDE, "What was decided stands until then"),
    ("DEAD", dead, Stage.FAILED, "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
    ("DEAD, closed", closed_by_a_person, Stage.FAILED, "ada closed it"),
    ("GONE", deleted, Stage.GONE, "deleted in Salesforce"),
    ("GONE, merged", merged, Stage.GONE, "into Case 00000042"),
    ("GONE, not shared any more", unseen, Stage.GONE, "not shared with our user"),
    ("ERASED", erased, Stage.ERASED, "words were erased"),
]


@pytest.mark.parametrize(
    ("made", "stage", "told"),
    [state[1:] for state in STATES],
    ids=[state[0] for state in STATES],
)
def test_every_state_of_a_case_has_one_line(made, stage, told):
    place = found(made())

    assert place.stage is stage
    assert told in place.told
    assert place.told.endswith(".")


def test_the_states_told_are_all_of_the_state_machine():
    named = {name.split(",")[0].split(" ")[0] for name, *_ in STATES}

    assert named == {
        "SEEN", "FETCHED", "CLASSIFIED", "QUEUED", "SENDING", "WRITTEN", "CONFIRMED",
        "CORRECTED", "REJECTED", "REVIEW", "UNKNOWN", "CEDED", "STALE", "DEAD", "GONE", "ERASED",
    }  # fmt: skip
    assert {stage for _, _, stage, _ in STATES} == set(Stage)


def test_a_case_that_changed_since_it_was_written_says_both():
    link = written()
    CaseLink.objects.filter(pk=link.pk).update(read_due_at=leases.now())

    place = found(link)

    assert place.stage is Stage.WRITTEN
    assert "It changed since then" in place.told


def test_what_waits_while_all_writing_is_paused_says_so():
    link = queued()
    Connection.current()
    Connection.objects.update(paused_at=leases.now())

    assert "All writing is paused" in found(link).told


def test_no_line_tells_the_reason_that_was_decided():
    """A reviewer of a blind audit may see the list of Cases."""
    make.make_category("Refund")
    link = case()
    decision = decided(link, category=make.make_category("Secret Reason"))
    make.make_write_back(case_link=link, decision=decision)

    assert "Secret" not in found(link).told


def test_many_cases_are_located_in_as_few_questions_as_one(django_assert_num_queries):
    links = [made() for _, made, *_ in STATES]
    moment = leases.now()

    for chosen in ([merged()], links):
        with django_assert_num_queries(6):
            located(chosen, moment)
