"""Cues: words after which a secret or a personal number follows ("my PIN is …"), to redact it."""

import re
from collections.abc import Iterator
from typing import Protocol, cast

import ahocorasick

Place = tuple[int, int]
"""Half-open code-point offsets."""

_FILL = "•"  # a value made of nothing else is hidden already
_STARTS, _ENDS = "(?<![A-Za-z0-9])", "(?![A-Za-z0-9])"  # Chinese may touch a number

# What may stand between a cue and its value. Each list is tried at most _FILLERS times, so that
# a cue costs a constant however the text is built.
_FILLERS = 10
_COPULA = "is|was|are|es|era|ist|war|lautet|est|était|是|为|為|係"
_POSSESSIVES = "my|the|your|mi|su|tu|meine|mein|dein|ihr|mon|ma|votre|我的|我"
_NUMBER_WORDS = (
    r"numbers|number|num\.?|no\.?|nr\.?|nummer|números|número|numero|numéro|n°|nº"
    "|号码|号|號碼|號|碼|码"
)


def passwords(text: str) -> Iterator[Place]:
    """Yield what follows "password": always after a colon, else unless it is an ordinary word."""
    reached = 0
    for cue_end in _PASSWORD_CUES.ends(text):
        place = _password(text, cue_end) if cue_end >= reached else None
        if place:
            yield place
            reached = place[1]


def codes(text: str) -> Iterator[Place]:
    """Yield PINs, card security codes and one-time codes: digits, or a token with a digit."""
    for cue_end in _CODE_CUES.ends(text):
        if found := _CODE.match(text, cue_end):
            yield found.span("value")
    for found in _CODE_FIRST.finditer(text):
        yield found.span("value")


def tokens(text: str) -> Iterator[Place]:
    """Yield what follows "API key", "token" or "client secret" and looks like one."""
    reached = 0
    for cue_end in _TOKEN_CUES.ends(text):
        found = _TOKEN.match(text, cue_end) if cue_end >= reached else None
        if found:
            yield found.span("value")
            reached = found.end()


def accounts(text: str) -> Iterator[Place]:
    """Yield account numbers, sort codes and the like, also several in a row."""
    reached = 0
    for cue_end in _ACCOUNT_CUES.ends(text):
        found = _ACCOUNT.match(text, cue_end) if cue_end >= reached else None
        while found:
            if not is_date(found["value"]):
                yield found.span("value")
            reached = found.end()
            found = _ACCOUNT_MORE.match(text, reached)


def phones(text: str) -> Iterator[Place]:
    """Yield numbers of 7 to 15 digits, in whatever form, that somebody is to call."""
    for cue_end in _PHONE_CUES.ends(text):
        found = _PHONE.match(text, cue_end)
        if found and not is_date(found["value"]):
            yield found.span("value")


def names_number(text: str) -> bool:
    """Say whether a text speaks of a PIN or code, or of an account, card or phone *number*."""
    return next(_CODE_CUES.ends(text), None) is not None or bool(_NUMBER_OF.search(text))


def names_password(text: str) -> bool:
    return next(_PASSWORD_CUES.ends(text), None) is not None


def is_date(text: str, start: int = 0) -> bool:
    """Say whether a calendar date begins there: 2024-05-01, 01/05/2024, 1.5.24."""
    return _DATE.match(text, start) is not None


_DATE = re.compile(
    r"(?:\d{4}([./\- ])\d{1,2}\1\d{1,2}|\d{1,2}([./\- ])\d{1,2}\2(?:19|20)\d{2}"
    r"|\d{1,2}([./])\d{1,2}\3\d{2})(?![./\-]?\d)"
)


class _Finder(Protocol):
    def iter(self, text: str, /) -> Iterator[tuple[int, int]]:
        """Yield the offset of the last character and the length of every cue in the text."""


class _Cues:
    """A list of words, found in one pass over a text of any length."""

    def __init__(self, words: str) -> None:
        finder = ahocorasick.Automaton()
        for word in words.split("|"):
            finder.add_word(word, len(word))
        finder.make_automaton()
        self._finder = cast("_Finder", finder)

    def ends(self, text: str) -> Iterator[int]:
        """Yield where a cue ends that is a word of its own (Chinese: anywhere)."""
        lowered = text.lower()
        if len(lowered) != len(text):  # İ grows: keep the offsets, give up the case of its like
            lowered = "".join(low if len(low := char.lower()) == 1 else char for char in text)
        for last, length in self._finder.iter(lowered):
            start, end = last + 1 - length, last + 1
            if not (_is_cut(lowered, start) or _is_cut(lowered, end)):
                yield end


def _is_cut(text: str, position: int) -> bool:
    """Say whether ``position`` lies within a word of Latin letters."""
    if not 0 < position < len(text):
        return False
    return all(
        char.isalpha() and char < _FIRST_UNSPACED for char in text[position - 1 : position + 1]
    )


_FIRST_UNSPACED = "\u2e80"

_PASSWORD_CUES = _Cues(
    "password|passwort|passphrase|passwd|pwd|kennwort|contraseña|contrasena|clave|mot de passe"
    "|mdp|passcode|pass code|密码|密碼|口令|登入碼"
)
_QUOTED = r"[\"“«][^\"“”«»\n]{1,200}+[\"”»]\S*+"
_ASSIGNED = re.compile(
    r"(?:[ \t]*+(?:\((?:new|old)\)|for|of|to|new|old|current|account|login|de|del|para|la|für"
    rf"|pour|{_POSSESSIVES}|{_COPULA})(?![a-z])){{0,5}}+\s*+[:=：＝]\s*+(?P<value>{_QUOTED}|\S++)",
    re.IGNORECASE,
)
_TOLD = re.compile(
    rf"(?:\s++(?P<copula>{_COPULA})(?![^\W_]))?+\s++(?P<value>{_QUOTED}|\S++)", re.IGNORECASE
)
_TOLD_IN_CHINESE = re.compile(r"\s*+(?P<copula>是|为|為|係)?\s*+(?P<value>[\x21-\x7e]++)")


def _password(text: str, cue_end: int) -> Place | None:
    assigned = _ASSIGNED.match(text, cue_end)
    if assigned:
        return None if _is_hidden(assigned["value"]) else assigned.span("value")
    pattern = _TOLD if text[cue_end - 1] < _FIRST_UNSPACED else _TOLD_IN_CHINESE
    told = pattern.match(text, cue_end)
    if told and _is_password(told["value"], is_told=bool(told["copula"])):
        return told.span("value")
    return None


def _is_hidden(value: str) -> bool:
    """Say whether a value is a placeholder already, with at most punctuation around it."""
    return not value.strip(_FILL + "\"'“”‘’«»,.;:!?()[]")


def _is_password(value: str, *, is_told: bool) -> bool:
    """Tell "my password is hunter" from "my password is wrong", and "password x1y2" from talk."""
    if _is_hidden(value):
        return False
    if len(value) >= _PASSWORD_CHARACTERS and any(char.isdigit() for char in value):
        return True
    return is_told and value.strip(",.;:!?()\"'…").lower() not in _SAID_OF_PASSWORDS


_PASSWORD_CHARACTERS = 4
_ORDINARY_WORDS = (
    # English
    "a about actually again all already also always an any asked asking at because been being "
    "blocked broken case changed compromised correct denied different disabled due easy empty "
    "enough entered expired expiring failing fine forgotten for from gone good hacked hard he "
    "i if in incorrect invalid it just known leaked locked lost missing my necessary needed "
    "never new no not now of ok okay old on only or our out outdated please rejected reset "
    "required right safe same saved saying secure set she showing so something still stolen "
    "strong stuck suddenly that the there they this to too unable unknown unrecognised "
    "unrecognized updated used valid very weak what when where which why with working wrong "
    "you your apparently completely constantly currently definitely far long longer maybe "
    "most obviously perhaps possibly probably quite really short shorter simple simply "
    "supposedly temporary totally "
    # Spanish
    "correcta incorrecta inválida invalida errónea erronea la el mi no muy bloqueada caducada "
    # German
    "falsch richtig ungültig abgelaufen gesperrt nicht zu das die der mein vergessen "
    # French
    "incorrect correct faux fausse erroné erronée invalide bloqué expiré perdu pas le trop "
    "toujours"
)
_SAID_OF_PASSWORDS = frozenset(_ORDINARY_WORDS.split())

_CODE_CUES = _Cues(
    "pin|pins|otp|tan|mtan|cvv|cvv2|cvc|cvc2|one-time code|one time code|one-time password"
    "|one time password|one-time passcode|one time passcode|verification code|security code"
    "|confirmation code|authentication code|auth code|access code|login code|sign-in code"
    "|2fa code|sms code|passcode|password|código de verificación|codigo de verificacion"
    "|código de seguridad|codigo de seguridad|código de confirmación|código de acceso|clave"
    "|contraseña|bestätigungscode|sicherheitscode|einmalcode|verifizierungscode|zugangscode"
    "|sms-code|passwort|code de vérification|code de verification|code de sécurité"
    "|code de securite|code de confirmation|code d'accès|code secret|code sms|mot de passe"
    "|验证码|驗證碼|校验码|動態密碼|动态密码|安全码|安全碼|密码|密碼|個人識別碼|个人识别码"
)
_CODE = re.compile(
    rf"(?:[\s:#=()：＝\-]|code|{_NUMBER_WORDS}|{_COPULA}|{_POSSESSIVES}){{0,{_FILLERS}}}+"
    rf"(?P<value>{_STARTS}(?:\d(?:[ \-]?\d){{2,9}}"
    rf"|(?=[a-z\-]{{0,11}}\d)[a-z0-9](?:[a-z0-9]|-(?!\s)){{3,11}})){_ENDS}",
    re.IGNORECASE,
)
_CODE_FIRST = re.compile(  # as text messages have it: "G-123456 is your verification code"
    r"(?<![\w\-.,/])(?P<value>(?:[A-Z]-)?\d{3,4}[ \-]?\d{0,5})(?![\w\-])\s++(?:is|es|ist|est)\s++"
    r"(?:your|the|my|tu|su|ihr|dein|votre|ton)\s++(?:[\w'-]{1,20}\s++){0,3}"
    r"(?:code|pin|otp|tan|passcode|password|código|codigo|passwort|mot de passe)(?!\w)",
    re.IGNORECASE,
)

_TOKEN_CUES = _Cues(
    "api key|api-key|api_key|apikey|api token|access key|access token|access_token|auth token"
    "|auth_token|authorization|bearer|client secret|client_secret|secret key|secret_key|secret"
    "|private key|refresh token|refresh_token|session token|security token|token"
)
_TOKEN = re.compile(
    rf"(?:[\s:=\"'`：＝]|id|bearer|{_COPULA}|{_POSSESSIVES}){{0,{_FILLERS}}}+(?P<value>{_STARTS}"
    r"(?=[^\s\d]{0,200}+\d)(?=[^\sA-Za-z]{0,200}+[A-Za-z])[^\s\"'`•]{8,}+)",
    re.IGNORECASE,
)

_ACCOUNT_CUES = _Cues(
    "account|acct|acct.|a/c|acc|acc.|sort code|sort-code|sortcode|routing|aba|bsb|cuenta"
    "|konto|kontonummer|kontonr|kto|kto.|blz|bankleitzahl|compte|rib"
    "|账号|賬號|帳號|帐号|账户|賬戶|帳戶|户口|戶口"
)
_ACCOUNT_FILLERS = (
    rf"{_NUMBER_WORDS}|{_COPULA}|{_POSSESSIVES}|codes|code|and|und|id|y|et|de|bank|savings"
    "|checking|current|sort|account"
)
_ACCOUNT_VALUE = rf"(?P<value>{_STARTS}\d(?:[ \-]?\d){{5,}}+){_ENDS}(?![.,]\d)"
_ACCOUNT = re.compile(
    rf"(?:[\s:#=/()：\-]|{_ACCOUNT_FILLERS}){{0,{_FILLERS}}}+{_ACCOUNT_VALUE}", re.IGNORECASE
)
_ACCOUNT_MORE = re.compile(
    rf"(?:[\s:#=/()：\-,;&]|{_ACCOUNT_FILLERS}){{1,{_FILLERS}}}+{_ACCOUNT_VALUE}", re.IGNORECASE
)

_NUMBER_OF = re.compile(
    r"\b(?:account|acct|phone|telephone|mobile|cell|contact|card|sort|routing|cuenta|tarjeta|compte"
    r"|teléfono|téléphone|carte)\b.{0,15}?\b(?:number|no|code|digits)\b"
    r"|\b(?:número|numero|numéro)\b.{0,15}?\b(?:cuenta|tarjeta|teléfono|compte|carte|téléphone)\b"
    r"|\b(?:konto|karten|telefon|handy)(?:nummer|nr)\b|账号|賬號|帳號|卡号|卡號|电话|電話|手机|手機",
    re.IGNORECASE,
)
_PHONE_CUES = _Cues(
    "phone|telephone|tel|tel.|mobile|cell|cellphone|whatsapp|call|text|ring|dial|fax|landline"
    "|teléfono|telefono|móvil|movil|celular|llame|llámame|llamame|telefon|telefonnummer|handy"
    "|handynummer|rufnummer|mobil|téléphone|portable|appelez|appeler|rappelez"
    "|电话|電話|手机|手機|手提|致电|致電"
)
_PHONE = re.compile(
    rf"(?:[\s:#=(：\-]|{_NUMBER_WORDS}|{_COPULA}|{_POSSESSIVES}|me|us|at|on|back|please|again"
    rf"|under|unter|al|au|en|sur){{0,{_FILLERS}}}+"
    rf"(?P<value>{_STARTS}\+?\(?\d(?:[ .()/\-]{{0,2}}\d){{6,14}}){_ENDS}(?![.,]\d)",
    re.IGNORECASE,
)
