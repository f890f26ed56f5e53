import unicodedata
from itertools import accumulate, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from classifier.engine.folding import (
    CLUSTER_CHARACTERS,
    Folded,
    fold,
    fold_lines,
    is_word_border,
)

TRICKY = [
    "ﬁ",
    "ß",
    "İ",
    "e\u0301",
    "\u0327",
    "\u200f",
    "\u200b",
    "👩\u200d💻",
    "\ud800",
    "\0",
    "ﷺ",
]
TRICKY += [
    "  ",
    "\r\n",
    "か\u3099",
    "ｶﾞ",
    "\u1112\u1161\u11ab",
    "ที่",
    "ŉ",
    "\u309b",
    "\u00a0",
    "’",
    "ＡＢ",
]
anything = st.text(st.characters(exclude_categories=()) | st.sampled_from("aA \n"), max_size=40)
texts = st.lists(st.sampled_from(TRICKY) | anything, max_size=8).map("".join)


def slices(text: str, folded: Folded) -> list[str]:
    return [text[slice(*folded.span(i, i + 1))] for i in range(len(folded.text))]


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Money\n\t back ", "money back"),
        ("  refund", "refund"),
        ("Résiliation à CAFÉ", "resiliation a cafe"),
        ("cafe\u0301", "cafe"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("ﬁnance", "finance"),
        ("ＲＥＦＵＮＤ　１２", "refund 12"),
        ("ref\u200fund\u202e", "refund"),
        ("a \u200b b", "a b"),
        ("don’t e‑mail", "don't e-mail"),
        ("想退錢", "想退钱"),
        ("我哋個app死咗機", "我哋个app死咗机"),
        ("東京で返品したい", "东京で返品したい"),
        ("한국어", "한국어"),
        ("ㅋㅋㅠㅠ", "ㅋㅋㅠㅠ"),
        ("か\u3099 ｶﾞｰﾄﾞ", "が ガード"),
        ("ไม่ได้", "ไม่ได้"),
        ("हिन्दी", "हिन्दी"),
        ("كِتَابٌ", "كتاب"),
        ("Ёлка", "елка"),
        ("\ud800 x", "\ud800 x"),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_case_accents_width_and_white_space_are_folded_and_letters_stay(text, folded):
    assert fold(text).text == folded


@pytest.mark.parametrize(
    "same",
    [
        ["退款還沒到帳", "退款还没到帐"],
        ["裏面", "裡面", "里面"],
        ["衞生", "衛生", "卫生"],
        ["著急", "着急"],
        ["麵條", "麪條", "面条"],
        ["說", "説", "说", "\uf96f"],
        ["金\u9ec3\ufe00", "金黄"],
    ],
)
def test_the_ways_in_which_chinese_is_written_fold_to_one(same):
    assert {fold(text).text for text in same} == {fold(same[-1]).text}


def test_folding_chinese_moves_no_offset():
    text = "Refund 還沒到帳 please"

    folded = fold(text)

    assert slices(text, folded) == list(text)


def test_a_span_leads_back_to_the_characters_as_typed():
    text = "Le  cafe\u0301 – ﬁn"

    folded = fold(text)

    assert folded.text == "le cafe - fin"
    assert text[slice(*folded.span(3, 7))] == "cafe\u0301"
    assert slices(text, folded)[10:] == ["ﬁ", "ﬁ", "n"]


def test_hidden_marks_within_a_word_belong_to_its_span_and_those_around_do_not():
    text = "\u202bref\u200fund\u202c"

    assert fold(text).span(0, 6) == (1, 8)


@pytest.mark.parametrize(("start", "end"), [(0, 0), (2, 1), (-1, 2), (0, 4)])
def test_it_refuses_what_is_not_a_span(start, end):
    with pytest.raises(ValueError, match="not a span of 3 characters"):
        fold("fee").span(start, end)


@given(texts)
@example("ﬁ\u200b")
@example("ᄏ\u0301\u1161")
def test_folding_twice_changes_nothing_more(text):
    once = fold(text).text

    assert fold(once).text == once


@given(texts)
def test_spans_follow_one_another_and_stay_within_the_text(text):
    folded = fold(text)

    spans = [folded.span(i, i + 1) for i in range(len(folded.text))]

    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(one == two or one[1] <= two[0] for one, two in pairwise(spans))


@given(texts, st.data())
def test_the_slice_of_a_span_folds_to_what_the_span_was_asked_for(text, data):
    folded = fold(text)
    if not folded.text:
        return
    start = data.draw(st.integers(0, len(folded.text) - 1))
    end = data.draw(st.integers(start + 1, len(folded.text)))

    first, last = folded.span(start, end)

    assert folded.text[start:end].strip(" ") in fold(text[first:last]).text


@given(st.text(st.characters(codec="ascii")))
def test_ascii_is_lowered_and_its_white_space_joined(text):
    assert fold(text).text == " ".join(text.lower().split())


@given(texts)
def test_canonically_equal_texts_fold_alike(text):
    assert fold(unicodedata.normalize("NFD", text)).text == fold(text).text


@pytest.mark.parametrize("plane", range(0x11))
def test_every_code_point_folds_to_something_stable(plane):
    unstable = [
        hex(code)
        for code in range(plane << 16, (plane + 1) << 16, 1 if plane < 3 else 97)
        if fold(once := fold(chr(code)).text).text != once
    ]

    assert unstable == []


def test_a_pile_of_a_hundred_thousand_marks_is_one_character():
    text = "e" + "\u0301\u0327" * 50_000 + "s"

    folded = fold(text)

    assert folded.text == "es"
    assert folded.span(0, 1) == (0, 100_001)


def test_of_a_pile_of_vowel_signs_only_the_start_is_read():
    assert len(fold("क" + "\u0941" * 1000).text) == CLUSTER_CHARACTERS


@pytest.mark.parametrize(
    ("text", "position", "is_border"),
    [
        ("coffee", 3, False),
        ("fee.", 3, True),
        ("e-mail", 2, True),
        ("l'abonnement", 2, True),
        ("won't", 3, False),
        ("customer's", 8, True),
        ("'twas", 0, True),
        ("fee_2", 3, False),
        ("想退錢", 1, True),
        ("ガード", 1, True),
        ("한국", 1, True),
        ("ไม่", 1, True),
        ("用card付", 1, True),
        ("हिन्दी", 2, False),
        ("naïve", 2, False),
        ("fee", 0, True),
        ("fee", 3, True),
    ],
)
def test_words_end_where_their_script_ends_them(text, position, is_border):
    assert is_word_border(text, position) is is_border


@given(st.lists(st.text(st.sampled_from("aB \t\n\x01\x1c."), max_size=6), max_size=4))
def test_texts_in_ascii_fold_together_to_what_each_folds_to(texts):
    folded = fold_lines(texts)

    alone = [fold(text) for text in texts]
    assert folded.text == "\n".join(each.text for each in alone)
    begins = list(accumulate((len(text) + 1 for text in texts), initial=0))
    places = [
        begins[number] + each.span(at, at + 1)[0] if at < len(each.text) else None
        for number, each in enumerate(alone)
        for at in range(len(each.text) + (number < len(alone) - 1))
    ]
    assert len(folded.origins) == len(places)
    assert all(
        place is None or place == origin
        for place, origin in zip(places, folded.origins.tolist(), strict=True)
    )
