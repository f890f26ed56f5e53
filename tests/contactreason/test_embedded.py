import stat
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import redis

from contactreason import embedded


@contextmanager
def broker(var_dir):
    with subprocess.Popen(embedded.command(var_dir), stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 10
            while not embedded.answers(var_dir) and time.monotonic() < deadline:
                Event().wait(0.01)
            client = redis.Redis(unix_socket_path=str(embedded.socket_path(var_dir)))
            yield process, client
            client.close()
        finally:
            process.kill()


def test_the_broker_of_the_wheel_answers_on_a_private_socket(tmp_path):
    with broker(tmp_path) as (_, client):
        mode = embedded.socket_path(tmp_path).stat().st_mode

        assert client.ping()
        assert stat.S_IMODE(mode) == 0o700


def test_it_opens_no_port(tmp_path):
    with broker(tmp_path) as (_, client):
        assert client.config_get("port") == {b"port": b"0"} or client.config_get("port") == {
            "port": "0"
        }


def test_messages_survive_a_killed_broker(tmp_path):
    with broker(tmp_path) as (process, client):
        client.rpush("decide", "hint")
        client.execute_command("WAITAOF", 1, 0, 5000)
        process.kill()
        process.wait()

    with broker(tmp_path) as (_, client):
        assert client.llen("decide") == 1


def test_a_deep_folder_gets_a_short_private_socket_path(tmp_path):
    deep = tmp_path / ("d" * 120)

    path = embedded.socket_path(deep)

    assert len(str(path)) < embedded.LONGEST_SOCKET_PATH
    assert path == embedded.socket_path(deep)
    assert path != embedded.socket_path(deep / "other")


def test_the_folder_of_a_replaced_path_is_private(tmp_path):
    deep = tmp_path / ("d" * 120)

    embedded.command(deep)

    assert stat.S_IMODE(Path(embedded.socket_path(deep)).parent.stat().st_mode) == 0o700


def test_nobody_answers_where_no_broker_runs(tmp_path):
    assert not embedded.answers(tmp_path)
