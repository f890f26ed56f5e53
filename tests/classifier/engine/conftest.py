"""Models that several tests of the engine read; trained once, never changed."""

import pytest

from classifier.engine.learning import learn
from classifier.engine.recipe import Recipe
from classifier.engine.taxonomy import Node, Taxonomy
from classifier.engine.text_model import TextModel
from tests.classifier.engine.words import NAMES, examples, examples_with_several


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    parents = {code: code.rpartition(".")[0] or None for code in NAMES}
    return Taxonomy(tuple(Node(code, label, parents[code]) for code, label in NAMES.items()))


@pytest.fixture(scope="session")
def model(taxonomy: Taxonomy) -> TextModel:
    """One reason per conversation."""
    return learn(examples(), Recipe(), names=NAMES, taxonomy=taxonomy)


@pytest.fixture(scope="session")
def several(taxonomy: Taxonomy) -> TextModel:
    """One or two reasons per conversation."""
    return learn(examples_with_several(), Recipe(), names=NAMES, taxonomy=taxonomy)
