from base64 import b64encode

import pytest
from django.core.exceptions import ImproperlyConfigured

from contactreason.environment import Environment

KEY = {"SECRET_KEY": "x" * 60}
PATH_SECRET = "a1_-" * 8
WEBHOOK_SECRET = "whsec_" + b64encode(b"k" * 24).decode()


def read(tmp_path, **variables):
    return Environment.read(tmp_path, {**KEY, **variables}).doors


def test_all_doors_are_shut_until_they_are_given_a_secret(tmp_path):
    doors = read(tmp_path)

    assert (doors.outbound_secrets, doors.webhook_secrets) == ([], [])


def test_two_secrets_are_live_while_one_is_being_replaced(tmp_path):
    doors = read(
        tmp_path,
        OUTBOUND_SECRETS=f"{PATH_SECRET}, {PATH_SECRET[::-1]}",
        OUTBOUND_ORGANISATIONS="00D000000000001,00D000000000002EAC",
        OUTBOUND_ACTIONS="04k000000000001",
        WEBHOOK_SECRETS=WEBHOOK_SECRET,
    )

    assert len(doors.outbound_secrets) == 2
    assert doors.outbound_organisations == ["00D000000000001", "00D000000000002EAC"]
    assert (doors.outbound_actions, doors.webhook_secrets) == (
        ["04k000000000001"],
        [WEBHOOK_SECRET],
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"OUTBOUND_SECRETS": "too-short"},
        {"OUTBOUND_SECRETS": "with a blank and long enough for all else"},
        {"OUTBOUND_SECRETS": ",".join([PATH_SECRET] * 3)},
        {"OUTBOUND_ORGANISATIONS": "04k000000000001"},
        {"OUTBOUND_ACTIONS": "00D000000000001"},
        {"WEBHOOK_SECRETS": "whsec_AAAA"},
        {"WEBHOOK_SECRETS": "whsec_" + b64encode(b"k" * 23).decode()},
        {"WEBHOOK_SECRETS": "whsec_" + b64encode(b"k" * 65).decode()},
        {"WEBHOOK_SECRETS": WEBHOOK_SECRET.removeprefix("whsec_")},
        {"WEBHOOK_SECRETS": "whsec_no!base64" + "A" * 40},
    ],
)
def test_a_wrong_value_is_named_and_never_shown(tmp_path, wrong):
    ((name, value),) = wrong.items()

    with pytest.raises(ImproperlyConfigured) as raised:
        read(tmp_path, **wrong)

    assert name in str(raised.value)
    assert value not in str(raised.value)
