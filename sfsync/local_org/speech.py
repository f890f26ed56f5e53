"""What a machine makes of speech: no capitals, no punctuation, fillers, words in two.

And what people say on the telephone besides the matter itself, for calls of an hour.
"""

import re
from collections.abc import Sequence
from random import Random

from sfsync.local_org.records import Said

FILLERS = ("uh", "um", "er", "hmm")
LONG_CALL_WORDS = 3_000
_SHARE_FILLED = 0.05
_SHARE_SPLIT = 0.04
_SHORTEST_SPLIT = 8
# Marks within a number, a name or an address stay: 48.90, don't, ann@mail.example.
_MARKS = re.compile(
    r"(?<![^\W_])[^\w\s]+|[^\w\s]+(?![^\W_])|[，。！？、；：「」『』（）…—]+|_+"
)
_SMALL_TALK = (
    ("representative", "Thank you for holding, I am still here and the page is still loading."),
    ("customer", "That's fine, take your time."),
    ("representative", "Could you spell your last name for me once more, please?"),
    ("customer", "Sure, do you want me to say it letter by letter?"),
    ("representative", "Sorry, the line broke up for a moment, could you say that again?"),
    ("customer", "Yes, sorry, I am just walking into the other room. Is that better now?"),
    ("representative", "Much better, I can hear you clearly now, thank you."),
    ("customer", "I think that's my neighbour's dog, he does this every morning."),
    ("representative", "No worries at all. I am just going to make a note of what you said."),
    ("customer", "Okay. I am still here. Let me find my glasses first, one second."),
    ("representative", "Of course. While we wait, is there a number I can call you back on?"),
    ("customer", "The one I am calling from is good, any time after lunch really."),
    ("representative", "Lovely. I will read back to you what I have so far, then we go on."),
    ("customer", "Right, yes, that sounds about right to me so far."),
    ("representative", "Bear with me, I will put you on a short hold and ask a colleague."),
    ("customer", "Okay, I'll hang on. I've got my tea here, so I am in no hurry."),
    ("representative", "Hello, are you still there? Thank you for being so patient with me."),
    ("customer", "Still here, yes. How is the weather where you are? It's grey over here."),
    ("representative", "Grey here as well, but they say it will be nicer by the weekend."),
    ("customer", "Well, let's hope so. We've had nothing but rain for weeks now."),
)


def as_recognised(text: str, dice: Random) -> str:
    """Return a text as speech recognition writes it: every letter, hardly anything else."""
    heard: list[str] = []
    for word in _MARKS.sub(" ", text).lower().split():
        is_plain = word.isascii() and word.isalpha()
        if is_plain and dice.random() < _SHARE_FILLED:
            heard.append(dice.choice(FILLERS))
        if is_plain and len(word) >= _SHORTEST_SPLIT and dice.random() < _SHARE_SPLIT:
            middle = len(word) // 2
            heard += [word[:middle], word[middle:]]
        else:
            heard.append(word)
    return " ".join(heard)


def lengthened(turns: Sequence[Said], dice: Random) -> list[Said]:
    """Return an English call of at least ``LONG_CALL_WORDS`` words around these turns."""
    missing = LONG_CALL_WORDS - sum(len(turn.text.split()) for turn in turns)
    share = max(0, missing) / len(turns)
    longer: list[Said] = []
    for number, turn in enumerate(turns, 1):
        longer.append(turn)
        filled = 0
        at = dice.randrange(len(_SMALL_TALK))
        while filled < share:
            talk = Said(*_SMALL_TALK[at % len(_SMALL_TALK)])
            longer.append(talk)
            filled += len(talk.text.split())
            at += dice.choice((1, 1, 2))
        if number == len(turns):
            longer.append(Said("customer", "Thank you, goodbye."))
    return longer
