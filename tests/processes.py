"""Python processes with settings of their own."""

from __future__ import annotations

import os
import subprocess
import sys

from django.conf import settings

# A production start that is complete, on hosts that do not exist.
PRODUCTION = {
    "SITE_MODE": "production",
    "SECRET_KEY": "k" * 60,
    "SITE_ORIGIN": "https://wallet.example",
    "WEBAUTHN_RP_ID": "wallet.example",
    "CHAIN_ID": "1",
    "NODE_URL": "https://node.example/key",
    "BUNDLER_URL": "https://bundler.example/key",
    "RELAYER_PRIVATE_KEY": "0x" + "11" * 32,
    "SPONSOR_PRIVATE_KEY": "0x" + "22" * 32,
    "CELERY_BROKER_URL": "memory://",
    "DATABASE_URL": "sqlite:///:memory:",
}
SECONDS = 60


def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script; a failing one fails the test."""
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=settings.BASE_DIR,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "wallet_site.settings"}
        | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
