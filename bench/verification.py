"""Verifying one answer of a passkey: the checks alone, without HTTP or database."""

from __future__ import annotations

import argparse
import json
import secrets
import time
from collections.abc import Callable

from django.conf import settings

from accounts import options as ceremony_options
from accounts import webauthn
from accounts.ceremonies import CHALLENGE_BYTES
from bench import report
from tests.soft_authenticator import SoftAuthenticator, base64url

GOAL_MS = 1.0  # milliseconds
WARM_UP = 20


def main() -> None:
    """Print the times as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    rows = []
    for what, verification in {
        "Registration, no attestation": lambda: registration("none"),
        "Registration, packed self attestation": lambda: registration("packed"),
        "Assertion": assertion,
    }.items():
        times = [milliseconds(verification()) for _ in range(runs + WARM_UP)][WARM_UP:]
        median, p95 = report.median_and_p95([ms * 1000 for ms in times], "µs")
        goal = f"{GOAL_MS * 1000:,.0f} µs"
        met = report.verdict(sorted(times)[len(times) // 2], GOAL_MS)
        rows.append((what, median, p95, goal, met))
    headings = (f"Verify, {runs:,} each", "median", "p95", "goal", "")
    report.show(report.table(headings, rows))


def milliseconds(verify: Callable[[], object]) -> float:
    """Return how long one verification takes."""
    began = time.perf_counter()
    verify()
    return (time.perf_counter() - began) * 1000


def registration(fmt: str) -> Callable[[], object]:
    """Return the verification of a new passkey's answer, made beforehand."""
    passkey = SoftAuthenticator(origin=settings.SITE_ORIGIN)
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    asked = ceremony_options.registration_options(
        rp_id=settings.WEBAUTHN_RP_ID,
        rp_name=settings.WEBAUTHN_RP_NAME,
        user_handle=secrets.token_bytes(64),
        user_name="Bench",
        challenge=challenge,
        timeout_seconds=settings.CEREMONY_SECONDS,
        attestation=settings.ATTESTATION,
    )
    statement = "self" if fmt == "packed" else None
    response = json.dumps(passkey.create(asked, fmt=fmt, statement=statement))
    return lambda: webauthn.verify_registration(
        response=response,
        expected_challenge=challenge,
        rp_id=settings.WEBAUTHN_RP_ID,
        origin=settings.SITE_ORIGIN,
    )


def assertion() -> Callable[[], object]:
    """Return the verification of a passkey's answer to a sign-in, made beforehand."""
    handle = secrets.token_bytes(64)
    passkey = SoftAuthenticator(origin=settings.SITE_ORIGIN, user_handle=handle)
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    response = json.dumps(passkey.get({"challenge": base64url(challenge)}))
    credential = webauthn.CredentialRecord(
        credential_id=passkey.credential_id,
        public_key_x=passkey.x,
        public_key_y=passkey.y,
        user_handle=handle,
    )
    return lambda: webauthn.verify_assertion(
        response=response,
        expected_challenge=challenge,
        credential=credential,
        rp_id=settings.WEBAUTHN_RP_ID,
        origin=settings.SITE_ORIGIN,
        is_discovered=True,
    )


if __name__ == "__main__":
    main()
