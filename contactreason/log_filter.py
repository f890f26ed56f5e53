"""What no log line may hold: the secret part of a door's address."""

import logging
import re

SECRET_ADDRESS = re.compile(r"(/doors/salesforce/outbound/)[^/\s\"']+")


class HidesSecrets(logging.Filter):
    """Replaces the secret in every line; Django names the address of each refused request."""

    def filter(self, record: logging.LogRecord) -> bool:
        told = record.getMessage()
        hidden = SECRET_ADDRESS.sub(r"\1…", told)
        if hidden != told:
            record.msg, record.args = hidden, ()
        return True
