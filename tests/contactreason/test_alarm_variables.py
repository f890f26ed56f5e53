from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from contactreason.environment import Environment

ROOT = Path(__file__).resolve().parents[2]
SMTP = "smtp+tls://alarm:p%40ss@mail.example.com:587"


def read(tmp_path, **variables):
    return Environment.read(tmp_path, {"SECRET_KEY": "x" * 60, **variables}).alarms


def test_nobody_is_told_unless_somebody_is_named(tmp_path):
    alarms = read(tmp_path)

    assert (alarms.emails, alarms.webhook_url, alarms.mail) == ([], "", {})


def test_mail_goes_through_the_server_that_one_address_names(tmp_path):
    alarms = read(tmp_path, ALARM_EMAILS="ada@example.com, bob@example.com", EMAIL_URL=SMTP)

    assert alarms.emails == ["ada@example.com", "bob@example.com"]
    assert alarms.mail == {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": "mail.example.com",
        "EMAIL_PORT": 587,
        "EMAIL_HOST_USER": "alarm",
        "EMAIL_HOST_PASSWORD": "p@ss",
        "EMAIL_USE_TLS": True,
    }


@pytest.mark.parametrize(
    "variables",
    [
        {"ALARM_EMAILS": "ada", "EMAIL_URL": SMTP},
        {"ALARM_EMAILS": "ada@example.com"},
        {"EMAIL_URL": "https://mail.example.com"},
        {"ALARM_WEBHOOK_URL": "http://hooks.example.com/canary"},
        {"ALARM_WEBHOOK_URL": "https://user:canary@hooks.example.com/x"},
        {"ALARM_WEBHOOK_URL": "https://[canary"},
        {"ALARM_WEBHOOK_URL": "http://127.0.0.1:80/canary"},
        {"ALARM_WEBHOOK_LOCAL": "perhaps"},
        {"SITE_URL": "reasons.example.com"},
    ],
)
def test_what_is_wrong_is_told_by_its_name_and_no_secret_is_repeated(tmp_path, variables):
    with pytest.raises(ImproperlyConfigured) as raised:
        read(tmp_path, **variables)

    told = str(raised.value)
    assert any(name in told for name in variables)
    assert "canary" not in told


@pytest.mark.parametrize(
    "variables",
    [
        {"ALARM_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/x"},
        {"ALARM_WEBHOOK_URL": "http://127.0.0.1:8080/x", "ALARM_WEBHOOK_LOCAL": "true"},
    ],
)
def test_a_webhook_is_https_or_explicitly_on_this_machine(tmp_path, variables):
    assert read(tmp_path, **variables).webhook_url == variables["ALARM_WEBHOOK_URL"]


def test_the_example_file_names_every_variable_of_alarms():
    source = (ROOT / "contactreason" / "alarm_variables.py").read_text()
    example = (ROOT / ".env.example").read_text()
    names = {line.split("=")[0] for line in example.splitlines() if "=" in line}
    asked = {line.split('"')[1] for line in source.splitlines() if 'written("' in line}

    assert len(asked) >= 4
    assert asked | {"ALARM_WEBHOOK_LOCAL", "DEFAULT_FROM_EMAIL"} <= names
