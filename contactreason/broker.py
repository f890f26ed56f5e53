"""Does the broker answer? Asked on a connection of its own, so that nothing can hang on an old one."""

import redis

from contactreason.celery import app

SECONDS = 2.0


def answers(seconds: float = SECONDS) -> bool:
    """Return whether the broker answers a PING within so many seconds; never raises."""
    url = app.conf.broker_url.replace("redis+socket://", "unix://", 1)
    client = redis.Redis.from_url(url, socket_connect_timeout=seconds, socket_timeout=seconds)
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()
