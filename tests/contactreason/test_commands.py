"""What every command of ours promises, asked as a shell asks."""

from argparse import ArgumentTypeError
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from classifier.commands import ReportingCommand, port_number

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.stem for path in ROOT.glob("*/management/commands/[!_]*.py"))
STABLE = {
    "sync", "import_gold", "train", "promote", "set_mode", "classify", "load_starter_pack",
    "salesforce_metadata", "local_org", "check_salesforce", "demo", "benchmark",
}  # fmt: skip


def test_the_stable_names_are_there():
    assert set(NAMES) >= STABLE


@pytest.mark.parametrize("name", NAMES)
def test_every_command_takes_json_and_says_what_it_is_for(name):
    command = load_command_class(get_commands()[name], name)

    assert isinstance(command, ReportingCommand)
    assert command.help.endswith(".")
    assert "--json" in command.create_parser("manage.py", name).format_help()


@pytest.mark.parametrize("text", ["65536", "99999999999", "-1", "eighty", ""])
def test_a_port_that_is_none_is_refused_in_a_sentence(text):
    with pytest.raises(ArgumentTypeError, match="is no port: give a number up to 65535"):
        port_number(text)


def test_a_port_that_is_one_is_taken():
    assert [port_number(text) for text in ("0", "8000", "65535")] == [0, 8000, 65535]
