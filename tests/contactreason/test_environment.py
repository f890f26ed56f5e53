from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from contactreason.environment import Environment, is_loopback_origin

KEY = {"SECRET_KEY": "x" * 60}
ROOT = Path(__file__).resolve().parents[2]


def read(tmp_path, **variables):
    return Environment.read(tmp_path, {**KEY, **variables})


def test_nothing_but_a_secret_key_is_needed(tmp_path):
    environment = read(tmp_path)

    assert environment.salesforce.domain == ""
    assert environment.redis_url == ""
    assert environment.database["NAME"] == str(tmp_path / "var" / "contactreason.sqlite3")


def test_everything_wrong_is_reported_at_once(tmp_path):
    wrong = {
        "DATABASE_URL": "mysql://x/y",
        "REDIS_URL": "http://x",
        "DEBUG": "perhaps",
        "TARGET_PRECISION": "1",
        "OUT_OF_SCOPE_SHARE": "a fifth",
        "SALESFORCE_DOMAIN": "https://acme.my.salesforce.com",
        "SALESFORCE_API_VERSION": "66",
        "SALESFORCE_LOCAL_ORIGIN": "http://192.0.2.1:80",
        "SALESFORCE_EVENTS_LOCAL_ORIGIN": "http://192.0.2.1:80",
        "SALESFORCE_EVENT_TOPICS": "/event/Order__e",
        "SALESFORCE_PRIVATE_KEY_FILE": str(tmp_path / "absent.pem"),
    }

    with pytest.raises(ImproperlyConfigured) as raised:
        Environment.read(tmp_path, wrong)

    told = str(raised.value)
    assert [name for name in [*wrong, "SECRET_KEY"] if name not in told] == []


def test_a_private_key_is_never_shown_in_a_report(tmp_path):
    with pytest.raises(ImproperlyConfigured) as raised:
        read(
            tmp_path,
            SALESFORCE_PRIVATE_KEY="canary",
            SALESFORCE_CLIENT_SECRET="canary",
            DEBUG="x",
        )

    assert "canary" not in str(raised.value)


def test_the_secret_key_is_read_from_its_file(tmp_path):
    (tmp_path / "key").write_text("from-a-file\n")

    environment = Environment.read(tmp_path, {"SECRET_KEY_FILE": str(tmp_path / "key")})

    assert environment.secret_key == "from-a-file"


def test_sqlite_runs_in_wal_with_immediate_transactions(tmp_path):
    options = read(tmp_path).database["OPTIONS"]

    assert options["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in options["init_command"]


def test_a_private_key_in_one_line_gets_its_line_ends_back(tmp_path):
    environment = read(tmp_path, SALESFORCE_PRIVATE_KEY=r"-----BEGIN\nabc\n-----END")

    assert environment.salesforce.private_key.splitlines() == ["-----BEGIN", "abc", "-----END"]


@pytest.mark.parametrize(
    "origin",
    ["http://127.0.0.1:8099", "http://localhost:1", "http://[::1]:8099", "http://127.8.9.1:80"],
)
def test_an_address_of_this_machine_may_stand_in_for_salesforce(origin):
    assert is_loopback_origin(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "https://127.0.0.1:8099",
        "http://10.0.0.1:8099",
        "http://example.com:80",
        "http://127.0.0.1",
        "http://127.0.0.1.example.com:80",
        "http://user@127.0.0.1:80",
        "http://127.0.0.1:80/path",
        "http://127.0.0.1:80?x",
        "http://localhost.example.com:80",
        "http://0.0.0.0:80",
        "http://[::]:80",
        "http://127.0.0.1:99999",
        "",
    ],
)
def test_no_other_address_may(origin):
    assert not is_loopback_origin(origin)


@pytest.mark.parametrize("domain", ["login", "test", "acme.my", "acme--dev.sandbox.my"])
def test_the_domain_is_login_test_or_a_my_domain(tmp_path, domain):
    assert read(tmp_path, SALESFORCE_DOMAIN=domain).salesforce.domain == domain


@pytest.mark.parametrize(
    "domain", ["evil.com#", "user@acme.my", "acme.my.salesforce.com", "acme"]
)
def test_no_other_domain_is_taken(tmp_path, domain):
    with pytest.raises(ImproperlyConfigured, match="SALESFORCE_DOMAIN"):
        read(tmp_path, SALESFORCE_DOMAIN=domain)


def test_the_example_file_names_every_variable():
    source = (ROOT / "contactreason" / "environment.py").read_text()
    example = (ROOT / ".env.example").read_text()
    names = {
        line.split("=")[0] for line in example.splitlines() if "=" in line and line[0] != "#"
    }

    read_names = {
        word for word in source.replace('"', " ").split() if word.isupper() and "_" in word
    }
    variables = {
        name for name in read_names if name.startswith(("SALESFORCE_", "SECRET_", "DATABASE_"))
    }

    assert variables <= names
    assert {"DEBUG", "PLAIN_HTTP", "ALLOWED_HOSTS", "REDIS_URL", "VAR_DIR"} <= names


def test_what_a_model_promises_is_set_by_two_shares(tmp_path):
    usual = read(tmp_path)
    told = read(tmp_path, TARGET_PRECISION="0.9", OUT_OF_SCOPE_SHARE="0.2")

    assert (usual.target_precision, usual.out_of_scope_share) == (0.95, None)
    assert (told.target_precision, told.out_of_scope_share) == (0.9, 0.2)
