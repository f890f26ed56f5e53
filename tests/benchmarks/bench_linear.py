"""How the time grows with the length of nasty texts: ``python -m tests.benchmarks.bench_linear``.

Each text is doubled twice; a ratio near 2 per doubling is linear time, 4 is quadratic. Prints the
worst texts of each stage, and what 10 MB of one word cost.
"""

import time
from collections.abc import Callable

from classifier.engine.cascade import classify
from classifier.engine.folding import fold
from classifier.engine.grammar import Condition
from classifier.engine.intake import admitted
from classifier.engine.policy import Policy
from classifier.engine.redaction import redact
from classifier.engine.rulelang import parse
from classifier.engine.rules import Rule, RuleBook
from classifier.engine.taxonomy import Node, Taxonomy
from classifier.engine.text import Transcript

CHARACTERS = 40_000
WORST = 4  # texts told of each stage
REPEATED = {
    "marks": "\u0301",
    "marked letters": "e\u0301",
    "zero width": "\u200b",
    "zero width in a word": "a\u200b",
    "digits": "1",
    "spaced digits": "4 ",
    "dashed digits": "4-",
    "cards": "4111 1111 1111 1111 ",
    "IBANs": "DE89 37 ",
    "phones": "0171 ",
    "plus": "+1 ",
    "dots": ".",
    "at": "a@",
    "addresses": "a.b@",
    "separators": "- ",
    "slashes": "1/2/",
    "brackets": "(",
    "key begins": "-----BEGIN PRIVATE KEY-----",
    "token": "aB3/",
    "passwords": "password is ",
    "PINs": "pin ",
    "orders": "order number ",
    "bullets": "•",
    "placeholders": "[card•",
    "emoji": "👩\u200d💻",
    "flags": "🇬🇧",
    "right to left": "\u202eאב",
    "one word": "x",
    "sharp s": "ß",
    "long folds": "ﷺ",
    "Han": "漢",
    "Hangul jamo": "\u1100\u1161",
    "Thai": "ที่",
    "surrogates": "\ud800",
    "lines": "\n",
    "negations": "n't ",
    "quotes": '"',
    "near misses": "card los ",
    "phrase": "refund ",
    "half a phrase": "charged ",
    "amounts": "5 days ",
    "all": "aA1 @.-+/:•\u0301\u200b",
}
BOOK = RuleBook(
    [
        Rule(
            "phrases", "c", Condition(any_of=("refund", "charged twice", "x", "1", "退", "a*"))
        ),
        Rule("inside", "c", Condition(any_of=("xx", "- -"), whole_word=False)),
        Rule("near", "c", parse('near("card", words("lost", "stolen"), 5)')),
        Rule("number", "c", parse('number(..5, "days")')),
        Rule("fuzzy", "c", parse('fuzzy("cancellation", 2)')),
        Rule("regex", "c", parse('regex("order number \\\\d{6}")')),
        Rule("none", "c", parse('all("refund", none("card" before "lost"))')),
    ]
)
POLICY = Policy(Taxonomy((Node("c", "C", None),)))
STAGES: dict[str, Callable[[str], object]] = {
    "fold": fold,
    "redact": redact,
    "intake": lambda text: admitted(Transcript.of(text)),
    "match": lambda text: BOOK.match(Transcript.of(text)),
    "cascade without a model": lambda text: classify([Transcript.of(text)], BOOK, None, POLICY),
}


def main() -> None:
    for name, stage in STAGES.items():
        rows = sorted((growth(stage, unit), text) for text, unit in REPEATED.items())
        told = "; ".join(
            f"{text}: {ratio:.1f}, {each:,.0f} ns a character"
            for (ratio, each), text in reversed(rows[-WORST:])
        )
        print(f"{name:24} doubled, the time grows by at most: {told}", flush=True)
    ten = "x" * 10_000_000
    for name in ("redact", "intake"):
        print(f"{name:24} 10 MB of one word: {seconds(STAGES[name], ten):.1f} s", flush=True)


def growth(stage: Callable[[str], object], unit: str) -> tuple[float, float]:
    """Return by what the time grows for each doubling, and nanoseconds a character at last."""
    text = (unit * (CHARACTERS // len(unit) + 1))[:CHARACTERS]
    first = min(seconds(stage, text) for _ in range(3))
    last = min(seconds(stage, text * 4) for _ in range(2))
    return (last / max(first, 1e-5)) ** 0.5, last * 1e9 / (4 * CHARACTERS)


def seconds(stage: Callable[[str], object], text: str) -> float:
    begun = time.process_time()
    stage(text)
    return time.process_time() - begun


if __name__ == "__main__":
    main()
