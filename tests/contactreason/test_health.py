import json
import subprocess
from threading import Event

import pytest

from contactreason import embedded

pytestmark = [pytest.mark.django_db]


def test_it_answers_200_while_the_database_answers(client):
    answer = client.get("/healthz")

    assert (answer.status_code, json.loads(answer.content)["database"]) == (200, "ok")


def test_it_says_when_nobody_answers_at_the_broker(client, settings, tmp_path):
    from contactreason.celery import app

    before = app.conf.broker_url
    app.conf.broker_url = f"redis+socket://{tmp_path}/nobody.sock"
    try:
        told = json.loads(client.get("/healthz").content)
    finally:
        app.conf.broker_url = before

    assert told == {"database": "ok", "broker": "not answering"}


def test_it_says_that_the_broker_answers(client, tmp_path):
    from contactreason.celery import app

    before = app.conf.broker_url
    app.conf.broker_url = f"redis+socket://{embedded.socket_path(tmp_path)}"
    with subprocess.Popen(embedded.command(tmp_path), stdout=subprocess.DEVNULL) as process:
        try:
            while not embedded.answers(tmp_path):
                Event().wait(0.01)
            told = json.loads(client.get("/healthz").content)
        finally:
            process.kill()
            app.conf.broker_url = before

    assert told == {"database": "ok", "broker": "ok"}
