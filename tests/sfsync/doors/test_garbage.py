"""A few hundred of the requests that ``bench_doors`` sends by the hundred thousand."""

import random
from itertools import islice

import pytest

from sfsync.models import CaseLink, Doorbell
from tests.benchmarks import garbage

REQUESTS = 500


@pytest.mark.parametrize("seed", range(2))
def test_garbage_is_answered_with_the_right_status_and_nothing_is_written(
    client, settings, seed
):
    settings.OUTBOUND_SECRETS = [garbage.SECRET]
    settings.WEBHOOK_SECRETS = [garbage.WEBHOOK_SECRET]
    client.raise_request_exception = False
    wrong = []

    for one in islice(garbage.garbage(random.Random(seed)), REQUESTS):
        headers = {name.replace("-", "_"): value for name, value in one.headers.items()}
        answer = client.generic(
            one.method,
            one.path,
            one.body,
            content_type=headers.pop("Content_Type", ""),
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        if answer.status_code != one.status:
            wrong.append((one.what, answer.status_code, one.body[:100]))

    assert wrong == []
    assert not Doorbell.objects.exists()
    assert not CaseLink.objects.exists()
