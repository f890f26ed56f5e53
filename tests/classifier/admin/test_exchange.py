import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from classifier.admin.exchange import MAY_BRING, MAY_TAKE
from classifier.models import Category
from tests import factories as make

pytestmark = pytest.mark.django_db
PAGE = "/admin/classifier/category/file/"
FILE = b"label,parent\nRefund,Billing\nBilling,\n"


def send(client, content=FILE, **asked):
    return client.post(PAGE, {"file": SimpleUploadedFile("a.csv", content), **asked})


@pytest.fixture
def editor(client):
    client.force_login(make.make_user(*MAY_TAKE, *MAY_BRING))
    return client


def test_a_file_is_looked_at_first_and_then_brought_in(editor):
    looked = send(editor)

    assert "Added" in looked.content.decode()
    assert not Category.objects.exists()
    done = send(editor, bring_in="yes", expected=looked.context["plan"].digest)

    assert "was brought in" in done.content.decode()
    assert [c.code for c in Category.objects.all()] == ["billing", "billing.refund"]
    assert Category.history.first().history_user is not None


def test_a_file_that_was_not_looked_at_does_not_come_in(editor):
    answer = send(editor, bring_in="yes")

    assert "Look at what it would do now" in answer.content.decode()
    assert not Category.objects.exists()


def test_wrong_rows_stand_on_the_page_and_there_is_no_button(editor):
    page = send(editor, b"label,parent\n<b>Refund</b>,<i>Nowhere</i>\n").content.decode()

    assert "There is no category “&lt;i&gt;Nowhere&lt;/i&gt;”" in page
    assert 'name="bring_in"' not in page


def test_a_page_without_a_file_says_so(editor):
    assert "Choose a file first" in editor.post(PAGE, {}).content.decode()


def test_a_script_gets_the_answer_alone(editor):
    answer = editor.post(
        PAGE, {"file": SimpleUploadedFile("a.csv", FILE)}, headers={"HX-Request": "true"}
    )

    assert "<html" not in answer.content.decode()
    assert answer.context["plan"].news


@pytest.mark.parametrize("missing", MAY_BRING)
def test_who_may_not_change_categories_and_rules_brings_nothing_in(client, missing):
    client.force_login(make.make_user(*MAY_TAKE, *[p for p in MAY_BRING if p != missing]))

    assert client.get(PAGE).status_code == 200
    assert send(client).status_code == 403


@pytest.mark.parametrize("missing", MAY_TAKE)
def test_who_may_not_see_both_takes_nothing_away(client, missing):
    client.force_login(make.make_user(*[p for p in MAY_TAKE if p != missing]))

    assert client.get(PAGE).status_code == 403
    assert client.get(PAGE + "taxonomy.csv").status_code == 403


def test_the_file_is_one_click_away_from_both_lists(editor):
    make.make_rule()

    for name in ("category", "keywordrule"):
        page = editor.get(reverse(f"admin:classifier_{name}_changelist"))
        link = reverse(f"admin:classifier_{name}_to_taxonomy_file")
        assert link in page.content.decode()
        assert editor.get(link)["Location"] == PAGE
    for form in ("csv", "xlsx", "json"):
        assert editor.get(f"{PAGE}taxonomy.{form}").status_code == 200
    assert editor.get(f"{PAGE}taxonomy.txt").status_code == 404


def test_who_may_not_change_salesforces_columns_is_told_so(editor):
    answer = send(editor, b"label,salesforce_value\nRefund,Refund (old)\n")

    assert "you may not" in answer.content.decode()
    assert 'name="bring_in"' not in answer.content.decode()
