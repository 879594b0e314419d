"""A thousand people who create a wallet, fifty at a time, over HTTP (R56).

All come from one address, so the site runs with CEREMONY_BEGINS_PER_MINUTE raised
(bench/environment.py). Passkeys and sockets are ready before the clock starts; one
person's time is from asking for the options to the redirect to the new account.
"""

from __future__ import annotations

import argparse
import http.client
import json
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.urls import reverse

from accounts.models import Credential, User
from bench import environment, processes, report, stack
from onchain.models import Safe
from tests.soft_authenticator import SoftAuthenticator

PEOPLE, AT_ONCE = 1000, 50
GOAL_SECONDS, GOAL_P95_MS = 60, 2000
TIMEOUT = 60  # seconds
WARM_UP = 50  # people, so that the threads of the web server have connections


@dataclass
class Person:
    """One browser with one passkey; a plain client, so that the site is measured."""

    passkey: SoftAuthenticator = field(
        default_factory=lambda: SoftAuthenticator(origin=settings.SITE_ORIGIN)
    )
    csrf: str = field(default_factory=lambda: secrets.token_hex(16))
    cookies: dict[str, str] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    place: str = ""  # of the new account
    milliseconds: float = 0.0

    def register(self) -> None:
        """Walk the whole registration."""
        self.cookies[settings.CSRF_COOKIE_NAME] = self.csrf
        site = urlsplit(settings.SITE_ORIGIN)
        began = time.perf_counter()
        connection = http.client.HTTPConnection(
            "127.0.0.1", site.port or 80, timeout=TIMEOUT
        )
        try:
            asked = self._post(connection, "registration-begin", {})
            answer = self.passkey.create(json.loads(asked)) if asked else {}
            self._post(
                connection, "registration-finish", {"credential": json.dumps(answer)}
            )
        finally:
            connection.close()
        self.milliseconds = (time.perf_counter() - began) * 1000

    def _post(
        self, connection: http.client.HTTPConnection, name: str, fields: dict[str, str]
    ) -> bytes:
        body = urlencode({"csrfmiddlewaretoken": self.csrf, **fields})
        headers = {
            "Host": urlsplit(settings.SITE_ORIGIN).netloc,
            "Origin": settings.SITE_ORIGIN,
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": "; ".join(
                f"{key}={value}" for key, value in self.cookies.items()
            ),
        }
        connection.request("POST", reverse(name), body, headers)
        response = connection.getresponse()
        self.statuses.append(response.status)
        for cookie in response.headers.get_all("Set-Cookie", []):
            key, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[key] = value
        self.place = response.headers.get("Location", "")
        content = response.read()
        return content if response.status == http.client.OK else b""


def main() -> None:
    """Print seconds, percentiles, errors and accounts as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    count = parser.parse_args().people
    with stack.running() as supervisor:
        register_all([Person() for _ in range(WARM_UP)])
        before = User.objects.count(), Credential.objects.count(), Safe.objects.count()
        people = [Person() for _ in range(count)]
        report.progress(f"{count} people, {AT_ONCE} at a time")
        used = -web_seconds(supervisor.pid)
        seconds = register_all(people)
        used += web_seconds(supervisor.pid)
        after = User.objects.count(), Credential.objects.count(), Safe.objects.count()
    made = [new - old for new, old in zip(after, before, strict=True)]
    report.show(as_table(people, seconds, made, used))


def register_all(people: list[Person]) -> float:
    """Let all of them register; return how many seconds that took."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        began = time.perf_counter()
        list(pool.map(Person.register, people))
        return time.perf_counter() - began


def web_seconds(supervisor: int) -> float:
    """Return the seconds of a core that the web server has used."""
    used = processes.seconds_by_program(supervisor)
    return next(seconds for name, seconds in used.items() if name.startswith("web"))


def as_table(people: list[Person], seconds: float, made: list[int], used: float) -> str:
    """Return the figures beside their goals."""
    times = [person.milliseconds for person in people]
    median, p95 = report.median_and_p95(times, "ms")
    exact_p95 = sorted(times)[max(0, round(0.95 * len(times)) - 1)]
    statuses = [status for person in people for status in person.statuses]
    errors = sum(status >= http.client.INTERNAL_SERVER_ERROR for status in statuses)
    refused = len(people) - sum(
        person.statuses == [http.client.OK, http.client.SEE_OTHER] for person in people
    )
    accounts = len({person.place for person in people} - {""})
    fewest = min(accounts, *made)
    limit = f"CEREMONY_BEGINS_PER_MINUTE={settings.CEREMONY_BEGINS_PER_MINUTE}"
    return report.table(
        (f"{environment.stores()}, {AT_ONCE} at a time, {limit}", "seen", "goal", ""),
        [
            (
                f"{len(people):,} registrations",
                f"{seconds:.1f} s",
                f"{GOAL_SECONDS} s",
                report.verdict(seconds, GOAL_SECONDS),
            ),
            ("one, begin and finish, median", median, "", ""),
            (
                "the same, p95",
                p95,
                f"{GOAL_P95_MS:,} ms",
                report.verdict(exact_p95, GOAL_P95_MS),
            ),
            (
                "the web server's time on a core, for one",
                f"{used / len(people) * 1000:.1f} ms",
                *("", ""),
            ),
            ("answers 5xx", str(errors), "0", report.verdict(errors, 0)),
            ("not finished", str(refused), "0", report.verdict(refused, 0)),
            (
                "distinct people, passkeys and accounts",
                f"{fewest:,}",
                f"{len(people):,}",
                report.verdict(len(people) - fewest, 0),
            ),
        ],
    )


if __name__ == "__main__":
    main()
