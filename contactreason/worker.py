"""``python -m contactreason.worker``: a Celery worker that holds only what it needs.

``celery -A contactreason worker`` works as well, with 16 MB more in every process: that command
imports an interactive shell and all other subcommands, and the pool inherits them.
"""

import logging
import sys
from argparse import ArgumentParser

from contactreason.celery import app


def main() -> int:
    """Work until told to stop, and return the process's exit status."""
    parser = ArgumentParser(prog="python -m contactreason.worker", description=__doc__)
    parser.add_argument(
        "--queues", required=True, help="decide, salesforce, errands; with commas between"
    )
    parser.add_argument("--concurrency", type=int, required=True, help="processes of the pool")
    options = parser.parse_args()
    worker = app.Worker(
        queues=options.queues,
        concurrency=options.concurrency,
        loglevel=logging.INFO,
        # One worker has no use for what another one says: the tables are the queue.
        without_gossip=True,
        without_mingle=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


if __name__ == "__main__":
    sys.exit(main())
