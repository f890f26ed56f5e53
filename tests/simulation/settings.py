"""The product's own settings, with a database that asks the simulation before each statement."""

import os

from contactreason.settings import *  # noqa: F403
from contactreason.settings import DATABASES

DATABASES["default"] |= {
    "ENGINE": "tests.simulation.database",
    "NAME": os.environ["SIMULATION_DATABASE"],
}
LOGGING_CONFIG = None
CELERY_BROKER_URL = "memory://"
"""The crew's bells are the broker; what is sent to Celery itself is heard by nobody."""
