"""How quick and how large: ours and the peers in turn, several times in one run, on one thread."""

import json
import os
import pickle
import random
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory

import ahocorasick

from classifier.engine.cascade import classify
from classifier.engine.evaluation import BATCH
from classifier.engine.grammar import Condition
from classifier.engine.rules import Rule, RuleBook
from classifier.engine.text import Transcript
from tests.benchmarks.bench import Bench
from tests.benchmarks.ours import Ours
from tests.benchmarks.peers import FastText, Judge, forget_encoded, parts, text_of
from tests.benchmarks.table import OURS, Figure, System

ROUNDS = 7
TEXTS_A_ROUND = 150
WARM_UP = 20
PHRASES = {1: 750, 2: 4_600, 3: 4_650}
"""How many of each length: about 20 hit a conversation, as in the project's baselines of engines."""
SEED = 7
SLOW_CONVERSATIONS = 50  # of a method that takes 20 ms each
MICROSECONDS, MILLISECONDS = 1e6, 1e3
MEGABYTE = 1e6

SHARED = {
    System.DEFAULT: "without the static vectors, which all models share",
    System.ENCODER: "without the encoder and the static vectors, which all models share",
    System.FASTTEXT: "not quantised",
    System.MINILM: "without the encoder's 23 MB",
}

Work = Callable[[], object]


def latency(bench: Bench) -> None:
    """One banking77 text at a time through rules, model, policy and evidence."""
    names = ("latency-p50", "latency-ratio", "latency-mean")
    test = bench.data("banking77").test
    transcripts = [example.transcript for example in test]
    asked: dict[System, Callable[[Transcript], object]] = {}
    for system in bench.each_of_ours(*names):
        with bench.telling(system, *names):
            asked[system] = _cascade(bench.ours("banking77", system))
    for system in bench.each_peer():
        with bench.telling(system, *names[:1], names[2]):
            asked[system] = _lone(bench.judge("banking77", system))
    times: dict[System, list[list[float]]] = {system: [] for system in asked}
    for ask in asked.values():
        for transcript in transcripts[-WARM_UP:]:
            ask(transcript)
    size = min(TEXTS_A_ROUND, len(transcripts) // ROUNDS)
    for number in range(ROUNDS):
        # Other texts each time: a cache of what was asked before must not help.
        batch = transcripts[number * size : (number + 1) * size]
        forget_encoded()
        for system, ask in asked.items():
            times[system].append([seconds(lambda: ask(each)) for each in batch])  # noqa: B023  at once
    for system, rounds in times.items():
        p50s = [MICROSECONDS * median(each) for each in rounds]
        bench.results.put(names[0], system, Figure(median(p50s), _spread(p50s, "µs")))
        everything = [took for each in rounds for took in each]
        bench.results.put(names[2], system, MILLISECONDS * mean(everything))
        if system in OURS and System.LETTERS in times:
            pairs = zip(times[System.LETTERS], rounds, strict=True)
            ratios = [median(theirs) / median(own) for theirs, own in pairs]
            bench.results.put(names[1], system, Figure(median(ratios), _spread(ratios, "×")))


def throughput(bench: Bench) -> None:
    """Star's conversations in batches of 200; everybody reads what the customer said."""
    names = ("throughput", "throughput-ratio")
    whole = [example.transcript for example in bench.whole("star").test]
    texts, _ = parts(bench.data("star").test)
    works: dict[System, Work] = {}
    for system in bench.each_of_ours(*names):
        with bench.telling(system, *names):
            ours = bench.ours("star", system)
            works[system] = lambda ours=ours: ours.verdicts(whole)
    for system in bench.each_peer():
        if system is System.MINILM:
            continue  # 20 to 60 conversations a second: minutes for nothing new
        with bench.telling(system, names[0]):
            judge = bench.judge("star", system)
            works[system] = lambda judge=judge: _in_batches(judge, texts)
    for work in works.values():
        work()
    rates = {system: [] for system in works}
    for _ in range(ROUNDS):
        for system, work in works.items():
            rates[system].append(len(whole) / seconds(work))
    for system, found in rates.items():
        bench.results.put(names[0], system, Figure(median(found), _spread(found, "/s")))
        if system in OURS and System.LETTERS in rates:
            pairs = zip(found, rates[System.LETTERS], strict=True)
            ratios = [own / theirs for own, theirs in pairs]
            bench.results.put(names[1], system, Figure(median(ratios), _spread(ratios, "×")))


def rules(bench: Bench) -> None:
    """10,000 phrases of one to three words, drawn from star's training part, on its test part."""
    data = bench.whole("star")
    phrases = drawn_phrases([text_of_all(example.transcript) for example in data.train])
    transcripts = [example.transcript for example in data.test]
    texts = [text_of_all(transcript).lower() for transcript in transcripts]
    book = RuleBook(
        Rule(f"rule {number}", f"category_{number % 50}", Condition((phrase,), speaker=None))
        for number, phrase in enumerate(phrases)
    )
    automaton = automaton_of(phrases)
    pattern = re.compile(
        r"\b(?:" + "|".join(map(re.escape, sorted(phrases, reverse=True))) + r")\b"
    )
    own: list[float] = []
    bare: list[float] = []
    for _ in range(ROUNDS):
        own.append(len(texts) / seconds(lambda: book.match_all(transcripts)))
        bare.append(len(texts) / seconds(lambda: [found_in(automaton, text) for text in texts]))
    some = texts[:SLOW_CONVERSATIONS]
    slow = len(some) / seconds(lambda: [list(pattern.finditer(text)) for text in some])
    hits = sum(map(len, book.match_all(transcripts))) / len(transcripts)
    note = (
        f"{_spread(own, '/s')}; {hits:.1f} rules hit a conversation; in the same run pyahocorasick"
        f" with a word check and no folding {median(bare):,.0f} /s, one re alternation {slow:,.0f} /s"
    )
    if System.DEFAULT in bench.systems:
        bench.results.put("rules", System.DEFAULT, Figure(median(own), note))


def model_file(bench: Bench) -> None:
    """The file of the model of banking77's 77 labels."""
    for system in bench.each_of_ours("model-file"):
        with bench.telling(system, "model-file"):
            size = len(bench.ours("banking77", system).artifact())
            bench.results.put("model-file", system, Figure(size / MEGABYTE, SHARED[system]))
    for system in bench.each_peer():
        with bench.telling(system, "model-file"):
            size = _size(bench.judge("banking77", system))
            note = SHARED.get(system, "")
            bench.results.put("model-file", system, Figure(size / MEGABYTE, note))


def worker_memory(bench: Bench) -> None:
    """A process with all that a worker imports, after deciding star's test part."""
    name = "worker-memory"
    texts = [text_of(example.transcript) for example in bench.data("star").test]
    with TemporaryDirectory() as folder:
        said = Path(folder) / "texts.json"
        said.write_text(json.dumps(texts), encoding="utf-8")
        for system in bench.each_of_ours(name):
            with bench.telling(system, name):
                model = Path(folder) / "model"
                model.write_bytes(bench.ours("star", system).artifact())
                whole = _memory("worker", model, said)
                engine = _memory("engine", model, said)
                note = (
                    f"{whole['before_mb']:.0f} MB of it before a model is loaded; at most"
                    f" {whole['peak_mb']:.0f} MB; the engine alone, without Django and Celery,"
                    f" {engine['resident_mb']:.0f} MB"
                )
                bench.results.put(name, system, Figure(whole["resident_mb"], note))
        if System.LETTERS in bench.systems:
            model = Path(folder) / "peer"
            model.write_bytes(pickle.dumps(bench.judge("star", System.LETTERS)))
            found = _memory("peer", model, said)
            note = "scikit-learn and the pipeline alone, without Django and Celery"
            bench.results.put(name, System.LETTERS, Figure(found["resident_mb"], note))


def seconds(work: Work) -> float:
    """Return how long a piece of work takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def text_of_all(transcript: Transcript) -> str:
    """Return all that was said."""
    return "\n".join(turn.text for turn in transcript.turns)


def drawn_phrases(texts: Sequence[str]) -> list[str]:
    """Return 10,000 different phrases of one to three words that are said in these texts."""
    words = [re.findall(r"[^\W_]+", text.lower()) for text in texts]
    chance = random.Random(SEED)
    drawn: list[str] = []
    for length, count in PHRASES.items():
        known = {
            " ".join(said[place : place + length])
            for said in words
            for place in range(len(said) - length + 1)
        }
        drawn += chance.sample(sorted(known), count)
    return drawn


def automaton_of(phrases: Sequence[str]) -> ahocorasick.Automaton:
    """Return the bare automaton of some phrases."""
    automaton = ahocorasick.Automaton()
    for number, phrase in enumerate(phrases):
        automaton.add_word(phrase, (number, len(phrase)))
    automaton.make_automaton()
    return automaton


def found_in(automaton: ahocorasick.Automaton, text: str) -> list[tuple[int, int, int]]:
    """Return number, start and end of the phrases that stand in a text as whole words."""
    found = []
    for last, (number, length) in automaton.iter(text):
        start, end = last - length + 1, last + 1
        if (start == 0 or not text[start - 1].isalnum()) and not text[end : end + 1].isalnum():
            found.append((number, start, end))
    return found


def _cascade(ours: Ours) -> Callable[[Transcript], object]:
    book = RuleBook()
    return lambda transcript: classify([transcript], book, ours.model, ours.policy)


def _lone(judge: Judge) -> Callable[[Transcript], object]:
    return lambda transcript: judge.margins([text_of(transcript)])


def _in_batches(judge: Judge, texts: Sequence[str]) -> None:
    for start in range(0, len(texts), BATCH):
        judge.margins(texts[start : start + BATCH])


def _spread(found: Sequence[float], unit: str) -> str:
    decimals = 0 if max(found) >= 100 else 1
    return f"{min(found):,.{decimals}f} to {max(found):,.{decimals}f} {unit} in {len(found)} rounds"


def _size(judge: Judge) -> int:
    if not isinstance(judge, FastText):
        return len(pickle.dumps(judge))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.bin"
        judge.model.save_model(str(path))  # type: ignore[attr-defined]
        return path.stat().st_size


def _memory(kind: str, model: Path, texts: Path) -> dict[str, float]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "contactreason.settings",
        "VAR_DIR": str(model.parent),
        "DATABASE_URL": "",
        "SECRET_KEY": secrets.token_urlsafe(50),
    }
    command = [sys.executable, "-m", "tests.benchmarks.worker", kind, str(model), str(texts)]
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))
