"""The variables that open the doors for Salesforce, checked for their form."""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass

PATH_SECRET_FORM = re.compile(r"[A-Za-z0-9_-]{32,128}")
ORG_ID_FORM = re.compile(r"00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?")
ACTION_ID_FORM = re.compile(r"04k[A-Za-z0-9]{12}([A-Za-z0-9]{3})?")
WEBHOOK_PREFIX = "whsec_"
WEBHOOK_KEY_BYTES = range(24, 65)
"""Of a symmetric secret, as Standard Webhooks has it."""
LIVE_SECRETS = 2
"""The one in use and, while it is being replaced, its successor."""
IDS = "write ids of 15 or 18 characters, separated by commas."


@dataclass(frozen=True, slots=True)
class DoorVariables:
    """What the doors are opened by. Without a secret a door is shut."""

    outbound_secrets: list[str]
    outbound_organisations: list[str]
    outbound_actions: list[str]
    webhook_secrets: list[str]

    @classmethod
    def read(
        cls, variables: Mapping[str, str], *, add_problem: Callable[[str], None]
    ) -> "DoorVariables":
        """Return the variables; ``add_problem`` is told of each that is wrong, without its value."""

        def checked(name: str, is_right: Callable[[str], object], sentence: str) -> list[str]:
            values = [word.strip() for word in variables.get(name, "").split(",")]
            values = [value for value in values if value]
            if not all(is_right(value) for value in values):
                add_problem(f"{name} is not right: {sentence}")
            if name.endswith("_SECRETS") and len(values) > LIVE_SECRETS:
                add_problem(f"{name}: write the secret in use and the next one, no more.")
            return values

        return cls(
            outbound_secrets=checked(
                "OUTBOUND_SECRETS",
                PATH_SECRET_FORM.fullmatch,
                "write 32 to 128 letters, digits, - and _; `openssl rand -hex 32` makes one.",
            ),
            outbound_organisations=checked(
                "OUTBOUND_ORGANISATIONS", ORG_ID_FORM.fullmatch, IDS
            ),
            outbound_actions=checked("OUTBOUND_ACTIONS", ACTION_ID_FORM.fullmatch, IDS),
            webhook_secrets=checked(
                "WEBHOOK_SECRETS",
                _is_webhook_secret,
                "write whsec_ and 24 to 64 bytes in base64;"
                ' `echo "whsec_$(openssl rand -base64 32)"` makes one.',
            ),
        )


def _is_webhook_secret(value: str) -> bool:
    if not value.startswith(WEBHOOK_PREFIX):
        return False
    try:
        key = b64decode(value.removeprefix(WEBHOOK_PREFIX), validate=True)
    except ValueError:
        return False
    return len(key) in WEBHOOK_KEY_BYTES
