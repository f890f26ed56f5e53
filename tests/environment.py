"""The environment of the test run, set before Django reads its settings.

A pytest plugin (``-p tests.environment``) rather than a conftest, because pytest-django
imports the settings before any conftest is read.
"""

import atexit
import os
import re
import secrets
import shutil
import tempfile

import pytest
from xdist.scheduler import LoadFileScheduling

os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
# The test client and Chromium speak plain HTTP; without this every page would answer 301.
os.environ.setdefault("PLAIN_HTTP", "true")
os.environ["ENV_FILE"] = ""  # what a developer has set for a real org is no business of tests
# Not the folder of the developer's own database and broker.
os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="contactreason-test-")
atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)
# Playwright's synchronous interface runs an event loop in the test's own thread.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
for name in [name for name in os.environ if name.startswith("SALESFORCE_")]:
    del os.environ[name]


def own_redis_database(url: str, worker: str) -> str:
    """Return ``url`` with the database of one of several test runs side by side.

    They count down from the one that is named: ``gw1`` of ``redis://…/15`` has number 14.
    """
    host, _, number = url.rpartition("/")
    return f"{host}/{int(number) - int(re.sub(r'[^0-9]', '', worker))}"


if os.environ.get("REDIS_URL") and (worker := os.environ.get("PYTEST_XDIST_WORKER")):
    os.environ["REDIS_URL"] = own_redis_database(os.environ["REDIS_URL"], worker)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what starts real processes first, for it takes longest, and browser tests last.

    Playwright keeps an event loop running in the tests' thread from its first test on, and Django
    gives other code there another database connection: one that cannot bring back the rows of
    migrations after a test that commits.
    """
    items.sort(
        key=lambda item: (
            item.get_closest_marker("browser") is not None,
            item.get_closest_marker("processes") is None,
        )
    )


class FilesSideBySide(LoadFileScheduling):
    """Gives each worker one file at a time, and one worker all that starts real processes.

    Two demos at once would need longer than they promise on two cores.
    """

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return "processes" if "/processes/" in scope else scope


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> FilesSideBySide:
    return FilesSideBySide(config, log)
