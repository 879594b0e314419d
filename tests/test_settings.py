"""`.env.example` and the modules of settings name the same settings."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from tests.processes import PRODUCTION, run

ROOT = Path(__file__).resolve().parent.parent
MODULES = [
    ROOT / "wallet_site" / f"{name}.py"
    for name in ("environment", "settings", "chain_settings")
]


def is_method_of_env(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "env"
    )


def names_read_by_settings() -> set[str]:
    names = set()
    trees = [ast.parse(path.read_text()) for path in MODULES]
    for node in (node for tree in trees for node in ast.walk(tree)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        first = node.args[0]
        if not isinstance(first, ast.Constant):
            continue  # inside secret(): the name is its argument
        if isinstance(node.func, ast.Name) and node.func.id == "secret":
            names |= {str(first.value), f"{first.value}_FILE"}
        elif is_method_of_env(node.func):
            names.add(str(first.value))
    return names


def names_in_the_example() -> list[str]:
    text = (ROOT / ".env.example").read_text()
    return re.findall(r"^#?([A-Z][A-Z0-9_]*)=", text, flags=re.MULTILINE)


def test_the_example_lists_exactly_the_names_that_settings_read():
    assert set(names_in_the_example()) == names_read_by_settings()


def test_the_example_lists_each_name_once():
    names = names_in_the_example()

    assert sorted(names) == sorted(set(names))


def test_the_example_changes_nothing_when_copied_whole():
    lines = (ROOT / ".env.example").read_text().splitlines()

    assert [line for line in lines if line and not line.startswith("#")] == []


# --- What must be given ----------------------------------------------------------------

SHOW = "from wallet_site import settings; print(settings.{})"
# Neither given nor in a file: an empty variable is an absent one.
NO_KEYS = {
    f"{name}{suffix}": ""
    for name in ("RELAYER_PRIVATE_KEY", "SPONSOR_PRIVATE_KEY")
    for suffix in ("", "_FILE")
}
LOCAL = {"SITE_MODE": "local", "CHAIN_ID": "31337"}


def refusal(**environment: str) -> str:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run(SHOW.format("SITE_MODE"), **environment)
    return str(failed.value.stderr)


def test_production_never_falls_back_to_sqlite(tmp_path):
    given = PRODUCTION | {"VAR_DIR": str(tmp_path), "DATABASE_URL": ""}

    assert "DATABASE_URL or DATABASE_URL_FILE is required" in refusal(**given)


def test_the_database_may_be_named_in_a_file(tmp_path):
    file = tmp_path / "url"
    file.write_text("postgres://user:word@db.example:5432/wallets\n")
    given = {"DATABASE_URL": "", "DATABASE_URL_FILE": str(file)}

    shown = run(
        SHOW.format("DATABASES['default']['HOST']"),
        **PRODUCTION | {"VAR_DIR": str(tmp_path)} | given,
    )

    assert shown.stdout.strip() == "db.example"


@pytest.mark.parametrize("name", ["RELAYER_PRIVATE_KEY", "SPONSOR_PRIVATE_KEY"])
def test_public_keys_are_never_the_default_of_another_chain(name, tmp_path):
    key = "0x" + "11" * 32
    given = LOCAL | {"CHAIN_ID": "11155111", "VAR_DIR": str(tmp_path)}
    keys = dict.fromkeys(("RELAYER_PRIVATE_KEY", "SPONSOR_PRIVATE_KEY"), key)

    words = refusal(**given | NO_KEYS | keys | {name: ""})

    assert f"{name} or {name}_FILE is required" in words


def test_the_local_chain_has_its_public_keys(tmp_path):
    given = LOCAL | NO_KEYS | {"VAR_DIR": str(tmp_path)}

    shown = run(SHOW.format("RELAYER_PRIVATE_KEY"), **given)

    assert shown.stdout.strip() == settings.LOCAL_RELAYER_KEY


def test_an_empty_key_file_counts_as_missing(tmp_path):
    (tmp_path / "secret_key").touch()
    given = LOCAL | {"SECRET_KEY": "", "VAR_DIR": str(tmp_path)}

    shown = run(SHOW.format("SECRET_KEY"), **given)

    assert len(shown.stdout.strip()) == 64


def test_messages_have_no_cookie_of_their_own():
    # R32: a cookie that is not a __Host- one could be planted by a sibling host.
    shown = run(SHOW.format("MESSAGE_STORAGE"), **PRODUCTION)

    assert shown.stdout.strip().endswith("storage.session.SessionStorage")


LOADED = """
import sys
from eth_account import Account
import wallet_site.celery
print(any(name.startswith("py_ecc.") and "bls" in name for name in sys.modules))
print(Account.from_key("0x" + "00" * 31 + "01").address)
from py_ecc.bls import G2ProofOfPossession
from py_ecc.bls12_381 import curve_order
from eth_keyfile import keyfile
print(len(G2ProofOfPossession.SkToPk(1)), keyfile.MAX_V4_PRIVATE_KEY == curve_order - 1)
"""


def test_a_start_loads_no_curve_of_validators_and_leaves_it_to_whoever_wants_it():
    shown = run("import wallet_site\n" + LOADED, **LOCAL).stdout.split()

    address = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
    assert shown == ["False", address, "48", "True"]


def test_one_module_reads_the_environment():
    readers = []
    for app in ("wallet_site", "accounts", "onchain"):
        for path in (ROOT / app).rglob("*.py"):
            text = path.read_text()
            if re.search(r"os\.getenv|os\.environ(\[|\.get)|Env\(\)", text):
                readers.append(path.relative_to(ROOT).as_posix())

    assert readers == ["wallet_site/environment.py"]
