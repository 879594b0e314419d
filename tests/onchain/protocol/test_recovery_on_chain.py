"""Recovery with guardians on a real chain, with the stand-in of the module.

Each test has an account of its own, which anvil lets act as itself; the guardians are two
externally owned accounts and a passkey's signer. Time is the chain's: it is moved on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, permutations
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from onchain.clients.errors import ClientError
from onchain.protocol import recovery, recovery_reads
from onchain.protocol.abi import call_data, keccak
from onchain.protocol.deployments import (
    DAY,
    MULTICALL3,
    RECOVERY_MODULES,
    SAFE_PROXY_FACTORY,
    TEST_RECOVERY_DELAY,
)
from onchain.protocol.errors import EncodingError
from onchain.protocol.multisend import aggregate3_data
from onchain.protocol.owner_changes import disable_module_call
from onchain.protocol.owners import (
    GET_OWNERS,
    GET_THRESHOLD,
    create_signer_call,
    decode_owners,
)
from onchain.protocol.passkey_signature import (
    client_data_fields,
    parse_der_signature,
    passkey_signature,
)
from onchain.protocol.recovery import GuardianSignature, Recovery
from onchain.protocol.recovery_owners import (
    require_recoverable,
    simulation_data,
    would_replace,
)
from onchain.protocol.safe import (
    account_address,
    direct_setup,
    factory_data,
    signer_address,
)
from onchain.protocol.types import (
    SENTINEL_ADDRESS,
    ZERO_ADDRESS,
    Address,
    Bytes32,
    Call,
    PublicKey,
    checksum_address,
    parse_hex,
    to_address,
)
from onchain.protocol.wallet_signature import ORDER
from onchain.services.local_chain import LocalChain
from tests.onchain.protocol.vectors import CHAIN_ID
from tests.soft_authenticator import SoftAuthenticator
from tests.test_devchain import anvil, report_nothing
from wallet_site import chain_state

pytestmark = pytest.mark.chain

MODULE = RECOVERY_MODULES[TEST_RECOVERY_DELAY]
SENDER = 6  # place of an account that anvil signs for and nothing else here uses
NEW, OTHER = Address(b"\x71" * 20), Address(b"\x72" * 20)
SALTS = count(6_000)
GAS = hex(3_000_000)


def address_of(account: LocalAccount) -> Address:
    return to_address(account.address)


@dataclass(frozen=True)
class Passkey:
    """A guardian's passkey and its signer on chain."""

    authenticator: SoftAuthenticator
    signer: Address

    def sign(self, digest: bytes) -> GuardianSignature:
        assertion = self.authenticator.assert_challenge(digest)
        r, s = parse_der_signature(assertion.signature)
        signature = passkey_signature(
            authenticator_data=assertion.authenticator_data,
            client_data_fields=client_data_fields(assertion.client_data_json, digest),
            r=r,
            s=s,
        )
        return GuardianSignature(guardian=self.signer, signature=signature)


@dataclass(frozen=True)
class World:
    """The chain, and who is a guardian of every account here."""

    chain: LocalChain
    ann: LocalAccount
    ben: LocalAccount
    passkey: Passkey

    @property
    def guardians(self) -> list[Address]:
        return [address_of(self.ann), address_of(self.ben), self.passkey.signer]

    def rpc(self, method: str, *params: object) -> Any:
        return self.chain.node.rpc.call(method, *params)

    def send(self, call: Call, *, sender: Address | None = None) -> dict[str, Any]:
        """Send a call from anybody at all; return its receipt, or raise why it fails."""
        anybody = sender or self.chain.anvil.accounts()[SENDER]
        self.chain.node.call(call.to, call.data, sender=anybody)
        fields = {
            "from": checksum_address(anybody),
            "to": checksum_address(call.to),
            "data": f"0x{call.data.hex()}",
            "gas": GAS,
        }
        sent = self.rpc("eth_sendTransaction", fields)
        self.chain.anvil.wait([sent])
        receipt: dict[str, Any] = self.rpc("eth_getTransactionReceipt", sent)
        return receipt

    def ask(self, signature: str, *values: object) -> bytes:
        return self.chain.node.call(MODULE, call_data(signature, *values))

    def number(self, signature: str, *values: object) -> int:
        return recovery_reads.decode_number(self.ask(signature, *values))

    def wait(self, seconds: int) -> None:
        """Let a little more time pass on the chain, from its newest block on."""
        newest = int(self.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
        self.rpc("evm_setNextBlockTimestamp", newest + seconds + 1)
        self.rpc("evm_mine")


@dataclass(frozen=True)
class Protected:
    """An account with guardians."""

    world: World
    address: Address
    owners: Sequence[Address]

    def do(self, *calls: Call) -> list[dict[str, Any]]:
        """Send calls as the account itself."""
        return [self.world.send(call, sender=self.address) for call in calls]

    def add(self, guardian: Address, threshold: int) -> dict[str, Any]:
        """Add a guardian, whatever our own encoder says of it."""
        data = call_data(recovery.ADD_GUARDIAN, guardian, threshold)
        return self.do(Call(to=MODULE, value_wei=0, data=data))[0]

    def listed(self) -> list[Address]:
        answer = self.world.ask(recovery_reads.GET_GUARDIANS, self.address)
        return recovery_reads.decode_guardians(answer)

    def nonce(self) -> int:
        return self.world.number(recovery_reads.RECOVERY_NONCE, self.address)

    def request(self) -> recovery_reads.RecoveryRequest | None:
        answer = self.world.ask(recovery_reads.GET_RECOVERY_REQUEST, self.address)
        return recovery_reads.decode_request(answer)

    def now_owned_by(self) -> tuple[list[Address], int]:
        node = self.world.chain.node
        owners = decode_owners(node.call(self.address, call_data(GET_OWNERS)))
        threshold = node.call(self.address, call_data(GET_THRESHOLD))
        return owners, int.from_bytes(threshold, "big")

    def recovery(self, *owners: Address, threshold: int = 1) -> Recovery:
        return Recovery(
            module=MODULE,
            account=self.address,
            new_owners=owners,
            new_threshold=threshold,
        )

    def digest(self, wanted: Recovery) -> Bytes32:
        return recovery.recovery_hash(wanted, chain_id=CHAIN_ID, nonce=self.nonce())

    def signed(self, wanted: Recovery, *keys: LocalAccount) -> list[GuardianSignature]:
        return [signature_of(key, self.digest(wanted)) for key in keys]

    def start(self, wanted: Recovery, *, with_passkey: bool = False) -> dict[str, Any]:
        """Let two guardians, or all three, approve and start the delay."""
        signatures = self.signed(wanted, self.world.ann, self.world.ben)
        if with_passkey:
            signatures.append(self.world.passkey.sign(self.digest(wanted)))
        return self.world.send(
            recovery.multi_confirm_recovery_call(
                wanted, signatures=signatures, execute=True
            )
        )

    def finalize(self) -> dict[str, Any]:
        return self.world.send(
            recovery.finalize_recovery_call(module=MODULE, account=self.address)
        )

    def simulate(self, wanted: Recovery) -> bool:
        owners, _threshold = self.now_owned_by()
        data = simulation_data(wanted, owners=owners)
        return would_replace(
            self.world.chain.node.call(self.address, data, sender=MODULE)
        )


def signature_of(key: LocalAccount, digest: bytes) -> GuardianSignature:
    signature = bytes(key.unsafe_sign_hash(digest).signature)
    return GuardianSignature(guardian=address_of(key), signature=signature)


def events(receipt: dict[str, Any], topic: Bytes32) -> list[tuple[Any, bytes]]:
    """Return (topics, data) of the module's events of a kind."""
    found = []
    for log in receipt["logs"]:
        topics = tuple(Bytes32(parse_hex(text)) for text in log["topics"])
        if to_address(log["address"]) == MODULE and topics[0] == topic:
            found.append((topics, parse_hex(log["data"])))
    return found


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    """A chain whose time only these tests move."""
    base = chain_state.base_state(report=report_nothing)
    with anvil(tmp_path_factory.mktemp("recovery"), base) as chain:
        yield chain


@pytest.fixture(scope="module")
def world(chain: LocalChain, proxy_code: bytes) -> World:
    chain.node.rpc.call("anvil_autoImpersonateAccount", True)
    authenticator = SoftAuthenticator()
    key = PublicKey(
        x=int.from_bytes(authenticator.x, "big"),
        y=int.from_bytes(authenticator.y, "big"),
    )
    signer = signer_address(public_key=key, proxy_code=proxy_code)
    world = World(
        chain=chain,
        ann=Account.create(),
        ben=Account.create(),
        passkey=Passkey(authenticator, signer),
    )
    world.send(create_signer_call(public_key=key))
    for guardian in (world.ann, world.ben):
        chain.anvil.set_balance(address_of(guardian), 10**18)
    return world


@pytest.fixture
def make(world: World) -> Callable[..., Protected]:
    """Deploy an account and give it guardians: 2 of 3 approve."""

    def make(owners: int = 1, guardians: int = 3) -> Protected:
        owned_by = [Address(bytes([9, place]) * 10) for place in range(1, owners + 1)]
        setup = direct_setup(owners=owned_by, threshold=1)
        salt = next(SALTS)
        account = account_address(setup=setup, salt_nonce=salt)
        create = factory_data(setup=setup, salt_nonce=salt)
        world.send(Call(to=SAFE_PROXY_FACTORY, value_wei=0, data=create))
        world.chain.anvil.set_balance(account, 10**18)
        protected = Protected(world=world, address=account, owners=owned_by)
        calls = [recovery.enable_module_call(account=account, module=MODULE)]
        for place in range(guardians):
            calls.append(
                recovery.add_guardian_call(
                    module=MODULE,
                    account=account,
                    guardian=world.guardians[place],
                    threshold=min(place + 1, 2),
                    owners=owned_by,
                    guardians=world.guardians[:place],
                )
            )
        protected.do(*calls)
        return protected

    return make


@pytest.fixture
def protected(make: Callable[..., Protected]) -> Protected:
    return make()


def refused(reason: str) -> Any:
    return pytest.raises(ClientError, match=reason)


# --- The stand-in ------------------------------------------------------------------------


def test_each_module_waits_as_long_as_its_address_says(world, protected):
    wanted = protected.recovery(NEW)
    for delay, module in RECOVERY_MODULES.items():
        there = replace(wanted, module=module)
        enable = recovery.enable_module_call(account=protected.address, module=module)
        add = call_data(recovery.ADD_GUARDIAN, address_of(world.ann), 1)
        if module == MODULE:
            add = call_data(recovery.CHANGE_GUARDIAN_THRESHOLD, 1)
        else:
            protected.do(enable)
        protected.do(Call(to=module, value_wei=0, data=add))

        call = recovery.confirm_recovery_call(there, execute=True)
        receipt = world.send(call, sender=address_of(world.ann))

        block = world.rpc("eth_getBlockByHash", receipt["blockHash"], False)
        answer = world.chain.node.call(
            module,
            call_data(recovery_reads.GET_RECOVERY_REQUEST, protected.address),
        )
        request = recovery_reads.decode_request(answer)
        assert request is not None
        assert request.execute_after == int(block["timestamp"], 16) + delay


def test_hashes_are_those_of_the_module(world, protected):
    for owners, threshold, nonce in (
        ((NEW,), 1, 0),
        ((OTHER, NEW, SENTINEL_ADDRESS), 2, 2**256 - 1),
        ((), 0, 1),
    ):
        wanted = protected.recovery(*owners, threshold=threshold)
        answer = world.ask(
            recovery_reads.GET_RECOVERY_HASH,
            *(protected.address, list(owners), threshold, nonce),
        )

        ours = recovery.recovery_hash(wanted, chain_id=CHAIN_ID, nonce=nonce)
        assert ours == answer


# --- The owners' side ----------------------------------------------------------------------


def test_guardians_are_listed_counted_and_known(world, protected):
    account = protected.address
    answers = [
        recovery_reads.decode_flag(
            world.ask(recovery_reads.IS_GUARDIAN, account, someone)
        )
        for someone in (*world.guardians, NEW, SENTINEL_ADDRESS)
    ]

    assert sorted(protected.listed()) == sorted(world.guardians)
    assert world.number(recovery_reads.GUARDIANS_COUNT, account) == 3
    assert world.number(recovery_reads.GUARDIAN_THRESHOLD, account) == 2
    assert answers == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("guardian", "threshold", "reason"),
    [
        ("zero", 1, "invalid guardian"),
        ("the sentinel", 1, "invalid guardian"),
        ("the account", 1, "invalid guardian"),
        ("an owner", 1, "invalid guardian"),
        ("a guardian", 1, "duplicate guardian"),
        ("somebody new", 0, "invalid threshold"),
        ("somebody new", 5, "invalid threshold"),
    ],
)
def test_nobody_unfit_becomes_a_guardian(protected, guardian, threshold, reason):
    named = {
        "zero": ZERO_ADDRESS,
        "the sentinel": SENTINEL_ADDRESS,
        "somebody new": NEW,
        "the account": protected.address,
        "an owner": protected.owners[0],
        "a guardian": protected.listed()[0],
    }

    with refused(reason):
        protected.add(named[guardian], threshold)


def test_guardians_can_be_revoked_to_the_last_and_added_again(world, protected):
    for left in (2, 1, 0):
        listed = protected.listed()
        call = recovery.revoke_guardian_call(
            module=MODULE,
            guardian=listed[left // 2],
            threshold=min(left, 2),
            guardians=listed,
        )
        (receipt,) = protected.do(call)
        (event,) = events(receipt, recovery_reads.GUARDIAN_REVOKED)
        assert recovery_reads.parse_guardian_event(*event) == (
            protected.address,
            listed[left // 2],
        )
        assert sorted([*protected.listed(), listed[left // 2]]) == sorted(listed)

    receipt = protected.add(NEW, 1)

    assert protected.listed() == [NEW]
    (added,) = events(receipt, recovery_reads.GUARDIAN_ADDED)
    (changed,) = events(receipt, recovery_reads.GUARDIAN_THRESHOLD_CHANGED)
    assert recovery_reads.parse_guardian_event(*added) == (protected.address, NEW)
    assert recovery_reads.parse_number_event(*changed) == (protected.address, 1)


def test_a_guardian_is_revoked_after_the_right_one_only(world, protected):
    first, second, _third = protected.listed()
    data = call_data(recovery.REVOKE_GUARDIAN, second, first, 1)

    with refused("invalid previous guardian"):
        protected.do(Call(to=MODULE, value_wei=0, data=data))


@pytest.mark.parametrize("threshold", [0, 4])
def test_a_threshold_is_one_that_the_guardians_reach(protected, threshold):
    data = call_data(recovery.CHANGE_GUARDIAN_THRESHOLD, threshold)

    with refused("invalid threshold"):
        protected.do(Call(to=MODULE, value_wei=0, data=data))


def test_guardians_are_changed_while_the_module_is_enabled_only(protected):
    protected.do(
        disable_module_call(
            account=protected.address, previous=SENTINEL_ADDRESS, module=MODULE
        )
    )

    with refused("not enabled"):
        protected.add(NEW, 1)
    with refused("not enabled"):
        protected.do(
            recovery.change_guardian_threshold_call(
                module=MODULE, threshold=1, guardian_count=3
            )
        )


# --- From the first approval to the new owners ----------------------------------------------


def test_a_wallet_and_a_passkey_together_replace_every_owner(world, make):
    protected = make(owners=3)
    account, kept = protected.address, protected.owners[1]
    wanted = protected.recovery(NEW, kept, OTHER, threshold=2)
    require_recoverable(wanted, guardians=protected.listed())
    assert protected.simulate(wanted)
    whole = (account, list(wanted.new_owners), wanted.new_threshold)

    # One comes by itself and is not enough.
    world.send(
        recovery.confirm_recovery_call(wanted, execute=False),
        sender=address_of(world.ann),
    )
    approved = [
        recovery_reads.decode_flag(
            world.ask(
                recovery_reads.HAS_GUARDIAN_APPROVED, account, someone, *whole[1:]
            )
        )
        for someone in world.guardians
    ]
    assert approved == [True, False, False]
    assert world.number(recovery_reads.GET_RECOVERY_APPROVALS, *whole) == 1
    with refused("not enough approvals"):
        world.send(recovery.execute_recovery_call(wanted))

    # The other signs; anybody hands it in, and anybody starts.
    signature = world.passkey.sign(protected.digest(wanted))
    world.send(
        recovery.multi_confirm_recovery_call(
            wanted, signatures=[signature], execute=False
        )
    )
    assert world.number(recovery_reads.GET_RECOVERY_APPROVALS, *whole) == 2
    started = world.send(recovery.execute_recovery_call(wanted))

    (event,) = events(started, recovery_reads.RECOVERY_EXECUTED)
    said = recovery_reads.parse_recovery_executed(*event)
    request = protected.request()
    assert request == recovery_reads.RecoveryRequest(
        approvals=2,
        new_threshold=2,
        execute_after=said.execute_after,
        new_owners=[NEW, kept, OTHER],
    )
    assert said == recovery_reads.RecoveryExecuted(
        account=account,
        new_owners_hash=recovery.owners_hash(wanted.new_owners),
        new_threshold=2,
        nonce=0,
        execute_after=request.execute_after,
        approvals=2,
    )
    assert protected.nonce() == 1

    # Not before its time, then by anybody.
    with refused("still pending"):
        protected.finalize()
    assert protected.now_owned_by() == (list(protected.owners), 1)
    world.wait(TEST_RECOVERY_DELAY)
    finished = protected.finalize()

    (event,) = events(finished, recovery_reads.RECOVERY_FINALIZED)
    owners, threshold = protected.now_owned_by()
    assert (sorted(owners), threshold) == (sorted(wanted.new_owners), 2)
    assert recovery_reads.parse_recovery_finalized(*event) == (
        recovery_reads.RecoveryFinalized(
            account=account,
            new_owners_hash=recovery.owners_hash(wanted.new_owners),
            new_threshold=2,
            nonce=0,
        )
    )
    assert protected.request() is None
    with refused("no ongoing recovery"):
        protected.finalize()


def test_the_owner_cancels_and_the_same_approvals_never_count_again(world, protected):
    wanted = protected.recovery(NEW)
    used = protected.signed(wanted, world.ann, world.ben)
    protected.start(wanted)

    (receipt,) = protected.do(recovery.cancel_recovery_call(module=MODULE))

    (event,) = events(receipt, recovery_reads.RECOVERY_CANCELED)
    assert recovery_reads.parse_number_event(*event) == (protected.address, 0)
    assert protected.request() is None
    world.wait(TEST_RECOVERY_DELAY)
    with refused("no ongoing recovery"):
        protected.finalize()
    with refused("invalid signature"):
        world.send(
            recovery.multi_confirm_recovery_call(wanted, signatures=used, execute=True)
        )
    with refused("not enough approvals"):
        world.send(recovery.execute_recovery_call(wanted))
    assert protected.now_owned_by() == (list(protected.owners), 1)


def test_nobody_but_the_account_cancels(world, protected):
    protected.start(protected.recovery(NEW))

    with refused("no ongoing recovery"):
        world.send(
            recovery.cancel_recovery_call(module=MODULE), sender=address_of(world.ann)
        )
    assert protected.request() is not None


# --- Approvals that do not count ------------------------------------------------------------


def hand_in(protected: Protected, wanted: Recovery, entries: Sequence[object]) -> Call:
    """Return the call with its signatures in any order, which ours would not make."""
    members = (protected.address, list(wanted.new_owners), wanted.new_threshold)
    data = call_data(recovery.MULTI_CONFIRM_RECOVERY, *members, entries, False)
    return Call(to=MODULE, value_wei=0, data=data)


def test_signers_come_in_strictly_ascending_order(world, protected):
    wanted = protected.recovery(NEW)
    signed = [
        *protected.signed(wanted, world.ann, world.ben),
        world.passkey.sign(protected.digest(wanted)),
    ]
    entries = sorted((item.guardian, item.signature) for item in signed)

    for order in permutations(entries):
        if list(order) != entries:
            with refused("not ascending"):
                world.send(hand_in(protected, wanted, order))
    with refused("not ascending"):
        world.send(hand_in(protected, wanted, [entries[0], entries[0]]))
    world.send(hand_in(protected, wanted, entries))


def test_only_a_guardians_own_signature_of_this_recovery_counts(world, protected):
    wanted = protected.recovery(NEW)
    digest = protected.digest(wanted)
    stranger = signature_of(Account.create(), digest)
    good = signature_of(world.ann, digest)
    v = 55 - good.signature[64]
    s = ORDER - int.from_bytes(good.signature[32:64], "big")
    twin = good.signature[:32] + s.to_bytes(32, "big") + bytes([v])
    forged = {
        "another hash": signature_of(world.ann, keccak(b"other")),
        "another's": replace(good, signature=signature_of(world.ben, digest).signature),
        "high s": replace(good, signature=twin),
        "cut short": replace(good, signature=good.signature[:64]),
        "passkey, another hash": world.passkey.sign(keccak(b"other")),
        "passkey, of a wallet": replace(good, guardian=world.passkey.signer),
    }

    with refused("signer not a guardian"):
        world.send(
            recovery.multi_confirm_recovery_call(
                wanted, signatures=[stranger], execute=False
            )
        )
    for signature in forged.values():
        with refused("invalid signature"):
            world.send(
                recovery.multi_confirm_recovery_call(
                    wanted, signatures=[signature], execute=False
                )
            )
    with refused("sender not a guardian"):
        world.send(recovery.confirm_recovery_call(wanted, execute=False))


def test_an_empty_signature_is_the_senders_own_word_alone(world, protected):
    wanted = protected.recovery(NEW)
    entry = (address_of(world.ann), b"")

    with refused("invalid signature"):
        world.send(hand_in(protected, wanted, [entry]))
    world.send(hand_in(protected, wanted, [entry]), sender=address_of(world.ann))


def test_a_passkey_counts_once_its_signer_is_on_chain_only(
    world, protected, proxy_code
):
    authenticator = SoftAuthenticator()
    key = PublicKey(
        x=int.from_bytes(authenticator.x, "big"),
        y=int.from_bytes(authenticator.y, "big"),
    )
    signer = signer_address(public_key=key, proxy_code=proxy_code)
    protected.add(signer, 1)
    wanted = protected.recovery(NEW)
    signature = Passkey(authenticator, signer).sign(protected.digest(wanted))
    approve = recovery.multi_confirm_recovery_call(
        wanted, signatures=[signature], execute=True
    )

    with refused("invalid signature"):
        world.send(approve)
    # As the relayer sends it: the signer first, then the approval, all or nothing.
    together = [create_signer_call(public_key=key), approve]
    data = aggregate3_data(together, allow_failure=False)
    world.send(Call(to=MULTICALL3, value_wei=0, data=data))

    assert protected.request() is not None


def test_a_revoked_guardians_approval_no_longer_counts(world, protected):
    wanted = protected.recovery(NEW)
    world.send(
        recovery.multi_confirm_recovery_call(
            wanted,
            signatures=protected.signed(wanted, world.ann, world.ben),
            execute=False,
        )
    )
    listed = protected.listed()
    protected.do(
        recovery.revoke_guardian_call(
            module=MODULE,
            guardian=address_of(world.ann),
            threshold=2,
            guardians=listed,
        )
    )

    with refused("not enough approvals"):
        world.send(recovery.execute_recovery_call(wanted))

    # It comes back with the guardian, unless the nonce moved on: R58's second call.
    protected.add(address_of(world.ann), 2)
    (receipt,) = protected.do(recovery.invalidate_nonce_call(module=MODULE))
    (event,) = events(receipt, recovery_reads.NONCE_INVALIDATED)
    assert recovery_reads.parse_number_event(*event) == (protected.address, 0)
    assert protected.nonce() == 1
    with refused("not enough approvals"):
        world.send(recovery.execute_recovery_call(wanted))


# --- One request at a time ------------------------------------------------------------------


def test_only_strictly_more_approvals_replace_a_request(world, protected):
    theirs, ours = protected.recovery(OTHER), protected.recovery(NEW)
    protected.start(theirs)

    with refused("not enough approvals to replace"):
        protected.start(ours)
    pending = protected.request()
    assert pending is not None
    assert pending.new_owners == [OTHER]
    protected.start(ours, with_passkey=True)

    pending = protected.request()
    assert pending is not None
    assert (pending.approvals, pending.new_owners) == (3, [NEW])
    assert protected.nonce() == 2
    world.wait(TEST_RECOVERY_DELAY)
    protected.finalize()
    assert protected.now_owned_by() == ([NEW], 1)


BAD = {
    "zero": [NEW, ZERO_ADDRESS],
    "sentinel": [NEW, SENTINEL_ADDRESS],
    "sentinel first": [SENTINEL_ADDRESS, NEW],
    "duplicate": [NEW, OTHER, NEW],
}


def test_a_bad_list_starts_can_never_finish_and_we_refuse_it(world, make):
    lists = BAD | {"the account": [NEW], "a guardian": [NEW]}
    started = []
    for name, owners in lists.items():
        protected = make(guardians=2)
        extra = {"the account": protected.address, "a guardian": world.guardians[0]}
        whole = [*owners, *([extra[name]] if name in extra else [])]
        wanted = protected.recovery(*whole)
        with pytest.raises(EncodingError):
            require_recoverable(wanted, guardians=protected.listed())
        # The account knows nothing of guardians: that check is ours alone.
        assert protected.simulate(wanted) == (name == "a guardian"), name
        protected.start(wanted)
        started.append(protected)

    world.wait(TEST_RECOVERY_DELAY + DAY)

    for protected in started:
        with refused("owners not replaced|new owner is a guardian"):
            protected.finalize()
        # It blocks the next one, with the same guardians for ever.
        with refused("not enough approvals to replace"):
            protected.start(protected.recovery(NEW))


def test_what_could_not_even_start_is_refused_at_the_start(world, protected):
    for owners, threshold, reason in (
        ((), 0, "no new owners"),
        ((NEW,), 0, "invalid new threshold"),
        ((NEW,), 2, "invalid new threshold"),
    ):
        wanted = protected.recovery(*owners, threshold=threshold)
        with pytest.raises(EncodingError):
            require_recoverable(wanted, guardians=protected.listed())
        with refused(reason):
            protected.start(wanted)


@pytest.mark.parametrize(
    ("owners", "threshold", "good"),
    [
        ("new", 1, True),
        ("new other", 2, True),
        ("first new", 2, True),
        ("new first", 1, True),
        ("last", 1, True),
        ("last first", 2, True),
        ("new", 2, False),
        ("new", 0, False),
        ("new new", 1, False),
        ("first first", 1, False),
        ("zero", 1, False),
        ("account", 1, False),
    ],
)
def test_the_simulation_tells_good_lists_from_bad_ones(make, owners, threshold, good):
    protected = make(owners=3, guardians=0)
    named = {
        "new": NEW,
        "other": OTHER,
        "zero": ZERO_ADDRESS,
        "first": protected.owners[0],
        "last": protected.owners[2],
        "account": protected.address,
    }
    wanted = protected.recovery(
        *[named[owner] for owner in owners.split()], threshold=threshold
    )

    assert protected.simulate(wanted) == good
    assert protected.now_owned_by() == (list(protected.owners), 1)
