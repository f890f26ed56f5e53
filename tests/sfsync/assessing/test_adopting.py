import pytest

from classifier.models import Category, Feedback, GoldLabel, ModelVersion, Review
from classifier.settling import settle_feedback
from sfsync.adopting import CannotAdopt, adopt, newest, proposal
from sfsync.assessing import Question, assess_org
from sfsync.models import CategoryMapping, FieldMapping
from tests import factories as make
from tests.sfsync.assessing.conftest import AREA, REASON

pytestmark = pytest.mark.django_db


@pytest.fixture
def assessment(gateway, past):
    return assess_org(gateway, Question((AREA, REASON)))


def counts():
    return [
        model.objects.count()
        for model in (Category, CategoryMapping, GoldLabel, ModelVersion, Review)
    ]


def mapping():
    return set(FieldMapping.objects.values_list("slot", "field"))


def test_a_dry_run_says_what_adopting_then_makes(assessment):
    before = counts()
    foretold = proposal(assessment)
    assert counts() == before

    made = adopt(assessment, by="olga")

    for name in ("categories", "values", "labels", "known", "doubtful", "reviews", "mapping"):
        assert getattr(made, name) == getattr(foretold, name), name
    assert Category.objects.count() == before[0] + len(made.categories) == before[0] + 8
    assert GoldLabel.objects.count() == made.labels > 0


def test_categories_get_the_values_that_the_org_already_uses(assessment):
    adopt(assessment, by="olga")

    refund = Category.objects.at_path(["Billing", "Refund"])
    assert (refund.salesforce.value, refund.parent.salesforce.value) == ("refund", "BILL")
    assert not Category.objects.filter(label="Old area").exists()


def test_doubtful_cases_become_no_labels(assessment, past):
    made = adopt(assessment, by="olga")

    doubtful = set(assessment.cases.exclude(doubt=None).values_list("case_id", flat=True))
    threads = set(GoldLabel.objects.values_list("thread", flat=True))
    assert made.doubtful == len(doubtful) > 0
    assert not doubtful & threads
    right = {
        label.thread: label.reasons.get().category.salesforce.value
        for label in GoldLabel.objects.filter(source="adopted")
        if label.thread not in past.wrong
    }
    assert right == {thread: past.truths[thread][1] for thread in right}


def test_people_are_asked_about_doubtful_cases_that_are_known_here(assessment):
    known = assessment.cases.exclude(doubt=None).first()
    make.make_transcript(thread=known.case_id)

    made = adopt(assessment, by="olga")

    assert made.reviews == 1
    assert Review.objects.get().thread == known.case_id


def test_the_first_model_is_a_candidate_and_learnt_the_reasons(assessment):
    made = adopt(assessment, by="olga")

    version = ModelVersion.objects.get(number=made.model)
    assert (version.stage, version.trained_by) == (ModelVersion.Stage.CANDIDATE, "olga")
    assert version.trained_on["labels"] == 6


def test_adopting_again_makes_nothing_twice(assessment):
    adopt(assessment, by="olga")
    before = counts()

    again = adopt(assessment, by="olga")

    assert counts() == before
    assert (again.categories, again.values, again.labels, again.model) == ([], [], 0, None)


def test_the_field_mapping_changes_only_when_asked_for(assessment):
    before = mapping()

    adopt(assessment, by="olga")
    assert mapping() == before

    adopt(assessment, by="olga", map_fields=True)
    assert mapping() == before | {("level_1", AREA), ("level_2", REASON)}


def test_a_category_that_somebody_gave_another_value_keeps_it(assessment):
    billing = make.make_category("Billing")
    CategoryMapping.objects.create(category=billing, value="Money")

    made = adopt(assessment, by="olga")

    assert made.kept_values == ["Billing = Money, not BILL"]
    billing.refresh_from_db()
    assert billing.salesforce.value == "Money"


def test_a_person_who_judges_an_adopted_case_has_the_last_word(assessment):
    adopt(assessment, by="olga")
    label = GoldLabel.objects.filter(source="adopted").order_by("id").first()
    late = Category.objects.at_path(["Shipping", "Late"])
    seen = make.make_transcript(thread=label.thread)
    make.make_feedback(
        transcript=seen,
        thread=label.thread,
        category=late,
        verdict=Feedback.Verdict.CORRECTED,
        source=Feedback.Source.DESK,
        person="rita",
    )

    settle_feedback()

    label.refresh_from_db()
    assert label.reasons.get().category == late
    assert label.source != "adopted"
    assert GoldLabel.objects.filter(thread=label.thread).count() == 1


def test_tags_that_an_admin_never_trusts_are_not_adopted(assessment):
    make.make_trust(source="salesforce", person="", fixed=0.0)

    with pytest.raises(CannotAdopt, match="under Trust"):
        adopt(assessment, by="olga")

    assert not GoldLabel.objects.exists()


def test_there_must_be_something_to_adopt(db):
    with pytest.raises(CannotAdopt, match="Make one first"):
        newest()
