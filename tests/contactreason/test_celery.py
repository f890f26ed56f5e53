"""The alarm clock on a real broker: Redis where REDIS_URL names one, else the embedded one."""

import json
import os
import subprocess
from threading import Event

import pytest
import redis
from celery import Celery
from celery.contrib.testing.worker import start_worker
from django.conf import settings
from django.db import OperationalError
from kombu import pools

from classifier.models import Decision, Transcript
from contactreason import embedded
from contactreason.celery import DECIDE, DELIVER, OPEN, PULL, RINGS, Station, app
from tests import factories

pytestmark = pytest.mark.redis
QUEUES = ("decide", "salesforce")


@pytest.fixture(scope="module")
def server():
    """The broker that the settings name, running."""
    if os.environ.get("REDIS_URL"):
        yield
        return
    with subprocess.Popen(
        embedded.command(settings.VAR_DIR), stdout=subprocess.DEVNULL
    ) as process:
        while not embedded.answers(settings.VAR_DIR):
            Event().wait(0.01)
        yield
        process.kill()


@pytest.fixture
def broker(server):
    """A client that looks into the broker, both queues empty."""
    # A worker that ran in this process, or a broker that is gone, left closed connections.
    pools.reset()
    app._after_fork()
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(*QUEUES)
        yield client
        client.delete(*QUEUES)


def messages(broker):
    return [json.loads(raw) for queue in QUEUES for raw in broker.lrange(queue, 0, -1)]


def rung(broker):
    return sorted(message["headers"]["task"] for message in messages(broker))


def test_a_message_carries_a_name_and_nothing_that_anybody_said(broker):
    app.send_task(DECIDE)

    (message,) = messages(broker)
    assert message["headers"]["task"] == DECIDE
    assert (message["headers"]["argsrepr"], message["headers"]["kwargsrepr"]) == ("()", "{}")


def test_a_station_that_moved_rows_on_rings_the_next_and_itself(broker):
    app.tasks[DECIDE].on_success(3, "id", (), {})

    assert rung(broker) == sorted([DELIVER, OPEN, DECIDE])


def test_a_station_that_found_nothing_rings_nobody(broker):
    app.tasks[PULL].on_success(0, "id", (), {})

    assert rung(broker) == []


def test_a_broken_bell_does_not_fail_the_work(caplog, tmp_path):
    lonely = Celery("lonely", task_cls=Station, set_as_current=False)
    lonely.conf.update(
        broker_url=f"redis+socket://{tmp_path}/nobody.sock",
        broker_transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS,
        task_publish_retry=False,
    )

    @lonely.task(name=DECIDE)
    def station():
        return 3

    station.on_success(3, "id", (), {})

    assert "hint=lost station=sfsync.tasks.deliver_write_backs" in caplog.text


@pytest.mark.parametrize("station", [PULL, DECIDE, DELIVER])
def test_every_station_rings_only_what_exists_and_takes_no_arguments(station):
    app.loader.import_default_modules()

    assert [name for name in RINGS[station] if name not in app.tasks] == []
    assert app.tasks[station].run.__code__.co_argcount == 0


@pytest.mark.django_db(transaction=True)
def test_a_waiting_transcript_is_decided_by_a_worker_that_was_rung(broker):
    transcript = factories.make_transcript("Please send my money back.")

    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
        app.send_task(DECIDE)
        for _ in range(500):
            if Decision.objects.filter(thread=transcript.thread).exists():
                break
            Event().wait(0.02)

    assert Decision.objects.get(thread=transcript.thread).source == Decision.Source.NOBODY
    assert not Transcript.objects.waiting().exists()


class Broken(Station):
    """A station whose database does not answer."""

    name = "tests.broken"

    def run(self):
        raise OperationalError("server closed the connection\nmore")


@pytest.mark.django_db
def test_a_station_without_its_database_says_so_in_one_line_and_moves_nothing(caplog):
    assert Broken()() == 0

    (line,) = caplog.messages
    assert line.startswith(
        "station=tests.broken The database says: server closed the connection."
    )
    assert "more" not in line
