"""Posting a sentence to a webhook: one call, to a public address, and to nobody else."""

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter

SECONDS = (5.0, 10.0)
"""To connect; between two bytes of the answer. Slack answers within one."""
HTTPS_PORT = 443
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.ip_network("64:ff9b::/96")
LAST_32_BITS = 0xFFFFFFFF


class NotPosted(Exception):
    """The receiver did not take it. The message never holds the address: that is a secret."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where sentences are posted to, as JSON ``{"text": …}``: Slack's form, which others share."""

    url: str
    is_local: bool = False
    """A receiver on this very machine: loopback and plain HTTP are allowed, nothing else is."""
    certificates: bool | str = True
    """True: the usual authorities; else a file of those to trust."""
    resolve: Callable[..., Any] = socket.getaddrinfo

    def post(self, text: str) -> None:
        """Post ``text``. What the receiver answers, besides its status, is not read.

        Raises:
            NotPosted: try again later, or correct the address; the message says which.
        """
        parts = _checked(self.url, is_local=self.is_local)
        address = self._address(parts)
        with requests.Session() as session:
            session.trust_env = False  # a proxy would look the name up again, unchecked
            session.adapters.clear()
            wire = _Pinned(str(parts.hostname)) if parts.scheme == "https" else HTTPAdapter()
            session.mount(f"{parts.scheme}://", wire)
            try:
                answer = session.post(
                    urlunsplit(parts._replace(netloc=_netloc(address, parts))),
                    json={"text": text},
                    headers={"Host": parts.netloc},
                    timeout=SECONDS,
                    allow_redirects=False,
                    stream=True,  # the body is nobody's business, however long it is
                    verify=self.certificates,
                )
            except requests.RequestException as error:
                # Cut off, not chained: the client's words repeat the address.
                raise NotPosted(f"no answer ({type(error).__name__})") from None
            with answer:
                if not 200 <= answer.status_code < 300:  # noqa: PLR2004 - success, by RFC 9110
                    raise NotPosted(f"the receiver answered {answer.status_code}")

    def _address(self, parts: SplitResult) -> Address:
        """Return the address to connect to: looked up once, checked, and then kept to."""
        try:
            found = self.resolve(parts.hostname, _port(parts), type=socket.SOCK_STREAM)
        except OSError:
            raise NotPosted("its host name is not known") from None
        addresses = [ipaddress.ip_address(one[4][0]) for one in found]
        is_allowed = _is_loopback if self.is_local else is_public
        if not addresses or not all(map(is_allowed, addresses)):
            raise NotPosted("its host is not on the public internet; nothing was sent")
        return addresses[0]


def is_public(address: Address) -> bool:
    """Return whether anybody may be reached there: no private, local or reserved address.

    An IPv6 address that wraps an IPv4 one counts as that one.
    """
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = address.ipv4_mapped or address.sixtofour
        if address in NAT64:
            wrapped = ipaddress.IPv4Address(int(address) & LAST_32_BITS)
        if wrapped is not None:
            return is_public(wrapped)
        if address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast


def _is_loopback(address: Address) -> bool:
    return address.is_loopback


class _Pinned(HTTPAdapter):
    """Speaks TLS with the host that was meant, though an address is called."""

    def __init__(self, host: str) -> None:
        self._host = host
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(
            *args, server_hostname=self._host, assert_hostname=self._host, **more
        )


def _checked(url: str, *, is_local: bool) -> SplitResult:
    parts = urlsplit(url)
    schemes = {"https", "http"} if is_local else {"https"}
    if parts.scheme not in schemes or not parts.hostname or parts.username is not None:
        raise NotPosted("its address is not one of https://")
    return parts


def _port(parts: SplitResult) -> int:
    return parts.port or (HTTPS_PORT if parts.scheme == "https" else 80)


def _netloc(address: Address, parts: SplitResult) -> str:
    host = f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004
    return f"{host}:{_port(parts)}"
