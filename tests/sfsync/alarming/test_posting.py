"""A sentence goes to one webhook on the public internet, and to no other address."""

import ipaddress
import socket

import pytest

from sfsync.posting import NotPosted, Webhook, is_public
from tests.sfsync.alarming.conftest import SECRET_PATH


def resolving(*addresses):
    """A name server that knows one answer."""

    def resolve(host, port, **_):
        family = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [
            (family[ipaddress.ip_address(one).version], 1, 6, "", (one, port))
            for one in addresses
        ]

    return resolve


def refused(webhook):
    with pytest.raises(NotPosted) as raised:
        webhook.post("The tray is full.")
    return str(raised.value)


def test_a_receiver_on_this_machine_gets_the_text_in_slacks_form(receiver):
    Webhook(receiver.url, is_local=True).post("The tray is full.")

    (post,) = receiver.posts
    assert (post["path"], post["body"]) == (SECRET_PATH, {"text": "The tray is full."})
    assert post["host"] == f"127.0.0.1:{receiver.server_port}"


def test_without_being_told_so_this_machine_gets_nothing(receiver):
    url = receiver.url.replace("http://", "https://")

    assert "not on the public internet" in refused(Webhook(url))
    assert "https://" in refused(Webhook(receiver.url))
    assert receiver.posts == []


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fec0::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:169.254.169.254",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
    ],
)
def test_no_private_address_is_called_whatever_name_stands_for_it(address):
    webhook = Webhook("https://hooks.example.com/x", resolve=resolving(address))

    assert not is_public(ipaddress.ip_address(address))
    assert "not on the public internet" in refused(webhook)


def test_one_private_address_among_public_ones_is_enough_to_refuse():
    webhook = Webhook("https://hooks.example.com/x", resolve=resolving("1.1.1.1", "10.0.0.1"))

    assert "not on the public internet" in refused(webhook)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "64:ff9b::1.1.1.1"])
def test_addresses_that_anybody_may_reach_are_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/x",
        "ftp://hooks.example.com/x",
        "https://user:word@hooks.example.com/x",
        "https:///x",
        "//hooks.example.com",
    ],
)
def test_only_plain_https_addresses_are_called(url):
    assert "https://" in refused(Webhook(url, resolve=resolving("1.1.1.1")))


def test_a_local_receiver_must_be_on_this_very_machine():
    webhook = Webhook("http://hooks.example.com/x", True, resolve=resolving("192.168.1.1"))

    assert "nothing was sent" in refused(webhook)


@pytest.mark.parametrize("status", [301, 307, 400, 404, 429, 500])
def test_anything_but_success_is_not_posted_and_no_redirect_is_followed(receiver, status):
    receiver.status, receiver.location = status, "http://127.0.0.1:9/elsewhere"

    told = refused(Webhook(receiver.url, is_local=True))

    assert told == f"the receiver answered {status}"
    assert len(receiver.posts) == 1


def test_trouble_never_repeats_the_address_which_is_a_secret(receiver):
    port = receiver.server_port
    receiver.shutdown()
    receiver.server_close()

    told = refused(Webhook(f"http://127.0.0.1:{port}{SECRET_PATH}", is_local=True))

    assert told.startswith("no answer (")
    assert "secret" not in told


def test_an_unknown_host_is_told_as_such():
    def unknown(*_, **__):
        raise socket.gaierror("secret.example.com")

    assert refused(Webhook("https://secret.example.com", resolve=unknown)) == (
        "its host name is not known"
    )
