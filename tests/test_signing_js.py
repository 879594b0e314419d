"""static/js/signing.js, run by Node's own test runner against foreign known answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from onchain.protocol import deployments, typed_data
from onchain.protocol.types import Bytes32, PublicKey, to_address
from tests import signing_answers, signing_oracle

FOLDER = Path(__file__).parent / "js"
MODULE = Path(__file__).parent.parent / "static" / "js" / "signing.js"


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    return signing_answers.all_answers()


@pytest.mark.parametrize(
    "name", sorted(path.name for path in FOLDER.glob("*.test.mjs"))
)
def test_the_browser_side_passes_every_test_of(name, answers, tmp_path):
    node = shutil.which("node")
    assert node, "Node 20 or newer is needed to run tests/js"
    shutil.copy(MODULE, tmp_path / "signing.mjs")
    (tmp_path / "answers.json").write_text(json.dumps(answers))

    run = subprocess.run(
        [node, "--test", "--test-reporter=tap", str(FOLDER / name)],
        env=os.environ | {"SIGNING_FOLDER": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert "\n# skipped 0\n" in run.stdout
    if name == "wallets.test.mjs":
        _compare_typed_data(tmp_path / "typed_data.json", at_least=30)
    if name == "recovery.test.mjs":
        _compare_typed_data(tmp_path / "recoveries.json", at_least=10)
    if name == "drills.test.mjs":
        _compare_typed_data(tmp_path / "drills.json", at_least=10)


def _compare_typed_data(path: Path, *, at_least: int) -> None:
    """What wallets are given has the hash that is signed, as eth_account reads it."""
    written = json.loads(path.read_text())
    assert len(written) >= at_least
    for case in written:
        signable = encode_typed_data(full_message=case["data"])
        text = b"\x19" + signable.version + signable.header + signable.body
        assert "0x" + keccak(text).hex() == case["hash"]


def test_every_kind_of_tampering_is_tried():
    text = (FOLDER / "refusals.test.mjs").read_text()
    guardians = (FOLDER / "guardians.test.mjs").read_text()
    drills = (FOLDER / "drills.test.mjs").read_text()

    assert text.count("refused(") >= 85
    assert guardians.count("refused(") >= 20
    assert drills.count("refused(") >= 15


def test_the_server_hashes_key_proofs_as_the_browser_does(answers):
    for case in answers["keyProofs"]:
        message = case["message"]

        ours = typed_data.key_proof_hash(
            chain_id=int(message["chainId"]),
            signer=to_address(message["verifyingContract"]),
            role=message["role"],
            account=to_address(message["account"]),
            public_key=PublicKey(x=int(message["x"]), y=int(message["y"])),
            nonce=Bytes32(bytes.fromhex(message["nonce"][2:])),
        )

        assert "0x" + ours.hex() == case["hash"]


def test_the_server_hashes_rehearsals_as_the_browser_does(answers):
    for case in [*answers["drills"], answers["drill"]["request"]]:
        message = case["message"]

        ours = typed_data.recovery_drill_hash(
            chain_id=int(message["chainId"]),
            account=to_address(message["account"]),
            nonce=Bytes32(bytes.fromhex(message["nonce"][2:])),
            asked_at=int(message["askedAt"]),
        )

        assert "0x" + ours.hex() == case["hash"]


def test_signers_stand_where_abstractionkit_puts_them():
    vectors = json.loads(signing_answers.VECTORS.read_text())
    assert len(vectors) >= 5

    for vector in vectors:
        x, y, verifiers = (int(vector[name], 16) for name in ("x", "y", "verifiers"))

        found = signing_oracle.signer_address(x, y, verifiers)

        assert found.lower() == vector["signer"].lower()


def test_the_browser_pins_what_the_packages_publish():
    text = MODULE.read_text()

    assert keccak(signing_oracle.proxy_code()).hex() in text
    assert signing_oracle.proxy_code().hex()[:40] not in text
    assert keccak(signing_oracle.proxy_code()) == deployments.SIGNER_PROXY_CODE_HASH
    assert deployments.VERIFIERS == signing_oracle.VERIFIERS
