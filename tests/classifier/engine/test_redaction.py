import re
import time
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from classifier.engine import answers, cues, detectors, folding, redaction
from classifier.engine.redaction import Finding, Kind, redact, redact_all
from classifier.engine.text import Speaker, Transcript, Turn

# Each secret stands between « and »; all of it, and nothing else, must go.
SECRETS = [
    (Kind.CARD, "paid with «4111 1111 1111 1111», thanks"),
    (Kind.CARD, "«4111-1111-1111-1111»"),
    (Kind.CARD, "«5500000000000004» exp 12/26"),
    (Kind.CARD, "amex «3782 822463 10005»"),
    (Kind.CARD, "card «4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1» please"),
    (Kind.CARD, "Card «４１１１１１１１１１１１１１１１»"),
    (Kind.CARD, "order «4111111111111111» was a card after all"),
    (Kind.CARD, "«4111\u00a01111\u20111111\u202f1111»"),
    (Kind.CARD, "卡號«4111111111111111»被盜"),
    (Kind.IBAN, "to «GB82 WEST 1234 5698 7654 32» please"),
    (Kind.IBAN, "«DE89370400440532013000»."),
    (Kind.IBAN, "«fr14 2004 1010 0505 0001 3m02 606» et voilà"),
    (Kind.IBAN, "my IBAN is «GB00 WEST 1234 5698 7654 32» and one digit is wrong"),
    (Kind.ACCOUNT, "my account number is «1234567»"),
    (Kind.ACCOUNT, "account number «1234567»"),
    (Kind.ACCOUNT, "acct. no. «12345678», opened in May"),
    (Kind.ACCOUNT, "sort code «12-34-56»"),
    (Kind.ACCOUNT, "sort code and account number: «12-34-56», «12345678»"),
    (Kind.ACCOUNT, "Kontonummer: «0532013000», BLZ «37040044»"),
    (Kind.ACCOUNT, "número de cuenta es «00491500051234567892»"),
    (Kind.ACCOUNT, "我的账号是«6222021234567»"),
    (Kind.PHONE, "call «+44 20 7946 0958» now"),
    (Kind.PHONE, "«+14155550123»"),
    (Kind.PHONE, "«+49 (0)30 1234567»"),
    (Kind.PHONE, "from «0044 20 7946 0958»"),
    (Kind.PHONE, "«＋４４　２０　７９４６　０９５８» or «٠٢٠٧٩٤٦٠٩٥٨»"),
    (Kind.PHONE, "ring «020 7946 0958»"),
    (Kind.PHONE, "I am on «07700 900123»"),
    (Kind.PHONE, "«07700900123»"),
    (Kind.PHONE, "or «(212) 555-0199» or «212-555-0199» or «212.555.0199»"),
    (Kind.PHONE, "Büro «030/1234567», sonst «0171 1234567»"),
    (Kind.PHONE, "au «06 12 34 56 78» le soir"),
    (Kind.PHONE, "al «612 345 678»"),
    (Kind.PHONE, "致電«61234567»"),
    (Kind.PHONE, "«6123 4567»"),
    (Kind.PHONE, "我的手机是«13812345678»，谢谢"),
    (Kind.PHONE, "my mobile number is «7700900123»"),
    (Kind.EMAIL, "write to «bob.smith+x@example.co.uk»."),
    (Kind.EMAIL, "<«bob@example.com»>"),
    (Kind.EMAIL, "«李@例子.公司» 謝謝"),
    (Kind.SECRET, "my password is «hunter»"),
    (Kind.SECRET, "password: «s3cr3t!»"),
    (Kind.SECRET, "Password for my account: «sunshine»"),
    (Kind.SECRET, 'my password is «"correct horse battery"» ok'),
    (Kind.SECRET, "password «hunter22» does not work"),
    (Kind.SECRET, "mi contraseña es «gato»"),
    (Kind.SECRET, "mein Passwort lautet «Sonne77»"),
    (Kind.SECRET, "mon mot de passe est «soleil»"),
    (Kind.SECRET, "我的密码是«abc123»，谢谢"),
    (Kind.SECRET, "密碼：«hello»"),
    (Kind.SECRET, "PIN «1234»"),
    (Kind.SECRET, "my pin is «4321», cvv «123»"),
    (Kind.SECRET, "The verification code is «123 456»"),
    (Kind.SECRET, "código de verificación: «123456»"),
    (Kind.SECRET, "Einmalcode «998877»"),
    (Kind.SECRET, "code de vérification : «445566»"),
    (Kind.SECRET, "验证码«445566»"),
    (Kind.SECRET, "«123456» is your verification code"),
    (Kind.SECRET, "«G-123456» is your Google verification code"),
    (Kind.KEY, "key «AKIAIOSFODNN7EXAMPLE»"),  # gitleaks:allow
    (Kind.KEY, "«ghp_abcdefghijklmnopqrstuvwxyz0123456789»"),
    (
        Kind.KEY,
        "«eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0»",
    ),
    (Kind.KEY, "aws «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY» leaked"),
    (Kind.KEY, "«9f86d081884c7d659a2feaa0c55ad015»"),
    (Kind.KEY, "api key: «a1b2c3d4e5»"),
    (Kind.KEY, "Authorization: Bearer «abc.def-123456»"),
    (Kind.KEY, "https://«bob:hunter2»@example.com/x"),
    (Kind.KEY, "«-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----» after"),
    (Kind.KEY, "password: «-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----»"),
    (Kind.KEY, "«-----BEGIN PRIVATE KEY-----\nMIIB and the rest is cut off»"),
]

ORDINARY = [
    "Order 4400123456 has not come",
    "order number 02079460958",
    "Case 00001234, ticket #12345678, invoice 2024-00012345",
    "We closed my account. 4400123456 is the order",
    "I was charged $1,234.56, €12.99 and 1 234 567,89 kr",
    "USD 4,111,111,111,111,111",
    "between 10 000 000 and 900 000 000 €",
    "on 2024-05-01, 01/02/2024 10:30, 01.02.2024 10:30 and 1.5.24",
    "my account 2024-05-01",
    "from 2024-05-01 2024-06-01 to 2024-07-01 2024-08-01",
    "from 2019-2024, at 09:30-17:45",
    "version 1.2.3.4567, build 10.0.19045.3693",
    "from 192.168.100.200",
    "GB00 WEST 1234 5698 7654 32 is no bank's",
    "parcel 1Z999AA10123456784",
    "order 4111111111111112 since 1700000000000",
    "550e8400-e29b-41d4-a716-446655440000",
    "https://acme.com/lightning/r/Case/5003000000D8cuIAAR/view?x=1",
    "https://shop.example/Summer-Sale-2024-Everything-Must-Go/Shoes",
    "send AccountNumber/FullName/SecurityAnswer1/SecurityAnswer2",
    "Donaudampfschifffahrtsgesellschaft",
    "5003000000D8cuIAAR",
    "iPhone 14 Pro 256 GB, flat 12, SW1A 1AA",
    "call 911, ext 12345",
    "I forgot my password and cannot log in",
    "the password is long forgotten, and the old password was probably too short",
    "my password is wrong. My password is not working",
    "password reset 2 times",
    "the pin was declined 3 times, the pin is wrong",
    "error code 12345, promo code SAVE20, postcode 90210",
    "the token is invalid and the secret is out",
    "follow @support or me@home",
    "my account was charged 1500000 on Monday",
    "account balance is 1,500,000.00",
    "Rechnung 0301234567",
    "coffee for two • tea • cake",
    "[card] holders, see [1]",
]


def marked(text: str) -> tuple[str, list[str]]:
    return re.sub("[«»]", "", text), re.findall("«(.*?)»", text, re.DOTALL)


@pytest.mark.parametrize(("kind", "text"), SECRETS)
def test_secrets_and_personal_numbers_go_and_their_surroundings_stay(kind, text):
    plain, secrets = marked(text)
    fills = re.split("«.*?»", text, flags=re.DOTALL)

    redacted = redact(plain)

    hidden = [plain[found.start : found.end].rstrip(",.") for found in redacted.found]
    assert (hidden, {found.kind for found in redacted.found}) == (secrets, {kind})
    assert re.fullmatch(r"[,.]?.*".join(map(re.escape, fills)), redacted.text, re.DOTALL)


@pytest.mark.parametrize("text", ORDINARY)
def test_prices_dates_orders_and_talk_stay(text):
    assert redact(text).text == text


def test_a_placeholder_names_its_kind_and_has_the_length_of_what_it_hides():
    text = "card 4111111111111111 pin 1234"

    redacted = redact(text)

    assert redacted.text == "card [card••••••••••] pin ••••"
    assert redacted.found == (Finding(Kind.CARD, 5, 21), Finding(Kind.SECRET, 26, 30))


def test_of_overlapping_findings_the_wider_one_stands():
    assert redact("password: AKIAIOSFODNN7EXAMPLE!").found == (Finding(Kind.SECRET, 10, 31),)


def test_every_turn_of_a_transcript_is_redacted_and_keeps_its_speaker():
    turns = (Turn(Speaker.BOT, "PIN?"), Turn(Speaker.CUSTOMER, "pin 1234"))

    redacted = redact_all(Transcript(turns))

    assert redacted.turns == (turns[0], Turn(Speaker.CUSTOMER, "pin ••••"))


@pytest.mark.parametrize(
    ("question", "answer", "kept"),
    [
        ("What is your PIN?", "1234", "••••"),
        ("Please enter your account number", "sure, it's 35153151", "sure, it's ••••••••"),
        ("請輸入驗證碼", "445566", "••••••"),
        ("Ihre Kontonummer bitte", "532013000", "[secret•]"),
        ("¿Cuál es su número de cuenta?", "es 0049150005", "es [secret••]"),
        ("Do you have an account? Which order is it?", "4400123456", "4400123456"),
        ("Which card did you use, and how much was it?", "1500", "1500"),
        ("What is your password?", " hunter2 ", " ••••••• "),
        ("What is your PIN?", "1234 since 2024-05-01", "•••• since 2024-05-01"),
        ("What is your phone number?", "I paid $1500 or 1500 €", "I paid $1500 or 1500 €"),
        ("Did you forget your password?", "Yes!", "Yes!"),
        ("Your PIN or password?", "1234-5678!", "[secret••]"),
        ("Your PIN or password?", "!1234-5678", "[secret••]"),
        ("Which order is it?", "4400123456", "4400123456"),
        ("Your PIN is safe with us.", "4400123456", "4400123456"),
        ("Your account number?", "4400123456 " + "and a story " * 9, None),
    ],
)
def test_a_bare_number_goes_when_it_answers_a_question_for_one(question, answer, kept):
    turns = (Turn(Speaker.BOT, question), Turn(Speaker.CUSTOMER, answer))

    redacted = redact_all(Transcript(turns))

    assert redacted.turns[1].text == (answer if kept is None else kept)
    assert redact_all(redacted) == redacted


def test_the_answer_may_come_after_a_second_message():
    turns = (
        Turn(Speaker.BOT, "PIN?"),
        Turn(Speaker.CUSTOMER, "ok"),
        Turn(Speaker.CUSTOMER, "1234"),
    )

    assert redact_all(Transcript(turns)).turns[2].text == "••••"


def test_nobody_answers_their_own_question():
    turns = (Turn(Speaker.BOT, "Your PIN?"), Turn(Speaker.BOT, "Case 4400123456"))

    assert redact_all(Transcript(turns)).turns == turns


FRAGMENTS = [marked(text)[0] for _, text in SECRETS] + ORDINARY
FRAGMENTS += [
    "•",
    "••••",
    "[card••]",
    "[phone•••]",
    "password",
    "is",
    ":",
    " ",
    "\n",
    "+",
    "0",
    "4",
]
FRAGMENTS += [
    "pin",
    "account",
    "@",
    "1234567",
    "-",
    "/",
    "[",
    "]",
    "(",
    ".",
    "İ",
    '"',
    "密码",
    "call",
]
anything = st.text(st.characters(exclude_categories=()), max_size=12)
conversations = st.lists(st.sampled_from(FRAGMENTS) | anything, max_size=8).map("".join)
spaced = st.lists(st.sampled_from(FRAGMENTS) | anything, max_size=8).map(" ".join)


@given(conversations | spaced)
@example("•4111111111111111")
def test_the_length_stays_and_only_what_was_found_changes(text):
    redacted = redact(text)

    assert len(redacted.text) == len(text)
    kept, reached = [], 0
    for found in redacted.found:
        kept.append((reached, found.start))
        reached = found.end
    assert all(redacted.text[a:b] == text[a:b] for a, b in [*kept, (reached, len(text))])


@given(conversations | spaced)
def test_of_a_finding_nothing_is_left(text):
    redacted = redact(text)

    for found in redacted.found:
        assert redaction.PLACEHOLDER.fullmatch(redacted.text, found.start, found.end)


@given(conversations | spaced)
def test_redacting_twice_changes_nothing_more(text):
    once = redact(text).text

    assert redact(once).text == once


ADVERSARIAL = [
    "1 ",
    "1",
    "@",
    "a@",
    "a.",
    "a" * 255 + " @",
    "password ",
    "password:",
    "password: “",
]
ADVERSARIAL += [
    "token:",
    "eyJ",
    "-----BEGIN PRIVATE KEY-----",
    "account 123456 ",
    "+1 ",
    "GB82 ",
]
ADVERSARIAL += [
    "0123 ",
    "sk_",
    "A",
    "://a:",
    "pin is ",
    "-",
    "•",
    "[card•",
    "123 ",
    "123456 is your ",
]
ADVERSARIAL += ["İ", "密码", "\u0301", " ", "(0", "iban "]


@pytest.mark.parametrize("unit", ADVERSARIAL)
@pytest.mark.parametrize("read", [redact, folding.fold], ids=["redact", "fold"])
def test_four_times_the_text_takes_about_four_times_the_work(unit, read):
    small, large = (unit * (size // len(unit)) + "!" for size in (25_000, 100_000))

    growth = cpu_seconds(read, large) / cpu_seconds(read, small)

    assert growth < 9  # quadratic: 16


def cpu_seconds(read: Callable[[str], object], text: str) -> float:
    """Return the least processor time of a few runs: other programs' work does not count."""

    def once() -> float:
        begun = time.process_time()
        read(text)
        return time.process_time() - begun

    return min(once() for _ in range(3)) + 1e-4


PATTERNS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": value
    for module in (answers, cues, detectors, folding, redaction)
    for name, value in vars(module).items()
    if isinstance(value, re.Pattern)
}


@pytest.mark.parametrize("name", PATTERNS)
def test_no_pattern_can_backtrack_without_bound(name):
    parsed = re._parser.parse(PATTERNS[name].pattern, PATTERNS[name].flags)

    assert list(greedy_without_bound(parsed)) == []


def greedy_without_bound(parsed):
    for operation, argument in parsed:
        is_greedy = operation in {re._constants.MAX_REPEAT, re._constants.MIN_REPEAT}
        if is_greedy and argument[1] is re._constants.MAXREPEAT:
            yield operation, argument
        for part in argument if isinstance(argument, tuple | list) else ():
            for branch in part if isinstance(part, list) else [part]:
                if isinstance(branch, re._parser.SubPattern):
                    yield from greedy_without_bound(branch)
