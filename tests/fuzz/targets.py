"""What is fuzzed: each target reads any bytes, and checks what is promised of any bytes."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from classifier.engine import artifact
from classifier.engine.cascade import classify
from classifier.engine.counterfactual import counterfactual
from classifier.engine.errors import ArtifactRefused, RuleInvalid
from classifier.engine.folding import fold
from classifier.engine.grammar import ANYBODY, Condition, Effect, explain
from classifier.engine.intake import admitted, decoded
from classifier.engine.learning import learn
from classifier.engine.policy import Policy
from classifier.engine.recipe import Recipe
from classifier.engine.redaction import redact
from classifier.engine.rulelang import costs, echo, from_json, parse, to_json, to_text
from classifier.engine.rules import Rule, RuleBook
from classifier.engine.taxonomy import Node, Taxonomy
from classifier.engine.text import Speaker, Transcript, Turn
from classifier.engine.text_model import TextModel
from classifier.engine.verdict import Verdict
from sfsync.cases import CASE_PREFIX
from sfsync.doors.soap import MOST_NOTIFICATIONS, EnvelopeRefused, parsed
from sfsync.local_org.envelope import Told, to_envelope
from sfsync.local_org.ids import new_id
from tests.classifier.engine.words import NAMES, examples
from tests.fuzz import inputs
from tests.fuzz.change_events import change_event, told_event

TURN_ENDS = "\n\n"
SPEAKERS = tuple(Speaker)
NOISE = 2  # inputs in a hundred that are no text at all
FULL_ID = 18
NEAR = 1e-3
"""Logits: margins are kept in single precision."""


class PromiseBroken(AssertionError):
    """An input was read, and what came out is not what is promised."""


def must(claim: object, promise: str) -> None:
    if not claim:
        raise PromiseBroken(promise)


def as_text(raw: bytes) -> str:
    """Return any bytes as any text: lone surrogates as they are, what is no UTF-8 as surrogates."""
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "surrogateescape")


def as_turns(text: str) -> Transcript:
    turns = text.split(TURN_ENDS)
    return Transcript(tuple(Turn(SPEAKERS[n % 3], said) for n, said in enumerate(turns)))


def folding(raw: bytes) -> None:
    text = as_text(raw)
    folded = fold(text)
    must(fold(folded.text).text == folded.text, "folding twice changes nothing more")
    reached = 0
    for at in range(0, len(folded.text), 1 + len(folded.text) // 50):
        start, end = folded.span(at, at + 1)
        must(0 <= start < end <= len(text), "a span lies in the text")
        must(start >= reached or folded.wholes, "spans follow one another")
        reached = start


def redaction(raw: bytes) -> None:
    text = as_text(raw)
    redacted = redact(text)
    must(len(redacted.text) == len(text), "a placeholder has the length of what it hides")
    must(redact(redacted.text).text == redacted.text, "redacting twice changes nothing more")
    for finding in redacted.found:
        must(0 <= finding.start < finding.end <= len(text), "a finding lies in the text")


def intake(raw: bytes) -> None:
    said = admitted(as_turns(decoded(raw)))
    for turn in said.turns:
        must("\0" not in turn.text, "no NUL is kept")
        json.dumps(turn.text, ensure_ascii=False).encode()
    json.dumps([turn.text for turn in admitted(as_turns(as_text(raw))).turns]).encode()


def cascade(raw: bytes) -> None:
    said = admitted(as_turns(as_text(raw)))
    world = _world()
    (verdict,) = classify([said], world.rulebook, world.model, world.policy)
    for reason in (*verdict.reasons, *verdict.suggestions):
        must(0 <= reason.score <= 1, "a score is a probability")
        for one in reason.evidence:
            must(one.end <= len(said.turns[one.turn].text), "evidence lies in the text")


def together(raw: bytes) -> None:
    """Each turn is a conversation of its own; enough of them that none is decided alone."""
    turns = as_text(raw).split(TURN_ENDS)
    said = [admitted(as_turns(turn)) for turn in (*turns, "my parcel is late", *turns, "é", "")]
    world = _world()
    verdicts = classify(said, world.rulebook, world.model, world.policy)
    for one, verdict in zip(said, verdicts, strict=True):
        (alone,) = classify([one], world.rulebook, world.model, world.policy)
        must(
            _told(verdict) == _told(alone), "a text is told alone what it is told among others"
        )


def _told(verdict: Verdict) -> list[tuple[object, ...]]:
    """Return what is said, without figures: margins are kept in single precision."""
    return [
        (reason.category, reason.ground, [one[:-1] for one in reason.evidence])
        for reason in (*verdict.reasons, *verdict.suggestions)
    ]


def explanation(raw: bytes) -> None:
    said = admitted(as_turns(as_text(raw)))
    model = _world().model
    label = model.labels[len(raw) % len(model.labels)]
    added = sum(one.weight for one in model.explain(said, label, None))
    logits = model.margins([model.read(said)])[0] * model.calibration.slopes
    logit = logits + model.calibration.offsets
    column = model.labels.index(label)
    must(abs(added + model.base(label) - logit[column]) < NEAR, "contributions are exact")


def counterfactuals(raw: bytes) -> None:
    said = admitted(as_turns(as_text(raw[:400])))
    world = _world()
    found = counterfactual(said, world.rulebook, world.model, world.policy)
    must(bool(found.removed) == (found.verdict is not None), "a change has an answer")
    for one in found.removed:
        must(one.end <= len(said.turns[one.turn].text), "what is removed lies in the text")


def rule_form(raw: bytes) -> None:
    text = as_text(raw)
    boxes = (text.split("|") * 3)[:3]
    try:
        condition = Condition.from_lines(*boxes, ANYBODY, whole_word=bool(len(raw) % 2))
        rule = Rule("fuzz", "billing", condition)
    except RuleInvalid:
        return
    must(explain(condition, Effect.ASSIGN, "Billing"), "a rule is told in words")
    must(RuleBook([rule]).digest == RuleBook([rule]).digest, "equal rules have equal digests")
    RuleBook([rule]).match(as_turns(text))


def rule_text(raw: bytes) -> None:
    """The first line is the rule, the rest is what it is matched against."""
    typed, _, said = as_text(raw).partition("\n")
    try:
        expression = parse(typed)
        rule = Rule("fuzz", "billing", expression)
    except RuleInvalid as refusal:
        must(str(refusal), "a refusal says why")
        return
    must(parse(to_text(expression)) == expression, "the text form round-trips")
    stored = json.loads(json.dumps(to_json(expression)))
    must(from_json(stored) == expression, "the JSON form round-trips")
    must(echo(expression), "a rule is told in words")
    costs(expression)
    transcript = as_turns(f"{said}{TURN_ENDS}{typed}")
    for hit in RuleBook([rule]).match(transcript):
        for span in hit.spans:
            must(span.end <= len(transcript.turns[span.turn].text), "a span lies in the text")


def rule_json(raw: bytes) -> None:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return
    try:
        expression = from_json(found)
    except RuleInvalid as refusal:
        must(str(refusal), "a refusal says why")
        return
    must(from_json(to_json(expression)) == expression, "what is stored is read back")


def stored_model(raw: bytes) -> None:
    """The bytes choose the damage; the digest is that of the damaged bytes."""
    chance = random.Random(raw)
    content = _damaged_model(chance)
    try:
        model = artifact.load(content, artifact.digest_of(content))
    except ArtifactRefused:
        return
    model.predict([Transcript.of("my parcel is late")])


def _damaged_model(chance: random.Random) -> bytes:
    """Return the model with damage anywhere, or within its header, which stays readable then."""
    content = _artifact()
    if chance.randrange(2):
        return inputs.damaged(content, chance)
    start = content.index(b"{")
    about = json.loads(content[start : _header_end(content, start)])
    header = json.dumps(inputs.value(chance, about)).encode()
    length = len(header).to_bytes(start - _LENGTH_AT, "little")
    return content[:_LENGTH_AT] + length + header + content[_header_end(content, start) :]


_LENGTH_AT = len(b"CONTACTREASON") + 1  # where the length of the header stands


def _header_end(content: bytes, start: int) -> int:
    return start + int.from_bytes(content[_LENGTH_AT:start], "little")


@dataclass(frozen=True)
class _World:
    rulebook: RuleBook
    model: TextModel
    policy: Policy


@cache
def _world() -> _World:
    parents = {code: code.rpartition(".")[0] or None for code in NAMES}
    taxonomy = Taxonomy(tuple(Node(code, name, parents[code]) for code, name in NAMES.items()))
    model = learn(examples(), Recipe(), names=NAMES, taxonomy=taxonomy)
    rules = [
        Rule("refund", "billing.refund", Condition(any_of=("refund", "money back", "退錢"))),
        Rule("late", "delivery.late", Condition(any_of=("late", "-"), speaker=None)),
        Rule("inside", "billing.invoice", Condition(any_of=("bill",), whole_word=False)),
        Rule("joke", "billing", Condition(any_of=("jok*",)), Effect.VETO),
    ]
    return _World(RuleBook(rules), model, Policy(taxonomy, model.thresholds))


@cache
def _artifact() -> bytes:
    return artifact.dump(_world().model)


def said(chance: random.Random) -> bytes:
    """Return an input that is mostly text, at times damaged text or noise."""
    if chance.randrange(100) < NOISE:
        return chance.randbytes(chance.randrange(200))
    raw = inputs.text(chance).encode("utf-8", "surrogatepass")
    return inputs.damaged(raw, chance) if chance.randrange(10) == 0 else raw


def typed_rule(chance: random.Random) -> bytes:
    rule = inputs.rule(chance).replace("\n", " ")
    return f"{rule}\n{inputs.text(chance)}".encode("utf-8", "surrogatepass")


def stored_rule(chance: random.Random) -> bytes:
    rule = to_json(parse(chance.choice(inputs.RULES)))
    return json.dumps(inputs.value(chance, rule)).encode()


def outbound_message(raw: bytes) -> None:
    try:
        told = parsed(raw)
    except EnvelopeRefused as error:
        must(str(error).isascii(), "a refusal repeats nothing of what came")
        return
    must(0 < len(told.notifications) <= MOST_NOTIFICATIONS, "one to a hundred notifications")
    for one in told.notifications:
        must(len(one.id) == FULL_ID, "a notification has a whole id")
        must(one.case_id == "" or one.case_id[:3] == CASE_PREFIX, "a Case's id is one")


def sent_message(chance: random.Random) -> bytes:
    """Return an Outbound Message, mostly damaged."""
    told = [
        Told(
            new_id("04l", chance.randrange(10**9)),
            new_id("500", chance.randrange(10**9)),
            {"Subject": "".join(mark for mark in inputs.text(chance) if mark.isprintable())},
        )
        for _ in range(chance.randrange(1, 4))
    ]
    raw = to_envelope(new_id("00D", 1), new_id("04k", 1), told)
    for _ in range(chance.randrange(4)):
        raw = inputs.damaged(raw, chance)
    return raw


@dataclass(frozen=True)
class Target:
    """What reads any bytes, and how inputs for it are made."""

    read: Callable[[bytes], None]
    share: int
    """Of all inputs, in hundredths."""
    made: Callable[[random.Random], bytes] = said


TARGETS: dict[str, Target] = {
    "folding": Target(folding, 17),
    "redaction": Target(redaction, 18),
    "intake": Target(intake, 11),
    "cascade": Target(cascade, 9),
    "together": Target(together, 3),
    "explanation": Target(explanation, 4),
    "counterfactuals": Target(counterfactuals, 1),
    "rule_form": Target(rule_form, 8),
    "rule_text": Target(rule_text, 12, typed_rule),
    "rule_json": Target(rule_json, 8, stored_rule),
    "stored_model": Target(stored_model, 6),
    "outbound_message": Target(outbound_message, 2, sent_message),
    "change_event": Target(change_event, 1, told_event),
}
