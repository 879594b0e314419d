"""What a production start refuses (security.md R12, R70, R71)."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from eth_account import Account

from wallet_site import checks

# One of anvil's, and the mnemonic they all come from.
PUBLIC_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
CONSOLE = "django.core.mail.backends.console.EmailBackend"
MNEMONIC = "test test test test test test test test test test test junk"


@pytest.fixture
def production(settings):
    settings.SITE_MODE = "production"
    settings.DEBUG = False
    settings.SITE_ORIGIN = "https://wallet.example"
    settings.SITE_HOST = "wallet.example"
    settings.WEBAUTHN_RP_ID = "wallet.example"
    settings.CHAIN_ID = 11155111
    settings.RELAYER_PRIVATE_KEY = f"0x{secrets.token_hex(32)}"
    settings.SPONSOR_PRIVATE_KEY = f"0x{secrets.token_hex(32)}"
    return settings


def refusals() -> list[str]:
    return [error.id for error in checks.safe_start(None)]


def test_a_proper_production_start_is_accepted(production):
    assert refusals() == []

    checks.require_safe_start()


@pytest.mark.parametrize(
    ("name", "value", "refusal"),
    [
        ("DEBUG", True, "latchkey.E001"),
        ("SITE_ORIGIN", "http://wallet.example", "latchkey.E002"),
        ("WEBAUTHN_RP_ID", "other.example", "latchkey.E004"),
        ("WEBAUTHN_RP_ID", "allet.example", "latchkey.E004"),
        ("CHAIN_ID", 31337, "latchkey.E005"),
        ("EMAIL_BACKEND", CONSOLE, "latchkey.E010"),
        ("RELAYER_PRIVATE_KEY", "0x00", "latchkey.E006"),
        ("SPONSOR_PRIVATE_KEY", "none", "latchkey.E006"),
        ("RELAYER_PRIVATE_KEY", PUBLIC_KEY, "latchkey.E007"),
        ("SPONSOR_PRIVATE_KEY", PUBLIC_KEY.upper().replace("X", "x"), "latchkey.E007"),
    ],
)
def test_one_local_setting_is_refused(production, name, value, refusal):
    setattr(production, name, value)

    assert refusals() == [refusal]


@pytest.mark.parametrize("host", ["localhost", "wallet.localhost", "127.0.0.1", ""])
def test_a_local_relying_party_is_refused(production, host):
    production.SITE_HOST = host
    production.WEBAUTHN_RP_ID = host

    assert refusals() == ["latchkey.E003"]


def test_a_parent_domain_is_a_relying_party(production):
    production.SITE_HOST = "app.wallet.example"

    assert refusals() == []


def test_one_key_for_relayer_and_sponsor_is_refused(production):
    production.SPONSOR_PRIVATE_KEY = production.RELAYER_PRIVATE_KEY

    assert refusals() == ["latchkey.E008"]


def test_the_ten_public_accounts_are_those_of_the_mnemonic():
    Account.enable_unaudited_hdwallet_features()
    accounts = {
        Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}").address
        for index in range(10)
    }

    assert accounts == checks.PUBLIC_ACCOUNTS


def test_the_local_keys_of_the_settings_are_public_ones(settings):
    for key in (settings.LOCAL_RELAYER_KEY, settings.LOCAL_SPONSOR_KEY):
        assert Account.from_key(key).address in checks.PUBLIC_ACCOUNTS


def test_a_local_start_may_have_all_of_it(settings):
    settings.SITE_MODE = "local"

    assert refusals() == []


@pytest.mark.parametrize("mode", ["local", "production"])
@pytest.mark.parametrize(
    "address",
    ["0x1234", "none", "0x700B6a60ce7EaaEA56F065753d8dcB9653dbAD35", " "],
    ids=["short", "no address", "wrong checksum", "blank"],
)
def test_a_paymaster_that_is_no_address_is_refused_everywhere(
    production, mode, address
):
    production.SITE_MODE = mode
    production.PAYMASTER_ADDRESS = address

    assert refusals() == ["latchkey.E009"]


@pytest.mark.parametrize("mode", ["local", "production"])
def test_a_start_without_a_paymaster_is_accepted(production, mode):
    production.SITE_MODE = mode
    production.PAYMASTER_ADDRESS = ""

    assert refusals() == []


def test_the_words_of_a_refusal_never_hold_the_key(production):
    production.RELAYER_PRIVATE_KEY = PUBLIC_KEY

    with pytest.raises(ImproperlyConfigured) as refusal:
        checks.require_safe_start()

    assert PUBLIC_KEY[2:] not in str(refusal.value)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "program",
    [
        ["manage.py", "follow"],
        ["-m", "celery", "-A", "wallet_site", "worker"],
        ["-m", "celery", "-A", "wallet_site", "beat", "--pidfile="],
        ["-m", "wallet_site.wsgi"],
    ],
    ids=["follower", "worker", "beat", "web"],
)
def test_no_process_starts_with_public_keys(program, settings, tmp_path):
    environment = os.environ | {
        "SITE_MODE": "production",
        "VAR_DIR": str(tmp_path),
        "SECRET_KEY": secrets.token_hex(32),
        "SITE_ORIGIN": "https://wallet.example",
        "ALLOWED_HOSTS": "wallet.example",
        "WEBAUTHN_RP_ID": "wallet.example",
        "CHAIN_ID": "11155111",
        "NODE_URL": "http://127.0.0.1:1",
        "BUNDLER_URL": "http://127.0.0.1:1",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'test.sqlite3'}",
        "CELERY_BROKER_URL": "memory://",
        "RELAYER_PRIVATE_KEY": PUBLIC_KEY,
        "SPONSOR_PRIVATE_KEY": f"0x{secrets.token_hex(32)}",
    }

    ended = subprocess.run(
        [sys.executable, *program],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode != 0
    assert "RELAYER_PRIVATE_KEY is a key that everybody has." in (
        ended.stdout + ended.stderr
    )


# --- The sponsor -----------------------------------------------------------------------

SERVICE = "https://paymaster.example/key"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"PAYMASTER_ADDRESS": "0x12"}, "latchkey.E009"),
        ({"PAYMASTER_URL": SERVICE}, "latchkey.E015"),
        ({"PAYMASTER_ADDRESS": "", "PAYMASTER_URL": "there"}, "latchkey.E016"),
        (
            {"PAYMASTER_ADDRESS": "", "PAYMASTER_URL": SERVICE}
            | {"PAYMASTER_CONTEXT": ["a list"]},
            "latchkey.E017",
        ),
        ({"SPONSOR_SAFETY_WEI": -1}, "latchkey.E018"),
        ({"SPONSOR_DEPOSIT_FLOOR_WEI": -1}, "latchkey.E018"),
        ({"SPONSOR_OPERATION_WEI": 11, "SPONSOR_DAILY_WEI": 10}, "latchkey.E019"),
        ({"SPONSOR_DAILY_WEI": 11, "SPONSOR_OPERATION_WEI": 1}, "latchkey.E019"),
        ({"SPONSOR_DAILY_OPERATIONS": 11, "SPONSOR_DAILY_TOTAL": 10}, "latchkey.E019"),
        ({"SPONSOR_OPERATION_WEI": 2**63}, "latchkey.E020"),
    ],
)
def test_settings_of_the_sponsor_that_contradict_are_refused(
    settings, changes, refusal
):
    settings.PAYMASTER_ADDRESS = "0x700b6A60ce7EaaEA56F065753d8dcB9653dbAD35"
    settings.SPONSOR_DAILY_WEI = settings.SPONSOR_DAILY_TOTAL_WEI = 2**64
    if changes.get("SPONSOR_DAILY_WEI") == 11:
        settings.SPONSOR_DAILY_TOTAL_WEI = 10
    for name, value in changes.items():
        setattr(settings, name, value)

    assert refusals() == [refusal]


def test_a_limit_of_nothing_switches_off_and_contradicts_nothing(settings):
    settings.SPONSOR_DAILY_TOTAL = settings.SPONSOR_DAILY_TOTAL_WEI = 0

    assert refusals() == []


def test_the_address_of_a_paymaster_service_is_not_printed(settings):
    settings.PAYMASTER_URL = "secret-key"

    assert not any(
        "secret" in f"{error.msg}{error.hint}" for error in checks.safe_start(None)
    )
