"""Both doors lead to the same org, and the real client goes through either."""

import socket
import threading

import pytest
import requests
from simple_salesforce.exceptions import SalesforceGeneralError

from sfsync.local_org.http_door import HttpDoor
from sfsync.local_org.records import Record


def record(key: str = "r1", **values: object) -> Record:
    turns = [{"speaker": "customer", "text": "My bill is wrong"}]
    return Record.parse({"id": key, "turns": turns, **values})


def test_the_real_client_queries_and_updates_through_either_door(org, adapter, connect):
    [case_id] = org.load([record()])
    sf = connect(adapter)

    sf.Case.update(case_id, {"Priority": "High"})

    [row] = sf.query("SELECT Id, Priority FROM Case")["records"]
    assert (row["Id"], row["Priority"]) == (case_id, "High")


def test_a_lost_answer_is_a_broken_connection_but_the_write_stands(org, adapter, connect):
    [case_id] = org.load([record()])
    sf = connect(adapter)
    org.faults.lost_answers = 1

    with pytest.raises(requests.ConnectionError):
        sf.Case.update(case_id, {"Priority": "High"})

    assert sf.Case.get(case_id)["Priority"] == "High"


def test_an_outage_is_a_page_in_html(org, adapter, connect):
    sf = connect(adapter)
    org.faults.outages = 1

    with pytest.raises(SalesforceGeneralError) as refused:
        sf.query("SELECT Id FROM Case")

    assert refused.value.status == 503
    assert refused.value.content.startswith("<html>")


def test_every_answer_is_dated_by_the_clock_of_the_org(org, adapter, connect):
    sf = connect(adapter)

    answer = sf.session.get(sf.base_url, headers=sf.headers)

    assert answer.headers["Date"] == "Sat, 21 Nov 2026 12:00:30 GMT"


def test_an_address_too_long_is_refused(org, adapter, connect):
    sf = connect(adapter)

    answer = sf.session.get(f"{sf.base_url}query/?q={'x' * 17_000}", headers=sf.headers)

    assert answer.status_code == 414


@pytest.mark.enable_socket
def test_a_chunked_body_is_read(org):
    def form():
        yield b"grant_type=client_credentials&client_id=" + org.app.client_id.encode()
        yield b"&client_secret=" + org.app.client_secret.encode()

    with HttpDoor(org) as door:
        answer = requests.post(
            f"{door.origin}/services/oauth2/token",
            data=form(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            timeout=10,
        )

    assert answer.json()["token_type"] == "Bearer"


@pytest.mark.enable_socket
def test_clients_in_parallel_lose_no_write(org, connect):
    ids = org.load([record(f"r{number}") for number in range(40)])

    def write(mine: list[str]) -> None:
        with requests.Session() as session:
            token = session.post(
                f"{door.origin}/services/oauth2/token",
                data={
                    "grant_type": "client_credentials",
                    "client_id": org.app.client_id,
                    "client_secret": org.app.client_secret,
                },
                timeout=10,
            ).json()["access_token"]
            for case_id in mine:
                session.patch(
                    f"{door.origin}/services/data/v66.0/sobjects/Case/{case_id}",
                    json={"Priority": "Low"},
                    headers={"Authorization": f"Bearer {token}"},
                    timeout=10,
                ).raise_for_status()

    with HttpDoor(org) as door:
        threads = [threading.Thread(target=write, args=(ids[n::8],)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert org.ledger.writes_by_case() == dict.fromkeys(ids, 1)


@pytest.mark.enable_socket
def test_the_http_door_opens_on_loopback_only(org):
    with HttpDoor(org) as door:
        assert door.origin.startswith("http://127.0.0.1:")


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "head",
    ["Content-Length: minus", "Content-Length: 99999999999", "Transfer-Encoding: chunked"],
)
def test_a_body_that_cannot_be_read_is_refused_and_the_next_caller_is_served(org, head):
    with HttpDoor(org) as door:
        port = int(door.origin.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
            line.sendall(f"POST / HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\nno size\r\n".encode())
            answer = line.recv(1000)
        served = requests.get(f"{door.origin}/services/data/", timeout=10)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert served.status_code == 200


def test_pages_of_other_hosts_are_not_the_api(org, sf):
    answer = sf.session.get("https://login.salesforce.com/services/data/v66.0/limits")

    assert answer.status_code == 404
    assert answer.text.startswith("<html>")
