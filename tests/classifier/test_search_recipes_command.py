import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from classifier.engine.recipe import Recipe
from classifier.models import ModelVersion
from tests.classifier.making import gold_labels, gold_words

pytestmark = pytest.mark.django_db


@pytest.fixture
def vary(tmp_path):
    file = tmp_path / "vary.json"
    file.write_text('{"penalty": [0.5, 2], "folds": [3]}')
    return file


def called(*arguments):
    out = StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=StringIO())
    return out.getvalue()


def test_the_winner_of_a_search_trains_the_next_model(tmp_path, vary):
    gold_labels()
    winner = tmp_path / "winner.json"

    figures = json.loads(
        called("search_recipes", "--vary", vary, "--out", winner, "--json").splitlines()[-1]
    )
    called("train", "--recipe", winner)

    assert len(figures["trials"]) == 3
    best = max(figures["trials"], key=lambda each: (each["coverage"], each["micro_f1"]))
    assert figures["recipe"] == best["recipe"]
    recipe = Recipe.from_json(json.dumps(ModelVersion.objects.get().recipe))
    assert recipe == Recipe.from_json(json.dumps(figures["recipe"]))


def test_a_files_test_split_is_not_looked_at(tmp_path, vary):
    made = gold_words()
    rows = [
        {"text": each.transcript.turns[0].text, "labels": sorted(each.categories)}
        for each in made
    ]
    wrong = [{**row, "labels": ["nonsense"], "split": "test"} for row in rows]
    train, both = tmp_path / "train.jsonl", tmp_path / "both.jsonl"
    train.write_text("\n".join(map(json.dumps, rows)))
    both.write_text("\n".join(map(json.dumps, [*rows, *wrong])))

    told = [called("search_recipes", file, "--vary", vary) for file in (train, both)]

    assert told[0] == told[1]
    assert "3 recipes tried by 1 process." in told[0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [("nonsense", "not JSON"), ('{"penalty": [0]}', "cannot be"), (None, "cannot be read")],
)
def test_a_search_that_cannot_be_done_is_told_in_a_sentence(tmp_path, content, reason):
    file = tmp_path / "vary.json"
    if content is not None:
        file.write_text(content)

    with pytest.raises(CommandError, match=reason):
        call_command("search_recipes", vary=file)


@pytest.mark.parametrize(
    "content", ["nonsense", "[]", '{"colour": 1}', '{"penalty": "much"}', None]
)
def test_a_file_that_holds_no_recipe_is_told_in_a_sentence(tmp_path, content):
    file = tmp_path / "recipe.json"
    if content is not None:
        file.write_text(content)

    with pytest.raises(CommandError, match=r"recipe\.json"):
        call_command("train", recipe=file)


def test_without_gold_labels_there_is_too_little_to_search_with():
    with pytest.raises(CommandError, match="label conversations"):
        call_command("search_recipes")
