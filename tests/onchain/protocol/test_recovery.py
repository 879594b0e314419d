"""Recovery's bytes against the published interface, WebCrypto and known values."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest
from eth_account.hdaccount.mnemonic import Mnemonic
from eth_account.types import Language

from onchain.protocol import recovery, recovery_reads, spoken_words
from onchain.protocol.abi import decode_call, selector
from onchain.protocol.deployments import DAY, RECOVERY_MODULES, SHARED_SIGNER
from onchain.protocol.errors import EncodingError
from onchain.protocol.recovery import GuardianSignature, Recovery
from onchain.protocol.recovery_owners import require_recoverable, simulation_data
from onchain.protocol.types import (
    SENTINEL_ADDRESS,
    ZERO_ADDRESS,
    Address,
    Bytes32,
    to_hex,
)

MODULE = RECOVERY_MODULES[3 * DAY]
ACCOUNT = Address(b"\xac" * 20)
OWNER = Address(b"\x0e" * 20)
ANN, BEN, CLEO = (Address(bytes([number]) * 20) for number in (0xA1, 0xB2, 0xC3))
NEW, OTHER = Address(b"\x71" * 20), Address(b"\x72" * 20)
CHAIN_ID, NONCE = 11155111, 7
RECOVERY = Recovery(
    module=MODULE, account=ACCOUNT, new_owners=(NEW, OTHER), new_threshold=2
)
HASH = recovery.recovery_hash(RECOVERY, chain_id=CHAIN_ID, nonce=NONCE)
GUARDIANS = [ANN, BEN, CLEO]
SIGNATURES = [
    GuardianSignature(guardian=guardian, signature=b"\5" * 65) for guardian in GUARDIANS
]

# --- A browser's cryptography -----------------------------------------------------------

SCRIPT = """
const { hash, salt, rounds } = JSON.parse(process.argv[1]);
const bytes = Uint8Array.from(Buffer.from(hash.slice(2), "hex"));
(async () => {
  const key = await crypto.subtle.importKey("raw", bytes, "PBKDF2", false, ["deriveBits"]);
  const derived = await crypto.subtle.deriveBits(
    { name: "PBKDF2", hash: "SHA-256", salt: new TextEncoder().encode(salt), iterations: rounds },
    key, 256);
  console.log(Buffer.from(derived).toString("hex"));
})();
"""


def derived_by_a_browser() -> int:
    """Return what WebCrypto derives of the hash."""
    node = shutil.which("node")
    assert node, "Node 20 or newer is needed"
    asked = {
        "hash": to_hex(HASH),
        "salt": spoken_words.RECOVERY_SALT.decode(),
        "rounds": 100_000,
    }
    run = subprocess.run(
        [node, "-e", SCRIPT, json.dumps(asked)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return int(run.stdout, 16)


# --- The interface in protocol.md -------------------------------------------------------

SELECTORS = {
    recovery.ADD_GUARDIAN: "be0e54d7",
    recovery.REVOKE_GUARDIAN: "936f7d86",
    recovery.CHANGE_GUARDIAN_THRESHOLD: "694e80c3",
    recovery.CANCEL_RECOVERY: "0ba234d6",
    recovery.INVALIDATE_NONCE: "5a57b46f",
    recovery.CONFIRM_RECOVERY: "064e2d0e",
    recovery.MULTI_CONFIRM_RECOVERY: "0728e1e7",
    recovery.EXECUTE_RECOVERY: "b1f85f69",
    recovery.FINALIZE_RECOVERY: "315a7af3",
    recovery_reads.IS_GUARDIAN: "d4ee9734",
    recovery_reads.GUARDIANS_COUNT: "c026e7ee",
    recovery_reads.GUARDIAN_THRESHOLD: "c86ec2bf",
    recovery_reads.GET_GUARDIANS: "f18858ab",
    recovery_reads.RECOVERY_NONCE: "70ae92d2",
    recovery_reads.GET_RECOVERY_REQUEST: "4f9a28b9",
    recovery_reads.GET_RECOVERY_APPROVALS: "6c6595ca",
    recovery_reads.HAS_GUARDIAN_APPROVED: "37d82c36",
    recovery_reads.GET_RECOVERY_HASH: "5f19df08",
}


def test_selectors_and_the_type_hash_are_the_published_ones():
    found = {signature: selector(signature).hex() for signature in SELECTORS}

    assert found == SELECTORS
    assert recovery.EXECUTE_RECOVERY_TYPEHASH.hex() == (
        "124b64921a7c7e677c6cc3b132eaaa57130bc6fc05ab157f35fe5264a7c198d5"
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"module": RECOVERY_MODULES[7 * DAY]},
        {"account": OWNER},
        {"new_owners": (OTHER, NEW)},
        {"new_owners": (NEW,)},
        {"new_threshold": 1},
        {"chain_id": 1},
        {"nonce": 8},
    ],
    ids=str,
)
def test_every_part_of_a_recovery_is_signed(changed):
    whole = {
        "module": MODULE,
        "account": ACCOUNT,
        "new_owners": RECOVERY.new_owners,
        "new_threshold": 2,
        "chain_id": CHAIN_ID,
        "nonce": NONCE,
    } | changed
    where = {name: whole.pop(name) for name in ("chain_id", "nonce")}

    assert recovery.recovery_hash(Recovery(**whole), **where) != HASH


# --- What has no encoding ---------------------------------------------------------------


def test_signatures_are_handed_in_sorted_by_guardian():
    call = recovery.multi_confirm_recovery_call(
        RECOVERY, signatures=SIGNATURES[::-1], execute=True
    )

    account, _owners, threshold, entries, execute = decode_call(
        recovery.MULTI_CONFIRM_RECOVERY, call.data
    )
    assert [entry[0] for entry in entries] == [to_hex(item) for item in GUARDIANS]
    assert (account, threshold, execute) == (to_hex(ACCOUNT), 2, True)


def add(guardian: Address = ANN, threshold: int = 1, **changes: Any) -> object:
    lists = {"owners": [OWNER], "guardians": [BEN]} | changes
    return recovery.add_guardian_call(
        module=MODULE, account=ACCOUNT, guardian=guardian, threshold=threshold, **lists
    )


def revoke(guardian: Address, threshold: int, guardians: list[Address]) -> object:
    return recovery.revoke_guardian_call(
        module=MODULE, guardian=guardian, threshold=threshold, guardians=guardians
    )


def hand_in(signatures: list[GuardianSignature]) -> object:
    return recovery.multi_confirm_recovery_call(
        RECOVERY, signatures=signatures, execute=False
    )


REFUSED = {
    "guardian zero": lambda: add(ZERO_ADDRESS),
    "guardian sentinel": lambda: add(SENTINEL_ADDRESS),
    "guardian the account": lambda: add(ACCOUNT),
    "guardian an owner": lambda: add(OWNER),
    "guardian twice": lambda: add(BEN),
    "guardian half an address": lambda: add(Address(ANN[:10])),
    "added with none to approve": lambda: add(threshold=0),
    "added with more than there are": lambda: add(threshold=3),
    "revoked nobody": lambda: revoke(ANN, 1, [BEN, CLEO]),
    "revoked with none to approve": lambda: revoke(ANN, 0, GUARDIANS),
    "revoked with more than stay": lambda: revoke(ANN, 3, GUARDIANS),
    "revoked the last but not the threshold": lambda: revoke(ANN, 1, [ANN]),
    "threshold of nobody": lambda: recovery.require_guardian_threshold(
        1, guardian_count=0
    ),
    "no signature": lambda: hand_in([]),
    "an empty signature": lambda: hand_in(
        [GuardianSignature(guardian=ANN, signature=b"")]
    ),
    "one empty signature of two": lambda: hand_in(
        [SIGNATURES[0], GuardianSignature(guardian=BEN, signature=b"")]
    ),
    "a guardian twice": lambda: hand_in([SIGNATURES[0], SIGNATURES[0]]),
    "another module": lambda: recovery.enable_module_call(
        account=ACCOUNT, module=SHARED_SIGNER
    ),
    "another delay": lambda: recovery.module_of(60),
    "no owner to replace": lambda: simulation_data(RECOVERY, owners=[]),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_the_module_refuses_has_no_encoding(name):
    with pytest.raises(EncodingError):
        REFUSED[name]()


def test_the_last_guardian_goes_with_the_threshold():
    call = revoke(ANN, 0, [ANN])

    assert decode_call(recovery.REVOKE_GUARDIAN, call.data) == (
        to_hex(SENTINEL_ADDRESS),
        to_hex(ANN),
        0,
    )


def test_each_module_is_found_by_its_delay_and_its_delay_by_it():
    for delay, module in RECOVERY_MODULES.items():
        assert recovery.module_of(delay) == module
        assert recovery.delay_of(module) == delay
    assert recovery.delay_of(SHARED_SIGNER) is None


# --- New owners -------------------------------------------------------------------------

BAD_OWNERS = {
    "none": ((), 1),
    "zero": ((NEW, ZERO_ADDRESS), 1),
    "sentinel": ((NEW, SENTINEL_ADDRESS), 1),
    "the account": ((NEW, ACCOUNT), 1),
    "a guardian": ((NEW, BEN), 1),
    "duplicate": ((NEW, NEW), 1),
    "threshold 0": ((NEW,), 0),
    "threshold above": ((NEW,), 2),
}


@pytest.mark.parametrize("name", sorted(BAD_OWNERS))
def test_owners_that_could_never_come_are_refused(name):
    owners, threshold = BAD_OWNERS[name]
    wanted = Recovery(
        module=MODULE, account=ACCOUNT, new_owners=owners, new_threshold=threshold
    )

    with pytest.raises(EncodingError):
        require_recoverable(wanted, guardians=GUARDIANS)


def test_owners_that_can_come_are_taken():
    require_recoverable(RECOVERY, guardians=GUARDIANS)


# --- Answers and events -----------------------------------------------------------------


def test_no_request_is_none():
    word = bytes(32)
    empty = b"\x20".rjust(32, b"\0") + word * 3 + b"\x80".rjust(32, b"\0") + word

    assert recovery_reads.decode_request(empty) is None


PARSERS = {
    "guardian": recovery_reads.parse_guardian_event,
    "number": recovery_reads.parse_number_event,
    "executed": recovery_reads.parse_recovery_executed,
    "finalized": recovery_reads.parse_recovery_finalized,
}


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_other_events_are_refused(name):
    word = Bytes32(bytes(32))
    for topic in (word, *recovery_reads.RECOVERY_EVENTS):
        for topics in ((topic, word), (topic, word, word)):
            with pytest.raises(EncodingError):
                PARSERS[name](topics, b"\1")


# --- Six words --------------------------------------------------------------------------


def test_the_words_are_those_that_a_browser_finds():
    words = Mnemonic(Language.ENGLISH).wordlist
    number = derived_by_a_browser()

    said = spoken_words.words_of_recovery(HASH)

    assert said == tuple(words[number // 2048**place % 2048] for place in range(6))
    assert len(said) == 6


def test_the_words_of_a_recovery_never_change():
    """Guardians may be served by two versions of the site."""
    said = spoken_words.words_of_recovery(Bytes32(bytes(32)))

    assert " ".join(said) == "garlic report snack dentist animal broccoli"


def test_words_are_of_a_whole_hash():
    with pytest.raises(EncodingError):
        spoken_words.words_of_recovery(Bytes32(b"\1" * 31))
