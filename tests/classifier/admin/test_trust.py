"""Who is believed how far, and why, can be seen; an administrator can fix it."""

import pytest
from django.urls import reverse

from classifier.models import Trust
from classifier.settling import settle_feedback
from tests import factories as make
from tests.classifier.test_settling import say

pytestmark = pytest.mark.django_db


def shown(client, url, *arguments):
    return client.get(reverse(f"admin:{url}", args=arguments)).content.decode()


def test_the_list_tells_each_record_and_what_it_comes_to(client):
    client.force_login(make.make_user("classifier.view_trust"))
    make.make_trust(person="005A", person_name="Ann Bell", right=10, settled=10)
    make.make_trust(source="salesforce", person="", fixed=0.0)
    make.make_trust(source="salesforce", person="005B", person_name="Ben Cole")

    page = shown(client, "classifier_trust_changelist")

    assert "Ann Bell" in page
    assert "95%" in page
    assert "never counts" in page
    assert "0%" in page


def test_the_list_costs_the_same_however_long(client, django_assert_num_queries):
    client.force_login(make.make_administrator())
    for _ in range(3):
        make.make_trust()
    address = reverse("admin:classifier_trust_changelist")
    client.get(address)
    with django_assert_num_queries(8):
        client.get(address)
    for _ in range(20):
        make.make_trust()
    with django_assert_num_queries(8):
        client.get(address)


@pytest.mark.parametrize(("right", "fixed"), [("change", 0.25), ("view", None)])
def test_only_who_may_change_it_fixes_how_far_somebody_is_believed(client, right, fixed):
    client.force_login(make.make_user("classifier.view_trust", f"classifier.{right}_trust"))
    trust = make.make_trust(right=3, settled=4)

    client.post(
        reverse("admin:classifier_trust_change", args=[trust.pk]),
        {"fixed": "0.25", "right": "99"},
    )

    assert (Trust.objects.get().fixed, Trust.objects.get().right) == (fixed, 3)


def test_a_whole_source_can_be_fixed(client):
    client.force_login(make.make_user("classifier.view_trust", "classifier.change_trust"))

    client.post(
        reverse("admin:classifier_trust_add"), {"source": "api", "person": "", "fixed": "0.3"}
    )

    assert (Trust.objects.get().source, Trust.objects.get().share) == ("api", 0.3)


def test_a_gold_label_tells_who_said_what_and_how_far_they_are_believed(client):
    client.force_login(make.make_administrator())
    thread = make.make_transcript("Where is my refund?").thread
    say(thread, "refund", person="005A", person_name="Ann Bell", source="salesforce")
    settle_feedback()
    (label,) = make.GoldLabel.objects.all()

    page = shown(client, "classifier_goldlabel_change", label.pk)

    assert "Ann Bell" in page
    assert "80%" in page
