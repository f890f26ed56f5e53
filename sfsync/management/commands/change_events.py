"""``manage.py change_events``: listens to Salesforce's change events until it is told to stop."""

import signal
import threading
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from classifier.commands import ReportingCommand
from sfsync import gateway
from sfsync.errors import NotConfigured

try:
    from sfsync.listening import Listener
    from sfsync.pubsub.stream import PubSub
except ImportError as error:  # gRPC and Avro are for those who want events
    if (error.name or "").partition(".")[0] not in {"grpc", "google", "fastavro"}:
        raise
    MISSING = error.name
else:
    MISSING = None


class Command(ReportingCommand):
    requires_system_checks = ()  # they read the whole web app; `manage.py check` and CI do them
    help = (
        "Listen to Salesforce's change events (SALESFORCE_EVENT_TOPICS), so that a Case is read as"
        " soon as it changes. Runs until TERM or Ctrl-C; run one of it."
    )

    def handle(self, **options: Any) -> None:
        if MISSING:
            raise CommandError(
                f"Change events need packages that are not installed ({MISSING}): pip install"
                " --require-hashes -r requirements-events.txt, then start it again."
            )
        try:
            opened = gateway.open()
        except NotConfigured as error:
            raise CommandError(str(error)) from error
        is_over = threading.Event()

        def stop(number: int, frame: FrameType | None) -> None:
            is_over.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        pubsub = PubSub(settings.SALESFORCE_EVENTS_LOCAL_ORIGIN)
        topics = settings.SALESFORCE_EVENT_TOPICS
        self.report({"topics": list(topics)}, f"Listening to {', '.join(topics)}.")
        self.stdout.flush()
        Listener(opened, pubsub, topics).listen(is_over)
        pubsub.close()
