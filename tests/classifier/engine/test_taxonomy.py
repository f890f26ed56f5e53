"""Promises of the tree of categories and of their codes."""

import hashlib

import pytest

from classifier.engine.taxonomy import CODE_CHARACTERS, Node, Taxonomy, code_of, split_path

TREE = Taxonomy.of_paths([("Billing", "Refund"), ("Billing", "Invoice"), ("Delivery",)])


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (["Billing", "Refund"], "billing.refund"),
        (["  Café & Bar! "], "cafe_bar"),
        (["ÜBER", "Naïve--Réponse"], "uber.naive_reponse"),
        (["返品", "환불 요청"], "返品.환불_요청"),
        (["4G / 5G"], "4g_5g"),
        (["İstanbul"], "istanbul"),
        (["हिन्दी"], "हिन्दी"),
    ],
)
def test_a_code_is_made_from_the_label_path(path, code):
    assert code_of(path) == code


def test_a_long_code_is_cut_and_ends_in_the_digest_of_its_path():
    path = ["x" * 50, "y" * 50]

    code = code_of(path)

    digest = hashlib.sha256(" > ".join(path).encode()).hexdigest()
    assert len(code) <= CODE_CHARACTERS
    assert code == f"{'x' * 50}.{'y' * 20}_{digest[:8]}"


def test_a_code_that_is_taken_gets_a_digest():
    digest = hashlib.sha256(b"Re-fund").hexdigest()

    assert code_of(["Re-fund"], {"re_fund"}) == f"re_fund_{digest[:8]}"


def test_a_label_without_letters_is_its_digest():
    assert code_of(["???"]) == hashlib.sha256(b"???").hexdigest()[:8]


def test_every_level_of_a_path_becomes_a_category():
    assert [node.code for node in TREE] == [
        "billing",
        "billing.refund",
        "billing.invoice",
        "delivery",
    ]
    assert TREE.children("billing") == ("billing.refund", "billing.invoice")
    assert TREE.children(None) == ("billing", "delivery")
    assert TREE.ancestors("billing.refund") == ("billing",)


def test_labels_are_told_and_found_by_their_whole_path():
    assert TREE.label("billing.refund") == "Billing › Refund"
    assert TREE.code_at(("Billing", "Refund")) == "billing.refund"
    assert TREE.code_at(("Refund",)) is None


def test_paths_that_look_alike_keep_codes_of_their_own():
    tree = Taxonomy.of_paths([("A b",), ("A-b",)])

    assert len({node.code for node in tree}) == 2


def test_an_ancestor_of_a_true_category_is_right_and_a_sibling_is_not():
    assert TREE.is_right("billing", {"billing.refund"})
    assert TREE.is_right("billing.refund", {"billing.refund", "delivery"})
    assert not TREE.is_right("billing.invoice", {"billing.refund"})
    assert not TREE.is_right("billing.refund", {"billing"})
    assert not TREE.is_right("billing", set())


def test_only_the_deepest_of_a_line_are_kept():
    assert TREE.deepest(["billing", "billing.refund", "delivery"]) == [
        "billing.refund",
        "delivery",
    ]


@pytest.mark.parametrize(
    "nodes",
    [
        (Node("a", "A"), Node("a", "Again")),
        (Node("a", "A", "missing"),),
        (Node("a", "A", "b"), Node("b", "B", "a")),
        (Node("a", "A", "a"),),
    ],
)
def test_a_tree_that_is_none_is_refused(nodes):
    with pytest.raises(ValueError, match=r"."):
        Taxonomy(nodes)


def test_a_label_of_a_file_is_split_into_levels():
    assert split_path("Billing > Refund") == ("Billing", "Refund")
    assert split_path("a>b") == ("a>b",)
    assert split_path(" > ") == ()
