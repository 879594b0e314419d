"""Say how to start PostgreSQL and Redis when `make check` cannot reach them.

Run as a script, with their URLs; exit code 1 when one does not answer.
"""

from __future__ import annotations

import sys

import psycopg
import redis

SECONDS = 3
HOW_TO_START = """{problems}
`make check` runs the tests of the database and the broker on both. On Debian, as root:
    apt-get install postgresql redis-server
    service postgresql start && service redis-server start
PostgreSQL must let the user of this URL make a database: {postgres_url}
Other servers: POSTGRES_URL=... REDIS_URL=... make check
"""


def main(postgres_url: str, redis_url: str) -> int:
    """Return 0 when both answer."""
    problems = []
    server_url = postgres_url.rpartition("/")[0] + "/postgres"
    try:
        psycopg.connect(server_url, connect_timeout=SECONDS).close()
    except psycopg.Error as error:
        problems.append(f"PostgreSQL does not answer: {error}")
    try:
        redis.Redis.from_url(redis_url, socket_timeout=SECONDS).ping()
    except redis.RedisError as error:
        problems.append(f"Redis does not answer: {error}")
    if problems:
        words = HOW_TO_START.format(
            problems="\n".join(problems), postgres_url=postgres_url
        )
        sys.stderr.write(words)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
