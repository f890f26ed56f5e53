"""What others have published on the same data, with its source, and whether we looked it up."""

from collections.abc import Sequence
from dataclasses import dataclass

BANKING77 = "Casanueva et al. 2020, [arXiv:2003.04807](https://arxiv.org/abs/2003.04807)"
FEW_SHOT = "[leaderboard](https://github.com/jianguoz/Few-Shot-Intent-Detection) in its README"
CLINC150 = "Larson et al. 2019, [arXiv:1909.02027](https://arxiv.org/abs/1909.02027)"
HINT3 = "[result files](https://github.com/hellohaptik/HINT3), the best threshold of each"
CARD = "model card [{0}](https://huggingface.co/{0})"


@dataclass(frozen=True, slots=True)
class Published:
    """One figure of somebody else's."""

    measure: str
    who: str
    figure: str
    source: str
    is_checked: bool
    """Seen in its source; else quoted from memory, and told so."""


PUBLISHED = (
    Published("banking77 accuracy", "BERT-large, fine-tuned", "93.66 %", BANKING77, True),
    Published("banking77 accuracy", "USE + ConveRT", "93.36 %", BANKING77, True),
    Published("banking77 accuracy", "ConveRT", "93.0 %", BANKING77, False),
    Published("banking77 accuracy", "USE", "92.8 %", BANKING77, False),
    Published("banking77 accuracy", "BERT, frozen", "87.2 %", BANKING77, False),
    Published(
        "banking77 accuracy",
        "ModernBERT-base, fine-tuned",
        "93.99 %",
        CARD.format("sukhrobnurali/modernbert-base-banking77"),
        True,
    ),
    Published(
        "banking77 accuracy",
        "bge-small + LinearSVC",
        "93.08 %",
        CARD.format("Amitava25/banking77-intent-classifier-champion"),
        True,
    ),
    Published(
        "banking77 accuracy",
        "DistilBERT, fine-tuned",
        "92.5 %",
        CARD.format("xahilmalik/banking-intent-distilbert-classifier"),
        True,
    ),
    Published("banking77, 5 per category", "ICDA", "84.01 %", FEW_SHOT, True),
    Published("banking77, 5 per category", "CPFT", "80.86 %", FEW_SHOT, True),
    Published("banking77, 5 per category", "DNNC", "80.40 %", FEW_SHOT, True),
    Published("banking77, 5 per category", "USE + ConveRT", "77.75 %", FEW_SHOT, True),
    Published("banking77, 5 per category", "RoBERTa + classifier", "74.04 %", FEW_SHOT, True),
    Published(
        "clinc150 accuracy in scope / out-of-scope recall",
        "BERT, threshold",
        "96.2 / 52.3 %",
        CLINC150,
        True,
    ),
    Published(
        "clinc150 accuracy in scope / out-of-scope recall",
        "BERT, out of scope trained",
        "96.9 / 40.3 %",
        CLINC150,
        False,
    ),
    Published(
        "clinc150 accuracy in scope / out-of-scope recall",
        "Dialogflow",
        "91.7 / 14.0 %",
        CLINC150,
        False,
    ),
    Published(
        "clinc150 accuracy in scope / out-of-scope recall",
        "Rasa",
        "91.5 / 45.3 %",
        CLINC150,
        False,
    ),
    Published(
        "clinc150 accuracy in scope / out-of-scope recall",
        "SVM",
        "91.0 / 14.5 %",
        CLINC150,
        False,
    ),
    Published(
        "clinc150 accuracy in scope / out-of-scope recall",
        "fastText",
        "89.0 / 9.7 %",
        CLINC150,
        False,
    ),
    Published("hint3-curekart MCC, best threshold", "Haptik", "0.603", HINT3, True),
    Published("hint3-curekart MCC, best threshold", "Dialogflow", "0.578", HINT3, True),
    Published("hint3-curekart MCC, best threshold", "BERT", "0.553", HINT3, True),
    Published("hint3-curekart MCC, best threshold", "LUIS", "0.539", HINT3, True),
    Published("hint3-curekart MCC, best threshold", "Rasa", "0.511", HINT3, True),
)


def markdown(published: Sequence[Published] = PUBLISHED) -> str:
    """Return the table of published figures; those not looked up say so."""
    lines = [
        "| measure | who | figure | source | looked up? |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {each.measure} | {each.who} | {each.figure} | {each.source} |"
        f" {'yes' if each.is_checked else 'no, quoted'} |"
        for each in published
    ]
    return "\n".join(lines)
