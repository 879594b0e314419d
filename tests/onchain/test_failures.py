"""Why it ended: every code in words, and whether money moved."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest
from django.utils import timezone

from onchain.clients import bundler, node_requests
from onchain.failures import WORDS, Failure, failure_of
from onchain.models import UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.abi import selector
from onchain.protocol.revert import NAMED, decode_revert
from tests.factories import make_operation, make_wallet

pytestmark = pytest.mark.django_db

ENDED = (Status.REJECTED, Status.REVERTED, Status.EXPIRED, Status.REPLACED)
ROOT = Path(__file__).resolve().parents[2]


def failure(status: Status = Status.REJECTED, **fields: object) -> Failure:
    found = failure_of(UserOperation(pk=10**9, status=status, **fields))
    assert found is not None
    return found


def is_sentence(text: str) -> bool:
    return bool(text) and text[0].isupper() and text.endswith(".") and "!" not in text


def test_every_code_says_what_happened_to_the_money_and_what_to_do():
    wrong = {}
    for code in WORDS:
        words = failure(failure_code=code)
        is_title = bool(words.title) and "!" not in words.title
        sentences = [words.what, words.money, words.way_out]
        if not (is_title and all(map(is_sentence, sentences)) and words.code == code):
            wrong[code] = words

    assert not wrong, wrong


SERVICES = {
    *("preparation", "submission", "user_operations", "lanes", "intents"),
    *("handing_over", "relayed_operations", "gas"),
}


def test_every_code_that_our_services_set_has_words():
    sources = [(ROOT / f"onchain/services/{name}.py").read_text() for name in SERVICES]
    set_codes = set()
    for source in sources:
        set_codes |= set(re.findall(r'ClientError\(\s*"([\w-]+)"', source))
        set_codes |= set(re.findall(r'failure_code="([\w-]+)"', source))
        set_codes |= set(re.findall(r'"(\w+-mismatch)"', source))

    assert {"insufficient-balance", "expired", "AA24", "hash-mismatch"} <= set_codes
    assert set_codes <= set(WORDS)


# --- Every code that the installed contracts and clients can give --------------------------

PACKAGES = ROOT / "devchain" / "node_modules"
ENTRY_POINT_SOURCES = PACKAGES / "@account-abstraction" / "contracts"
SAFE_SOURCES = PACKAGES / "@safe-global" / "safe-contracts" / "contracts"
MODULE_SOURCES = [
    PACKAGES / "@safe-global" / name / "contracts"
    for name in ("safe-4337", "safe-passkey")
]


def found_in(folder: Path, pattern: str) -> set[str]:
    """Return what a pattern finds in the Solidity sources of a folder."""
    sources = [path.read_text() for path in folder.rglob("*.sol")]
    assert sources, folder
    return {found for source in sources for found in re.findall(pattern, source)}


def assert_has_words_of_its_own(code: str) -> None:
    words = WORDS.get(code)
    assert words is not None, code
    assert is_sentence(words.what), code
    assert is_sentence(words.way_out), code
    others = {name: other.what for name, other in WORDS.items() if name != code}
    assert words.what not in others.values(), code


def test_every_code_of_the_entry_point_has_words_of_its_own():
    codes = found_in(ENTRY_POINT_SOURCES, r'"(AA\d\d)\b')

    assert len(codes) >= 24
    for code in codes:
        assert_has_words_of_its_own(code)


def test_every_code_of_the_safe_has_words_of_its_own():
    codes = found_in(SAFE_SOURCES, r'"(GS\d{3})"')

    assert len(codes) >= 32
    for code in codes:
        assert_has_words_of_its_own(code)


def test_every_named_refusal_of_the_modules_has_words_of_its_own():
    names = set()
    for folder in MODULE_SOURCES:
        names |= found_in(folder, r"\berror (\w+)\(")
    ours = names - {"FailedOp"}  # of interfaces that the package brings along

    assert {"InvalidCaller", "ExecutionFailed", "UnsupportedEntryPoint"} <= ours
    assert ours <= set(NAMED.values())
    for name in ours:
        assert_has_words_of_its_own(name)


CLIENT_CODES = {
    *bundler.CODES.values(),
    *bundler.CODES_BY_WORDS.values(),
    *node_requests.CODES.values(),
}


def test_every_number_of_the_standard_has_a_code():
    validation = set(range(-32507, -32499))  # ERC-7769, "error codes"

    assert validation | {-32521, -32600, -32601, -32602, -32700} <= set(bundler.CODES)


def test_every_code_of_the_clients_has_words_of_its_own():
    for code in CLIENT_CODES:
        assert_has_words_of_its_own(code)


def test_every_code_that_a_client_raises_has_words():
    raised = set()
    for path in (ROOT / "onchain/clients").glob("*.py"):
        raised |= set(re.findall(r'ClientError\(\s*"([\w-]+)"', path.read_text()))

    assert {"nonce-too-low", "out-of-gas", "execution-reverted"} <= raised
    assert raised <= set(WORDS)


@pytest.mark.parametrize("code", ["execution-reverted", "AA23"])
def test_what_the_safe_says_is_told_in_its_own_words(code: str):
    words = failure(failure_code=code, failure_detail="reverted: GS026")

    assert words.what == WORDS["GS026"].what
    assert words.code == "GS026: reverted: GS026"


def test_a_named_refusal_is_told_in_its_own_words():
    detail = decode_revert(selector("UnsupportedExecutionFunction(bytes4)") + bytes(32))

    words = failure(failure_code="execution-reverted", failure_detail=detail)

    assert words.what == WORDS["UnsupportedExecutionFunction"].what


def test_the_entry_points_own_word_is_not_overruled():
    words = failure(failure_code="AA25", failure_detail="GS026")

    assert words.what == WORDS["AA25"].what


@pytest.mark.parametrize("code", ["", "AA99", "something-new"])
def test_an_unknown_code_still_gets_an_honest_sentence(code: str):
    words = failure(failure_code=code)

    assert "does not know" in words.what
    assert is_sentence(words.money)
    assert is_sentence(words.way_out)


@pytest.mark.parametrize("status", [s for s in Status if s not in ENDED])
def test_what_is_well_has_no_failure(status: Status):
    assert failure_of(UserOperation(status=status, failure_code="AA24")) is None


@pytest.mark.parametrize("status", ENDED)
def test_what_ended_badly_has_one(status: Status):
    assert failure(status)


def test_a_code_of_the_safe_is_found_in_the_detail():
    words = failure(failure_code="execution-reverted", failure_detail="reason: GS013")

    assert words.code == "GS013: reason: GS013"


@pytest.mark.parametrize("text", ["GS1", "XGS013", "GS0133", "gs013"])
def test_only_a_whole_code_of_the_safe_counts(text: str):
    words = failure(failure_code="AA23", failure_detail=text)

    assert words.code == f"AA23: {text}"


def test_the_detail_stands_behind_the_code():
    words = failure(failure_code="AA21", failure_detail="didn't pay prefund")

    assert words.code == "AA21: didn't pay prefund"


def test_a_reverted_payment_that_the_account_paid_for_cost_the_fee():
    assert "fee was used up" in failure(Status.REVERTED).money


def test_a_reverted_payment_that_was_sponsored_cost_nothing():
    words = failure(Status.REVERTED, paymaster=b"\1" * 20)

    assert words.money == "No money moved. The sponsor paid the network fee."


@pytest.mark.parametrize("code", ["nonce-used", "AA25", "replaced"])
def test_a_nonce_that_was_used_does_not_promise_that_nothing_moved(code: str):
    assert "No money moved." not in failure(failure_code=code).money


# --- R64: what a signed and refused payment may still do --------------------------------


def refused(seconds_left: int, **fields: object) -> Failure:
    """A rejected payment, this long before its end by the confirmed head."""
    wallet = make_wallet()
    end = wallet.safe.chain.confirmed_timestamp + seconds_left
    op = make_operation(
        wallet,
        status=Status.REJECTED,
        failure_code="bundler-refused",
        valid_until=end,
        **fields,
    )
    found = failure_of(op)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("seconds_left", "may_move"), [(1, True), (0, True), (-1, False)]
)
def test_until_its_end_is_confirmed_a_signed_one_may_still_be_carried_out(
    seconds_left: int, may_move: bool
):
    words = refused(seconds_left, signed_at=timezone.now())

    assert ("may still be carried out" in words.money) == may_move
    assert is_sentence(words.money)


def test_one_that_nobody_signed_cannot():
    assert refused(999).money == "No money moved."


@pytest.mark.parametrize("lost", ["older", "newer"])
def test_when_another_version_went_through_it_was_paid_once(lost: str):
    wallet = make_wallet()
    older = make_operation(wallet, status=Status.INCLUDED)
    newer = make_operation(wallet, status=Status.INCLUDED, predecessor=older)
    op = {"older": older, "newer": newer}[lost]
    UserOperation.objects.filter(pk=op.pk).update(
        status=Status.REPLACED, failure_code="replaced"
    )

    words = failure_of(UserOperation.objects.get(pk=op.pk))

    assert words is not None
    assert words.title == "An earlier version went through"
    assert "once" in words.money


def test_no_sentence_speaks_in_codes():
    for code, words in WORDS.items():
        told = " ".join(str(value) for value in asdict(words).values())
        assert not re.search(r"\bAA\d\d\b|0x|None|null|error", told), code


# --- A passkey that was to be added ------------------------------------------------------


@pytest.mark.parametrize("status", ENDED)
def test_no_failed_addition_speaks_of_a_payment(status: Status):
    wrong = {}
    for code in WORDS:
        words = failure(
            status=status,
            failure_code=code,
            kind=UserOperation.Kind.ADD_PASSKEY,
            signed_at=timezone.now(),
        )
        said = " ".join(asdict(words).values())
        speaks_of_a_payment = "payment" in said or (
            "amount" in said and code != "insufficient-balance"
        )
        says_of_what = (
            "passkey" in words.money or "change of the account" in words.money
        )
        sentences = [words.what, words.money, words.way_out]
        if (
            speaks_of_a_payment
            or not says_of_what
            or not all(map(is_sentence, sentences))
        ):
            wrong[code] = words

    assert not wrong, wrong


def test_a_reverted_addition_says_who_paid_the_fee():
    fields = {"failure_code": "execution-reverted", "status": Status.REVERTED}
    kind = UserOperation.Kind.ADD_PASSKEY

    own = failure(kind=kind, **fields)
    sponsored = failure(kind=kind, paymaster=b"\1" * 20, **fields)

    assert own.money == "The passkey was not added. The network fee was used up."
    assert "sponsor paid" in sponsored.money
    assert own.title == "The account refused it"
    assert failure(**fields).title == "The recipient refused it"


@pytest.mark.parametrize(
    "code",
    ["owner-change-first", "already-owner", "threshold-changed", "passkey-removed"],
)
def test_what_only_a_change_of_owners_can_run_into_has_words(code: str):
    assert "does not know" not in failure(failure_code=code).what
