"""What of an e-mail its sender wrote."""

import time

import pytest

from sfsync.sources.quoted import own_words

SAID = "My card is broken."
HISTORIES = {
    "English": "On Mon, 5 May 2026 at 10:00, Ann Bee <ann@example.org> wrote:\n> How can I help?",
    "English, broken in two": (
        "On Mon, 5 May 2026 at 10:00, Ann Bee of Support\n<ann@example.org> wrote:\n> How can I?"
    ),
    "English, Outlook": (
        "From: Ann Bee <ann@example.org>\nSent: Monday, 5 May 2026 10:00\nTo: Max\n"
        "Subject: Card\n\nHow can I help?"
    ),
    "English, old Outlook": "-----Original Message-----\nFrom: Ann\nSent: Monday\n\nHow can I help?",
    "German": "Am 05.05.2026 um 10:00 schrieb Ann Bee <ann@example.org>:\n> Guten Tag",
    "German, Outlook": (
        "Von: Ann Bee <ann@example.org>\nGesendet: Montag, 5. Mai 2026 10:00\nAn: Max\n"
        "Betreff: Karte\n\nGuten Tag"
    ),
    "French": "Le lun. 5 mai 2026 à 10:00, Ann Bee <ann@example.org> a écrit :\n> Bonjour",
    "Spanish": "El lun, 5 may 2026 a las 10:00, Ann (<ann@example.org>) escribió:\n> Hola",
    "Italian": "Il giorno lun 5 mag 2026 alle 10:00 Ann <ann@example.org> ha scritto:\n> Ciao",
    "Dutch": "Op ma 5 mei 2026 om 10:00 schreef Ann <ann@example.org>:\n> Hallo",
    "Portuguese": "Em seg., 5 de mai. de 2026 às 10:00, Ann <a@example.org> escreveu:\n> Olá",
    "Chinese": "Ann Bee <ann@example.org> 于2026年5月5日周二 10:00写道：\n> 您好",
    "Chinese, QQ": (
        "------------------ 原始邮件 ------------------\n发件人: Ann\n发送时间: 2026年5月5日\n\n您好"
    ),
}
CLOSINGS = {
    "English": "Kind regards,\nMax Doe\n+44 20 7946 0000",
    "English, thanks": "Thanks,\nMax",
    "German": "Mit freundlichen Grüßen\nMax Muster",
    "French": "Cordialement,\nMax",
    "Spanish": "Un saludo,\nMax",
    "phone": "Sent from my iPhone",
    "two dashes": "-- \nMax Doe\nAcme Ltd",
}
FORWARDED = (
    "---------- Forwarded message ---------\nFrom: Bob <bob@example.org>\n"
    "Date: Mon, 5 May 2026\nSubject: card\nTo: <me@example.org>\n\nMy card is broken."
)


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
def test_quoted_history_is_cut_in_many_languages(history):
    assert own_words(f"{SAID}\n\n{history}") == SAID


@pytest.mark.parametrize("closing", CLOSINGS.values(), ids=CLOSINGS)
def test_a_signature_is_cut(closing):
    assert own_words(f"{SAID}\n\n{closing}") == SAID


def test_lines_end_as_windows_ends_them():
    assert own_words(f"{SAID}\r\n\r\n{HISTORIES['English']}".replace("\n", "\r\n")) == SAID


def test_an_answer_below_the_quote_is_found():
    assert own_words(f"{HISTORIES['English']}\n\n{SAID}") == SAID


def test_answers_between_quoted_lines_are_all_found():
    text = (
        "On Mon, 5 May 2026 at 10:00, Ann <ann@example.org> wrote:\n"
        "> Which card?\nThe blue one.\n> Since when?\nYesterday."
    )

    assert own_words(text) == "The blue one.\nYesterday."


def test_who_only_quotes_has_said_nothing():
    assert own_words(HISTORIES["English"]) == ""


def test_a_message_passed_on_without_a_word_is_the_senders_word():
    assert own_words(FORWARDED) == SAID


@pytest.mark.parametrize(
    "text",
    [
        "I have two problems:\n- the card is lost\n- the PIN is unknown\nPlease help.",
        "Hello,\nThank you, but my refund has still not arrived, and it was promised for May.",
        "He wrote:\nI was charged twice.",
        "To: be honest, I do not know.\nFrom: Monday on it fails.",
        "Thanks, that worked!",
    ],
    ids=["list", "thanks in a sentence", "no date", "not a header", "only thanks"],
)
def test_ordinary_sentences_are_not_cut(text):
    assert own_words(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "On " * 40_000,
        "Am Am \n" * 20_000,
        "> " * 60_000,
        "\n" * 200_000,
        "From: a\n" * 20_000,
        ("Le " + "a" * 290 + "\n") * 3_000,
        "_" * 100_000,
        "2024年1月1日" * 20_000,
    ],
    ids=range(8),
)
def test_no_text_takes_long(text):
    started = time.perf_counter()

    own_words(text)

    assert time.perf_counter() - started < 5.0
