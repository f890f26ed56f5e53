from dataclasses import asdict

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from classifier.admin.class_table import ROWS_PER_PAGE, Asked, class_table
from classifier.engine.class_report import ClassReport, Watched
from classifier.engine.thresholds import Bar, Proof, ProvenBy
from classifier.models import Category
from tests import factories as make

PROOF = Proof(ProvenBy.ALONE, 40, 39, 0.95, 40, 0.7, 0.8)
NOT_PROVEN = Proof(ProvenBy.NOTHING, 2, 1, 0.1, 2, 0.0, 0.3)


def report(code: str, train: int = 50, **values) -> dict[str, object]:
    made = {
        "category": code,
        "train": train,
        "test": 10,
        "decided": 8,
        "right": 8,
        "found": 9,
        "is_rare": train < 30,
        "proof": PROOF,
        "watched": None,
    }
    return asdict(ClassReport(**{**made, **values}))


def known(*codes: str) -> dict[str, tuple[int, str]]:
    return {code: (pk, code.replace(".", " > ").title()) for pk, code in enumerate(codes, 1)}


def labels(*reports, **query: str) -> list[str]:
    table = class_table(
        {"categories": list(reports)},
        known(*(one["category"] for one in reports)),
        Asked.of(query),
    )
    return [row.label for row in table.rows]


def test_the_categories_learnt_from_least_come_first():
    assert labels(report("login", 90), report("refund", 7)) == ["Refund", "Login"]


def test_a_model_without_such_figures_has_no_table():
    assert class_table({"micro_f1": 0.9}, {}, Asked()) is None


def test_the_second_page_goes_on_where_the_first_ends():
    reports = [report(f"leaf_{number:02}", number) for number in range(ROWS_PER_PAGE + 3)]

    first, second = labels(*reports), labels(*reports, page="2")

    assert len(first) == ROWS_PER_PAGE
    assert second == ["Leaf_25", "Leaf_26", "Leaf_27"]


@pytest.mark.parametrize("page", ["99", "no number"])
def test_a_page_that_is_not_there_is_the_last_or_the_first(page):
    assert labels(report("refund"), page=page) == ["Refund"]


def test_the_ways_on_keep_what_was_asked_for():
    reports = [report(f"billing.{number}", number) for number in range(60)]
    asked = Asked.of({"find": "billing", "show": "rare", "order": "-found", "page": "1"})

    table = class_table({"categories": reports}, {}, asked)

    assert table.pages.later == "?find=billing&show=rare&order=-found&page=2#categories"
    assert table.pages.earlier == ""


def test_every_word_must_stand_in_the_path():
    reports = [report("billing.refund"), report("travel.refund"), report("billing.charge")]

    assert labels(*reports, find="REFUND bill") == ["Billing > Refund"]


def test_the_rare_the_unproven_and_the_critical_are_shown_apart():
    bar = Watched(Bar(0.95, 0.1, 0.9, 40, 0.02), 9, 0.6)
    reports = [
        report("plain"),
        report("few", 3),
        report("vague", proof=NOT_PROVEN),
        report("unlearnt", proof=None),
        report("fraud", watched=bar),
    ]

    shown = {name: labels(*reports, show=name) for name in ("rare", "unproven", "critical")}

    assert shown == {"rare": ["Few"], "unproven": ["Vague"], "critical": ["Fraud"]}


def test_the_filters_count_what_the_words_find():
    reports = [report("billing.few", 3), report("billing.many"), report("travel.few", 3)]

    table = class_table({"categories": reports}, {}, Asked.of({"find": "billing"}))

    assert [(words, number) for words, _, number, _ in table.filters] == [
        ("all", 2),
        ("rare", 1),
        ("not proven", 0),
        ("critical", 0),
    ]


def test_a_column_sorts_and_sorts_back_and_what_has_no_figure_comes_last():
    reports = [
        report("good", right=8),
        report("silent", decided=0, right=0),
        report("bad", right=1),
    ]

    assert labels(*reports, order="right") == ["Bad", "Good", "Silent"]
    assert labels(*reports, order="-right") == ["Good", "Bad", "Silent"]
    assert labels(*reports, order="-category") == ["Silent", "Good", "Bad"]


def test_what_an_address_may_not_ask_is_not_asked():
    assert Asked.of({"show": "x", "order": "-x"}) == Asked()


def test_the_column_that_sorts_says_so_and_a_second_click_turns_it_round():
    table = class_table({"categories": [report("refund")]}, {}, Asked.of({"order": "found"}))

    sorted_by = {column.title: column.sorted for column in table.columns}
    assert sorted_by["Found"] == "ascending"
    assert set(sorted_by.values()) == {"ascending", "none"}
    assert "order=-found" in next(one.url for one in table.columns if one.title == "Found")


@pytest.fixture
def viewer(client):
    client.force_login(make.make_user("classifier.view_modelversion"))
    return client


def version_with(number: int, **values):
    Category.objects.bulk_create(
        Category(label=f"Leaf {n}", code=f"leaf_{n}") for n in range(number)
    )
    reports = [report(f"leaf_{n}", n, **values) for n in range(number)]
    return make.make_model_version(metrics={"categories": reports})


def page_of(client, version, **query: str) -> str:
    address = reverse("admin:classifier_modelversion_change", args=[version.pk])
    return client.get(address, query).content.decode()


def table_of(page: str) -> str:
    return page.partition('id="categories"')[2]


@pytest.mark.django_db
def test_the_page_of_a_model_shows_its_categories_in_pages(viewer):
    version = version_with(50)

    first, second = (
        table_of(page_of(viewer, version)),
        table_of(page_of(viewer, version, page="2")),
    )

    assert ">Leaf 24<" in first
    assert ">Leaf 25<" not in first
    assert ">Leaf 25<" in second
    assert "Page 2 of 2 (50 categories)" in second


@pytest.mark.django_db
def test_each_category_leads_to_its_page(viewer):
    version = version_with(1)

    address = reverse("admin:classifier_category_change", args=[Category.objects.get().pk])
    assert f'href="{address}">Leaf 0</a>' in page_of(viewer, version)


@pytest.mark.django_db
def test_a_category_that_is_gone_keeps_its_figures(viewer):
    version = version_with(1)
    Category.objects.all().delete()

    assert "leaf_0" in table_of(page_of(viewer, version))


@pytest.mark.django_db
def test_many_critical_categories_are_told_in_the_table_and_the_weakest_above_it(viewer):
    watched = Watched(Bar(0.95, 0.1, 0.9, 40, 0.02), 9, 0.6)
    version = version_with(12, watched=watched)

    page = page_of(viewer, version)
    critical = page_of(viewer, version, show="critical")

    assert page.count("40 labelled conversations prove") == 10 + 12  # sentences, tooltips
    assert "All 12 critical categories" in page
    assert table_of(critical).count('class="cr-said-of"') == 12


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["change", "changelist"])
def test_pages_of_models_ask_no_more_for_more_categories(viewer, name):
    counts = []
    for number in (5, 50):
        Category.objects.all().delete()
        version = version_with(number)
        arguments = [version.pk] if name == "change" else []
        address = reverse(f"admin:classifier_modelversion_{name}", args=arguments)
        viewer.get(address)
        with CaptureQueriesContext(connection) as captured:
            viewer.get(address)
        counts.append(len(captured))

    assert counts[0] == counts[1]


@pytest.mark.django_db
def test_the_list_of_models_reads_no_figures_of_categories(viewer):
    version_with(5)

    page = viewer.get(reverse("admin:classifier_modelversion_changelist"))

    (listed,) = page.context["cl"].result_list
    assert listed.get_deferred_fields() == {"metrics", "recipe", "trained_on"}


@pytest.mark.django_db
def test_the_list_of_models_still_tells_what_matters_most(viewer):
    make.make_model_version(metrics={"coverage": 0.71, "precision": 0.96})
    make.make_model_version(metrics={})

    page = viewer.get(reverse("admin:classifier_modelversion_changelist")).content.decode()

    assert "Decided alone 71.0%, Right when it decides alone 96.0%" in page
    assert "not measured" in page
