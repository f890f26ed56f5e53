import pytest
from django.urls import reverse

from sfsync.admin.case_page import case_url
from sfsync.models import CategoryMapping, Connection, FieldMapping, WriteBack
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client):
    client.force_login(make.make_administrator())
    return client


def run_action(client, model, action, *rows):
    return client.post(
        reverse(f"admin:sfsync_{model}_changelist"),
        {"action": action, "_selected_action": [row.pk for row in rows]},
        follow=True,
    )


def test_a_dead_write_back_is_delivered_again_and_a_sentence_says_so(administrator):
    make.make_connection(mode="automatic")
    dead = make.make_write_back(outcome="dead", error_code="X", attempts=9)

    answer = run_action(administrator, "writeback", "deliver_again", dead)

    dead.refresh_from_db()
    assert (dead.outcome, dead.attempts, dead.due_at is None) == ("", 0, False)
    assert "1 of 1 write-backs will be delivered again" in answer.content.decode()


def test_delivering_again_needs_the_right(client):
    dead = make.make_write_back(outcome="dead")
    client.force_login(make.make_user("sfsync.view_writeback"))

    run_action(client, "writeback", "deliver_again", dead)

    assert WriteBack.objects.get().outcome == "dead"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"held_because": "shadow"}, "this is what would have been written"),
        ({"held_because": "picklist", "hold_detail": "billing.refund"}, "picklist lacks"),
        ({"outcome": "ceded"}, "their word stands"),
        (
            {"error_code": "UNABLE_TO_LOCK_ROW", "error_text": "busy"},
            "UNABLE_TO_LOCK_ROW: busy",
        ),
    ],
)
def test_a_write_back_says_in_words_why_it_stands_as_it_does(administrator, fields, words):
    make.make_write_back(**fields)

    shown = administrator.get(reverse("admin:sfsync_writeback_changelist")).content.decode()

    assert words in shown


def test_what_was_decided_stands_beside_what_was_sent(administrator):
    row = make.make_write_back(
        outcome="delivered",
        fields={"Contact_Reason__c": "<b>refund</b>", "Contact_Reason_Source__c": "Rules"},
        sent_fields={"Contact_Reason_Source__c": "Rules"},
    )

    page = administrator.get(reverse("admin:sfsync_writeback_change", args=[row.pk]))

    assert "<td>&lt;b&gt;refund&lt;/b&gt;</td><td>–</td>" in page.content.decode()
    assert "<td>Rules</td><td>Rules</td>" in page.content.decode()


def test_a_conversation_is_found_by_its_case_number(administrator):
    case = make.make_case_link(case_number="00001042")
    make.make_decision(transcript=make.make_transcript(thread=case.case_id))
    make.make_decision()

    shown = administrator.get(reverse("admin:classifier_decision_changelist"), {"q": "1042"})

    assert [row.thread for row in shown.context["cl"].result_list] == [case.case_id]
    assert "00001042" in shown.content.decode()


def test_a_conversation_links_to_its_case_in_salesforce(administrator):
    make.make_connection()
    case = make.make_case_link()
    transcript = make.make_transcript(thread=case.case_id)

    page = administrator.get(
        reverse("admin:classifier_transcript_change", args=[transcript.pk])
    ).content.decode()

    assert f"https://acme.my.salesforce.com/lightning/r/Case/{case.case_id}/view" in page


def test_the_local_org_has_no_pages_to_link_to(settings):
    settings.SALESFORCE_LOCAL_ORIGIN = "http://127.0.0.1:9000"
    make.make_connection()

    assert case_url(make.case_id(1)) == ""


@pytest.mark.parametrize(
    "host", ["", "evil.example/path", 'a"onclick="x', "javascript:alert(1)"]
)
def test_no_link_is_made_of_an_odd_host(host):
    make.make_connection(instance_host=host)

    assert case_url(make.case_id(1)) == ""


def connection_values(**values):
    return {
        "mode": "shadow",
        "scope_record_types": "",
        "scope_origins": "",
        "scope_queues": "",
        "first_pull_days": "30",
        "extra_case_fields": "",
        "scope_created_after_0": "",
        "scope_created_after_1": "",
        **values,
    }


def change_connection(client, **values):
    return client.post(
        reverse("admin:sfsync_connection_change", args=[1]),
        connection_values(**values),
        follow=True,
    )


def test_the_scope_is_typed_one_per_line(administrator):
    make.make_connection()

    change_connection(administrator, scope_origins="Email\n Web \n\nEmail")

    assert Connection.current().scope_origins == ["Email", "Web"]


def test_a_mode_that_reaches_further_lets_held_rows_go(administrator):
    make.make_connection()
    held = make.make_write_back(held_because="shadow")

    answer = change_connection(administrator, mode="automatic")

    held.refresh_from_db()
    assert Connection.current().mode == "automatic"
    assert held.due_at is not None
    assert "1 write-backs that were held" in answer.content.decode()


def test_a_new_mode_alone_does_not_end_a_pause(administrator):
    make.make_connection(paused_at=make.NOON)

    change_connection(administrator, mode="suggest")

    assert Connection.current().mode == "suggest"
    assert Connection.current().paused_at is not None


def test_what_waits_for_a_field_is_looked_at_again_when_another_is_mapped(administrator):
    held = make.make_write_back(held_because="field")
    mapping = FieldMapping.objects.get(slot="primary")

    administrator.post(
        reverse("admin:sfsync_fieldmapping_change", args=[mapping.pk]),
        {"slot": "primary", "field": "Reason__c", "is_active": "on"},
    )

    held.refresh_from_db()
    mapping.refresh_from_db()
    assert (mapping.field, held.due_at is not None) == ("Reason__c", True)


def test_what_waits_for_a_value_is_looked_at_again_when_the_category_has_another(administrator):
    held = make.make_write_back(held_because="picklist", hold_detail="Reason__c: billing")
    category = make.make_category("Billing", code="billing_again")

    administrator.post(
        reverse("admin:classifier_category_change", args=[category.pk]),
        {
            "label": category.label,
            "parent": "",
            "guideline": "",
            "is_active": "on",
            "salesforce-TOTAL_FORMS": "1",
            "salesforce-INITIAL_FORMS": "0",
            "salesforce-MIN_NUM_FORMS": "0",
            "salesforce-MAX_NUM_FORMS": "1",
            "salesforce-0-value": "Old billing value",
            "salesforce-0-mode": "automatic",
            "salesforce-0-id": "",
            "salesforce-0-category": category.pk,
        },
    )

    held.refresh_from_db()
    assert CategoryMapping.objects.get(category=category).value == "Old billing value"
    assert held.due_at is not None


def test_there_is_one_connection_and_nobody_adds_or_deletes_it(administrator):
    make.make_connection()

    assert administrator.get("/admin/sfsync/connection/add/").status_code == 403
    assert administrator.post("/admin/sfsync/connection/1/delete/").status_code == 403


def test_a_source_is_switched_off_on_its_page(administrator):
    source = make.make_source()

    url = reverse("admin:sfsync_source_change", args=[source.pk])
    administrator.post(url, {"interval_seconds": 0})

    source.refresh_from_db()
    assert (source.is_enabled, source.interval_seconds) == (False, 0)


def test_a_notice_is_marked_as_done(administrator):
    notice = make.make_notice()

    run_action(administrator, "notice", "clear", notice)

    notice.refresh_from_db()
    assert notice.cleared_at is not None


def test_a_case_that_could_not_be_read_says_why(administrator):
    make.make_case_link(read_error="The Case has more than 5,000 turns.")

    shown = administrator.get(
        reverse("admin:sfsync_caselink_changelist"), {"state": "unreadable"}
    ).content.decode()

    assert "could not be read" in shown
    assert "more than 5,000 turns" in shown
