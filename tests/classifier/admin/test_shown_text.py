from classifier.admin.shown_text import Mark, preview, segments, visible


def marked(text, *spans):
    marks = [Mark(start, end, because, is_rule) for start, end, because, is_rule in spans]
    return [(one.text, one.kind) for one in segments(text, marks)]


def test_a_text_without_evidence_is_one_segment():
    assert marked("Where is my money?") == [("Where is my money?", "")]


def test_a_span_is_cut_out_exactly():
    assert marked("my money back", (3, 8, "rule", True)) == [
        ("my ", ""),
        ("money", "rule"),
        (" back", ""),
    ]


def test_overlapping_evidence_of_rule_and_model_is_shown_as_both():
    shown = marked("my money back", (0, 8, "rule", True), (3, 13, "model", False))

    assert shown == [("my ", "rule"), ("money", "both"), (" back", "model")]


def test_offsets_beyond_the_text_are_cut_off():
    assert marked("money", (3, 99, "rule", True), (50, 60, "rule", True)) == [
        ("mon", ""),
        ("ey", "rule"),
    ]


def test_each_ground_is_told_once_in_the_tooltip():
    marks = [Mark(0, 5, "Rule a.", is_rule=True), Mark(0, 5, "Rule a.", is_rule=True)]

    assert segments("money", marks)[0].because == "Rule a."


def test_characters_that_reorder_text_are_shown_instead_of_obeyed():
    assert visible("pay \u202eKNAB\u202c now") == "pay ⟨U+202E⟩KNAB⟨U+202C⟩ now"


def test_line_breaks_and_joined_emoji_stay_as_they_are():
    assert (
        visible("one\n\ttwo \U0001f468\u200d\U0001f469")
        == "one\n\ttwo \U0001f468\u200d\U0001f469"
    )


def test_offsets_count_the_text_as_received_not_as_shown():
    text = "\u202eabc"

    assert marked(text, (1, 4, "rule", True)) == [("⟨U+202E⟩", ""), ("abc", "rule")]


def test_the_preview_shows_the_customers_first_words():
    turns = [
        {"speaker": "bot", "text": "Hi, how can I help?"},
        {"speaker": "customer", "text": "I want\n my  money back " + "now " * 50},
    ]

    assert preview(turns, 24) == "I want my money back no…"


def test_the_preview_of_silence_is_empty():
    assert preview([{"speaker": "representative", "text": "Hello?"}]) == ""
