from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from sfsync.mode_setting import UnknownCategory, pause, resume, set_mode
from sfsync.models import CategoryMapping, Connection, Mode
from sfsync.pushing import Delivery


def test_a_fresh_connection_is_in_shadow_mode(db):
    assert Connection.current().mode == Mode.SHADOW


def test_shadow_then_automatic_then_paused(desk):
    set_mode(Mode.SHADOW)
    first = desk.decided_case("billing")
    desk.push()
    assert desk.writes() == []

    assert set_mode(Mode.AUTOMATIC).released == 1
    desk.push()
    assert desk.on_case(first) == "billing"

    pause()
    second = desk.decided_case("delivery")
    desk.push()
    assert desk.on_case(second) is None

    resume()
    desk.push()
    assert desk.on_case(second) == "delivery"


def test_cases_that_only_had_the_suggestion_are_completed_in_automatic_mode(desk):
    set_mode(Mode.SUGGEST)
    link = desk.decided_case("billing")
    desk.push()

    change = set_mode(Mode.AUTOMATIC)

    assert change.released == 1
    assert desk.push() == Delivery(written=1)
    assert desk.on_case(link) == "billing"


def test_cases_already_written_in_full_are_left_alone(desk):
    desk.decided_case("billing")
    desk.push()
    set_mode(Mode.SUGGEST)

    assert set_mode(Mode.AUTOMATIC).released == 0


def test_one_category_can_be_held_back_and_let_go(desk):
    set_mode(Mode.SHADOW, "billing")
    held, free = desk.decided_case("billing"), desk.decided_case("delivery")
    desk.push()
    assert (desk.on_case(held), desk.on_case(free)) == (None, "delivery")

    assert set_mode(Mode.AUTOMATIC, "billing").released == 1
    desk.push()

    assert desk.on_case(held) == "billing"


def test_one_category_can_go_from_suggestion_to_automatic(desk):
    set_mode(Mode.SUGGEST, "billing")
    link = desk.decided_case("billing")
    desk.push()

    set_mode(Mode.AUTOMATIC, "billing")
    desk.push()

    assert desk.on_case(link) == "billing"


def test_setting_a_category_does_not_end_a_pause(desk):
    pause()

    set_mode(Mode.AUTOMATIC, "billing")

    assert Connection.current().paused_at is not None


def test_a_pause_keeps_the_time_it_began(desk):
    pause()
    began = Connection.current().paused_at

    pause()

    assert Connection.current().paused_at == began


def test_an_unknown_category_is_named(desk):
    with pytest.raises(UnknownCategory, match=r"billing\.gift"):
        set_mode(Mode.SHADOW, "billing.gift")


def command(*words: str) -> str:
    out = StringIO()
    call_command("set_mode", *words, stdout=out)
    return out.getvalue()


def test_the_command_sets_the_mode_and_says_what_it_was(desk):
    assert "now in suggest mode (before: automatic)" in command("suggest")
    assert Connection.current().mode == Mode.SUGGEST


def test_the_command_pauses_and_any_mode_resumes(desk):
    command("paused")
    assert Connection.current().paused_at is not None

    command("automatic")

    assert Connection.current().paused_at is None


def test_the_command_says_that_writing_goes_on(desk):
    told = command("automatic")
    assert "Writing was paused" not in told
    command("paused")

    assert "Writing was paused and goes on." in command("automatic")


def test_the_command_sets_one_category(desk):
    command("suggest", "--category", "billing.refund")

    assert CategoryMapping.objects.get().mode == Mode.SUGGEST
    assert Connection.current().mode == Mode.AUTOMATIC


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("shadow", "--category", "nope"), "no category with the code"),
        (("paused", "--category", "billing"), "set_mode shadow --category billing"),
        (("loud",), "invalid choice"),
    ],
)
def test_the_command_refuses_what_makes_no_sense(desk, words, hint):
    with pytest.raises(CommandError, match=hint):
        command(*words)


def test_the_commands_json_is_the_last_line(desk):
    assert command("shadow", "--json").splitlines()[-1] == (
        '{"mode": "shadow", "category": null, "released": 0}'
    )
