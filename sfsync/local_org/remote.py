"""A running local org as another process sees it: its ledger and its people.

Speaks to the ``/local/`` addresses only (see ``desk``), which no real Salesforce has.
"""

import json
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

SECONDS = 10.0


class RefusedByOrg(Exception):
    """The org could not do what it was asked; the sentence says why."""


class RemoteOrg:
    """A local org behind its address, such as ``http://127.0.0.1:8099``."""

    def __init__(self, origin: str) -> None:
        """Take the address; nothing is sent yet.

        Raises:
            ValueError: the address is not plain HTTP on loopback.
        """
        if not origin.startswith(("http://127.0.0.1:", "http://localhost:", "http://[::1]:")):
            raise ValueError(f"not an address of a local org: {origin}")
        self._origin = origin.rstrip("/")

    def ledger(self) -> dict[str, Any]:
        """Return what the org counted.

        Keys: ``api_calls``, ``calls`` by kind, ``logins``, ``cases``, ``cases_by_channel``,
        ``writes`` (rows of
        Case written through the API), ``cases_written``, ``most_writes_of_a_case``,
        ``writes_by_case``, ``people_writes``.

        Raises:
            OSError: nobody answers.
        """
        return dict(self._ask("GET", "/local/ledger"))

    def writes(self) -> list[dict[str, Any]]:
        """Return every accepted write: at, user, sObject, id, operation, fields, headers."""
        return list(self._ask("GET", "/local/ledger/writes"))

    def new_case(self, record: Mapping[str, object] | None = None) -> str:
        """Let a Case come in, of this record or of any of the feed; return its id."""
        return str(self._ask("POST", "/local/cases", record or {})["id"])

    def new_cases(self, count: int) -> list[str]:
        """Let so many Cases of the feed come in at once; return their ids."""
        return [str(one) for one in self._ask("POST", "/local/cases", {"count": count})["ids"]]

    def edit_case(self, case_id: str, fields: Mapping[str, object], by: str = "") -> None:
        """Let a representative change fields of a Case."""
        body = {"case_id": case_id, "fields": dict(fields), "by": by}
        self._ask("POST", "/local/people/edit", body)

    def change_reason(self, case_id: str, reason: str, by: str = "") -> None:
        """Let a representative (such as ``Ann Bell``) choose another reason; empty: none."""
        body = {"case_id": case_id, "reason": reason, "by": by}
        self._ask("POST", "/local/people/reason", body)

    def confirm_reason(self, case_id: str, by: str = "") -> None:
        """Let a representative take the reason that was suggested for the Case."""
        self._ask("POST", "/local/people/confirm", {"case_id": case_id, "by": by})

    def automation_edits(self, case_id: str, fields: Mapping[str, object]) -> None:
        """Let a Flow of the org change fields of a Case, in its own name."""
        body = {"case_id": case_id, "fields": dict(fields)}
        self._ask("POST", "/local/people/automation", body)

    def close_case(self, case_id: str, by: str = "") -> None:
        """Let a representative close a Case."""
        self._ask("POST", "/local/people/close", {"case_id": case_id, "by": by})

    def delete_case(self, case_id: str) -> None:
        """Let a representative delete a Case."""
        self._ask("POST", "/local/people/delete", {"case_id": case_id})

    def undelete_case(self, case_id: str) -> None:
        """Let a representative take a Case back out of the recycle bin."""
        self._ask("POST", "/local/people/undelete", {"case_id": case_id})

    def merge_cases(self, master_id: str, *case_ids: str) -> None:
        """Let a representative merge Cases into one, which is kept."""
        body = {"case_id": master_id, "merged": list(case_ids)}
        self._ask("POST", "/local/people/merge", body)

    def say(self, way: str, case_id: str, text: str) -> str:
        """Let somebody write; return the id of the new row.

        ``way``: ``reply`` or ``comment`` (a representative), ``email``, ``portal`` or
        ``message`` (the customer).
        """
        body = {"case_id": case_id, "text": text}
        return str(self._ask("POST", f"/local/people/{way}", body)["id"])

    def talk(self, way: str, case_id: str, turns: Sequence[tuple[str, str]]) -> str:
        """Let both sides talk; return the id of the row that holds or leads to the words.

        ``way``: ``messages`` or ``chat`` (they go on where the Case has one), ``take_call``
        (end it with ``hang_up``), or a channel such as ``social`` for a new row of it.
        ``turns`` are pairs of speaker (``customer``, ``representative``, ``bot``) and text.
        """
        said = [{"speaker": speaker, "text": text} for speaker, text in turns]
        body: dict[str, object] = {"case_id": case_id, "turns": said}
        if way not in {"messages", "chat", "take_call"}:
            body["channel"], way = way, "hear"
        return str(self._ask("POST", f"/local/people/{way}", body)["id"])

    def hang_up(self, call_id: str) -> None:
        """End a telephone call."""
        self._ask("POST", "/local/people/hang_up", {"call_id": call_id})

    def attach(self, case_id: str, title: str, extension: str, text: str) -> str:
        """Let a representative attach a file; return the document's id."""
        body = {"case_id": case_id, "title": title, "extension": extension, "text": text}
        return str(self._ask("POST", "/local/people/attach", body)["id"])

    def replace_file(self, document_id: str, text: str, by: str = "") -> None:
        """Let a representative upload a new version of a file."""
        body = {"document_id": document_id, "text": text, "by": by}
        self._ask("POST", "/local/people/replace", body)

    def act(self) -> tuple[str, str]:
        """Let somebody do something, by the org's seed; return what, and the Case's id."""
        told = self._ask("POST", "/local/people/act", {})
        return str(told["deed"]), str(told["case_id"])

    def deploy(self, directory: Path) -> None:
        """Deploy SFDX source that lies on this machine.

        Raises:
            RefusedByOrg: with every problem found; the org is unchanged then.
        """
        self._ask("POST", "/local/deploy", {"directory": str(directory)})

    def revoke_tokens(self) -> None:
        """End every access token."""
        self._ask("POST", "/local/tokens/revoke")

    def set_faults(self, **switches: object) -> None:
        """Turn switches of ``Faults``; see ``desk`` for their names."""
        self._ask("POST", "/local/faults", switches)

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310  # loopback, checked above
            self._origin + path, data=sent, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                return json.load(answer)
        except HTTPError as refused:
            with refused:
                raise RefusedByOrg(refused.read().decode("utf-8", "replace")) from None
