"""Claims to recover accounts on a real chain, from opening to the new owner.

Each test has an account of its own, which anvil lets act as itself. Its guardians are a
passkey whose signer is not deployed, a wallet, and a Safe. Time is the chain's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

import pytest
from django.conf import LazySettings
from django.utils import timezone
from eth_account import Account
from eth_account.signers.local import LocalAccount

from accounts.models import Credential, User
from onchain.errors import RecoveryRefused
from onchain.models import (
    AccountClaim,
    Chain,
    Guardian,
    GuardianApproval,
    ModuleCode,
    RecoverySetup,
    RelayerTransaction,
    Safe,
    UserOperation,
)
from onchain.models.operation_states import Status as OperationStatus
from onchain.models.owner import public_key_of
from onchain.protocol import recovery
from onchain.protocol.deployments import (
    DAY,
    RECOVERY_MODULES,
    SAFE_PROXY_FACTORY,
    SHARED_SIGNER,
    TEST_RECOVERY_DELAY,
    VERIFIERS,
)
from onchain.protocol.owner_changes import disable_module_call
from onchain.protocol.owners import create_signer_call
from onchain.protocol.safe import account_address, direct_setup, factory_data
from onchain.protocol.types import (
    SENTINEL_ADDRESS,
    ZERO_ADDRESS,
    Address,
    Call,
    checksum_address,
)
from onchain.protocol.wallet_signature import ORDER
from onchain.services import (
    chains,
    follower,
    guardian_approvals,
    key_proofs,
    recovery_claims,
    recovery_finalising,
    recovery_moves,
    recovery_new_owners,
    recovery_progress,
    recovery_reading,
    recovery_relaying,
    relayer,
    relaying,
    signers,
    wallet_proofs,
)
from onchain.services.local_chain import LocalChain
from tests.factories import (
    ETHER,
    assertion_text,
    in_each_status,
    make_credential,
    make_operation,
    make_user,
)
from tests.factories import Wallet as Person
from tests.onchain.protocol.test_recovery_on_chain import (
    Passkey,
    Protected,
    World,
    address_of,
)
from tests.soft_authenticator import SoftAuthenticator
from tests.test_devchain import anvil, report_nothing
from tests.wallet_keys import SoftWallet, safe_message_hash
from wallet_site import chain_state

pytestmark = [pytest.mark.chain, pytest.mark.django_db]

MODULE = RECOVERY_MODULES[TEST_RECOVERY_DELAY]
PATIENCE = 30.0  # seconds; a busy machine is no failure
SALTS = count(90_000)
Status = AccountClaim.Status


@dataclass(kw_only=True)
class Scene:
    """An account with three guardians, the site, and a claimant."""

    chain: LocalChain
    world: World
    row: Chain
    relayer: LocalAccount
    account: Protected
    safe: Safe
    passkey: SoftAuthenticator  # a guardian's
    guardian_key: Credential
    wallet: LocalAccount  # a guardian's
    contract: Address  # a guardian that is a Safe
    contract_owner: LocalAccount
    claimant: SoftAuthenticator
    credential: Credential

    @property
    def passkey_guardian(self) -> Address:
        return signers.signer_for(
            public_key=public_key_of(self.guardian_key), safe=self.safe
        )

    @property
    def new_signer(self) -> Address:
        return signers.signer_for(
            public_key=public_key_of(self.credential), safe=self.safe
        )

    @property
    def guardians(self) -> list[Address]:
        return [self.passkey_guardian, address_of(self.wallet), self.contract]

    def prove(self) -> None:
        proof = key_proofs.open_proof(credential=self.credential, safe=self.safe)
        answer = assertion_text(self.claimant, bytes(proof.challenge))
        proof = key_proofs.answer(
            credential=self.credential, safe=self.safe, response=answer
        )
        key_proofs.check(proof=proof, node=self.chain.node)

    def claim(
        self, *owners: Address, threshold: int = 1, module: Address = MODULE
    ) -> AccountClaim:
        """Open a claim, and let the worker ask the chain about it."""
        self.prove()
        claim, _token = recovery_claims.begin(
            user=self.credential.user, credential=self.credential
        )
        row = recovery_claims.open_account(
            claim=claim,
            safe=self.safe,
            module=module,
            new_owners=owners or [self.new_signer],
            new_threshold=threshold,
        )
        return self.look(row)

    def look(self, row: AccountClaim) -> AccountClaim:
        """Let a worker look at the claim once."""
        row = AccountClaim.objects.select_related("safe__chain", "claim").get(pk=row.pk)
        recovery_progress.advance(
            row=row,
            node=self.chain.node,
            relayer=relayer.sender_of(self.relayer),
        )
        row.refresh_from_db()
        return row

    def by_passkey(self, row: AccountClaim) -> GuardianApproval:
        answer = assertion_text(self.passkey, bytes(row.hash_to_sign))
        approval = guardian_approvals.sign_with_passkey(
            row=row, user=self.guardian_key.user, response=answer
        )
        return self._checked(approval)

    def by_wallet(self, row: AccountClaim) -> GuardianApproval:
        signature = bytes(self.wallet.unsafe_sign_hash(row.hash_to_sign).signature)
        # As some wallets answer: s of the upper half, which the module does not take.
        s = ORDER - int.from_bytes(signature[32:64], "big")
        upper = signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])
        guardian = address_of(self.wallet)
        return guardian_approvals.sign_with_wallet(
            row=row,
            user=self.guardian_key.user,
            guardian=guardian,
            account=guardian,
            signature=upper,
        )

    def by_contract(
        self, row: AccountClaim, key: LocalAccount | None = None
    ) -> GuardianApproval:
        digest = safe_message_hash(self.contract, bytes(row.hash_to_sign))
        key = key or self.contract_owner
        approval = guardian_approvals.sign_with_wallet(
            row=row,
            user=self.guardian_key.user,
            guardian=self.contract,
            account=self.contract,
            signature=bytes(key.unsafe_sign_hash(digest).signature),
        )
        return self._checked(approval)

    def _checked(self, approval: GuardianApproval) -> GuardianApproval:
        guardian_approvals.check(approval=approval, node=self.chain.node)
        approval.refresh_from_db()
        return approval

    def until(
        self, row: AccountClaim, condition: Callable[[AccountClaim], bool]
    ) -> AccountClaim:
        """Let relayer, follower and the claim's worker go on until it holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition(row := self.look(row)):
            assert time.monotonic() < deadline, f"{row.status} {row.failure_code}"
            chain = Chain.objects.get(pk=self.row.pk)
            relaying.run(chain=chain, node=self.chain.node, account=self.relayer)
            if not follower.advance(chain=chain, node=self.chain.node):
                time.sleep(0.05)
        return row

    def until_status(self, row: AccountClaim, status: str) -> AccountClaim:
        return self.until(row, lambda row: row.status == status)

    def waiting(self, *owners: Address, threshold: int = 1) -> AccountClaim:
        """A claim that wallet and Safe approved, and whose delay runs."""
        row = self.claim(*owners, threshold=threshold)
        self.by_wallet(row)
        self.by_contract(row)
        return self.until_status(row, Status.WAITING)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    """A chain whose time only these tests move."""
    base = chain_state.base_state(report=report_nothing)
    with anvil(tmp_path_factory.mktemp("claims"), base) as chain:
        chain.node.rpc.call("anvil_autoImpersonateAccount", True)
        chain.node.rpc.call("evm_setAutomine", True)
        yield chain


def deploy(world: World, owners: list[Address]) -> Address:
    setup, salt = direct_setup(owners=owners, threshold=1), next(SALTS)
    create = factory_data(setup=setup, salt_nonce=salt)
    world.send(Call(to=SAFE_PROXY_FACTORY, value_wei=0, data=create))
    account = account_address(setup=setup, salt_nonce=salt)
    world.chain.anvil.set_balance(account, ETHER)
    return account


@pytest.fixture
def scene(chain: LocalChain) -> Scene:
    passkey, claimant = SoftAuthenticator(), SoftAuthenticator()
    wallet, contract_owner, relaying_key = (Account.create() for _ in range(3))
    nobody = Passkey(passkey, Address(b"\1" * 20))
    world = World(chain=chain, ann=wallet, ben=contract_owner, passkey=nobody)
    contract = deploy(world, [address_of(contract_owner)])
    old = [Address(bytes([9, place]) * 10) for place in (1, 2)]
    address = deploy(world, old)
    chain.anvil.set_balance(relayer.sender_of(relaying_key), 10 * ETHER)
    row = chains.connect(node=chain.node)
    guardian_key, credential = make_credential(passkey), make_credential(claimant)
    safe = Safe.objects.create(
        chain=row,
        created_by=credential.user,
        name="Lost",
        address=address,
        layout=Safe.Layout.IMPORTED,
        verifiers=VERIFIERS,
        setup_data=b"",
        status=Safe.Status.DEPLOYED,
        deployed_block=1,
    )
    follower.advance(chain=row, node=chain.node)
    scene = Scene(
        chain=chain,
        world=world,
        row=row,
        relayer=relaying_key,
        account=Protected(world=world, address=address, owners=old),
        safe=safe,
        passkey=passkey,
        guardian_key=guardian_key,
        wallet=wallet,
        contract=contract,
        contract_owner=contract_owner,
        claimant=claimant,
        credential=credential,
    )
    calls = [recovery.enable_module_call(account=address, module=MODULE)]
    for place, guardian in enumerate(scene.guardians):
        calls.append(
            recovery.add_guardian_call(
                module=MODULE,
                account=address,
                guardian=guardian,
                threshold=min(place + 1, 2),
                owners=old,
                guardians=scene.guardians[:place],
            )
        )
    scene.account.do(*calls)
    return scene


def code_at(scene: Scene, address: Address) -> bytes:
    return scene.chain.node.codes([address], "latest")[0]


def revoke(scene: Scene, guardian: Address, threshold: int = 2) -> None:
    scene.account.do(
        recovery.revoke_guardian_call(
            module=MODULE,
            guardian=guardian,
            threshold=threshold,
            guardians=scene.account.listed(),
        )
    )


# --- From the claim to the new owner ----------------------------------------------------


def test_guardians_of_three_kinds_bring_an_account_to_a_new_passkey(scene: Scene):
    row = scene.claim()
    assert (row.status, row.needed, row.old_threshold) == ("collecting", 2, 1)
    assert row.hash_to_sign == scene.account.digest(row.recovery)
    assert scene.by_passkey(row).status == "valid"
    assert scene.look(row).status == Status.COLLECTING
    assert not RelayerTransaction.objects.exists()
    assert not code_at(scene, scene.passkey_guardian)
    assert scene.by_contract(row).status == "valid"
    assert scene.by_wallet(row).status == "valid"

    row = scene.until_status(row, Status.WAITING)

    request = scene.account.request()
    assert request is not None
    assert (request.approvals, row.execute_after) == (3, request.execute_after)
    assert code_at(scene, scene.passkey_guardian)
    assert code_at(scene, scene.new_signer)
    assert scene.look(row).status == Status.WAITING  # early: nothing is sent
    assert scene.account.now_owned_by() == (list(scene.account.owners), 1)

    scene.world.wait(TEST_RECOVERY_DELAY + 2)
    row = scene.until_status(row, Status.DONE)

    assert scene.account.now_owned_by() == ([scene.new_signer], 1)
    sent = RelayerTransaction.objects.order_by("pk")
    assert [item.purpose for item in sent] == ["recover", "finalise"]
    scene.until(
        row,
        lambda row: (
            row.safe.owners.current().filter(credential=scene.credential).exists()
        ),
    )
    owners = [bytes(owner.address) for owner in scene.safe.owners.current()]
    assert owners == [scene.new_signer]
    assert Safe.objects.visible_to(scene.credential.user).filter(pk=scene.safe.pk)


def test_guardians_bring_an_account_to_a_wallet_and_its_person(scene: Scene):
    wallet, user = SoftWallet(), scene.credential.user
    proof = wallet_proofs.open_proof(user=user, safe=scene.safe, address=wallet.address)
    wallet_proofs.answer(proof=proof, signature=wallet.sign_text(proof.text))
    claim, _token = recovery_claims.begin(user=user, wallet=wallet.address)
    row = recovery_claims.open_account(
        claim=claim,
        safe=scene.safe,
        module=MODULE,
        new_owners=[wallet.address],
        new_threshold=1,
    )
    row = scene.look(row)
    scene.by_wallet(row)
    scene.by_contract(row)
    row = scene.until_status(row, Status.WAITING)
    scene.world.wait(TEST_RECOVERY_DELAY + 2)
    row = scene.until_status(row, Status.DONE)

    assert scene.account.now_owned_by() == ([wallet.address], 1)
    visible = Safe.objects.visible_to(user).filter(pk=scene.safe.pk)
    scene.until(row, lambda _row: visible.exists())
    (owner,) = scene.safe.owners.current()
    assert (bytes(owner.address), owner.person) == (wallet.address, user)


def test_too_few_approvals_send_nothing_and_the_same_guardian_counts_once(
    scene: Scene,
):
    row = scene.claim()
    first, second = scene.by_wallet(row), scene.by_wallet(row)
    assert first.pk == second.pk

    assert scene.look(row).status == Status.COLLECTING
    assert scene.by_contract(row, key=scene.wallet).status == "refused"
    assert scene.look(row).status == Status.COLLECTING
    assert scene.by_contract(row).status == "valid"
    assert scene.look(row).status == Status.RELAYING


def test_approvals_are_handed_in_sorted_whoever_signed_first(scene: Scene):
    row = scene.claim()
    by = {
        scene.passkey_guardian: scene.by_passkey,
        address_of(scene.wallet): scene.by_wallet,
        scene.contract: scene.by_contract,
    }
    for guardian in sorted(by, reverse=True):
        by[guardian](row)

    assert scene.until_status(row, Status.WAITING).status == Status.WAITING


def test_a_guardian_who_is_revoked_meanwhile_counts_no_more(scene: Scene):
    row = scene.claim()
    scene.by_wallet(row)
    revoke(scene, address_of(scene.wallet))
    scene.by_contract(row)

    row = scene.look(row)

    assert row.status == Status.COLLECTING
    assert checksum_address(address_of(scene.wallet)) not in row.guardians
    scene.by_passkey(row)
    row = scene.until_status(row, Status.WAITING)
    request = scene.account.request()
    assert request is not None
    assert request.approvals == 2


def test_an_approval_that_is_revoked_after_it_was_enough_sends_nothing(scene: Scene):
    row = scene.claim()
    scene.by_wallet(row)
    scene.by_contract(row)
    AccountClaim.objects.filter(pk=row.pk).update(status=Status.READY)
    revoke(scene, scene.contract)

    assert scene.look(row).status == Status.COLLECTING
    assert not RelayerTransaction.objects.exists()


def test_what_a_guardian_confirmed_on_chain_counts_too(scene: Scene):
    row = scene.claim()
    call = recovery.confirm_recovery_call(row.recovery, execute=False)
    scene.chain.anvil.set_balance(address_of(scene.wallet), ETHER)
    for guardian in (address_of(scene.wallet), scene.contract):
        scene.world.send(call, sender=guardian)

    row = scene.until_status(row, Status.WAITING)

    assert not row.approvals.exists()


def test_an_invalidated_nonce_ends_a_claim_before_anything_is_sent(scene: Scene):
    row = scene.claim()
    scene.by_wallet(row)
    scene.by_contract(row)
    scene.account.do(recovery.invalidate_nonce_call(module=MODULE))

    row = scene.look(row)

    assert (row.status, row.failure_code) == ("stopped", "nonce-moved")
    assert not RelayerTransaction.objects.exists()


def test_a_larger_request_replaces_ours_and_ours_says_so(scene: Scene):
    row = scene.waiting()
    scene.world.send(create_signer_call(public_key=public_key_of(scene.guardian_key)))
    other = scene.account.recovery(Address(b"\x71" * 20))
    call = recovery.confirm_recovery_call(other, execute=False)
    for guardian in scene.guardians:
        scene.chain.anvil.set_balance(guardian, ETHER)
        scene.world.send(call, sender=guardian)
    scene.world.send(recovery.execute_recovery_call(other))

    row = scene.look(row)

    assert (row.status, row.failure_code) == ("stopped", "replaced")
    again = scene.claim()
    assert (again.status, again.failure_code) == ("stopped", "cannot-outvote")


def test_owners_who_cancel_end_a_claim(scene: Scene):
    row = scene.waiting()
    scene.account.do(
        recovery.cancel_recovery_call(module=MODULE),
        recovery.invalidate_nonce_call(module=MODULE),
    )

    row = scene.look(row)

    assert (row.status, row.failure_code) == ("stopped", "cancelled")


def test_a_module_that_is_disabled_ends_a_claim_at_any_time(scene: Scene):
    collecting, waiting = scene.claim(), scene.waiting()
    scene.account.do(
        disable_module_call(
            account=scene.account.address, previous=SENTINEL_ADDRESS, module=MODULE
        )
    )

    assert scene.look(waiting).failure_code == "module-disabled"
    assert scene.look(collecting).failure_code == "module-disabled"
    assert scene.claim().failure_code == "module-disabled"


def test_nothing_is_sent_to_a_module_with_other_code_than_confirmed(scene: Scene):
    def change_code(at: datetime | None) -> None:
        ModuleCode.objects.update_or_create(
            chain=scene.row,
            module=MODULE,
            defaults={"code_hash": b"\1" * 32, "changed_at": at},
        )

    row = scene.claim()
    scene.by_wallet(row)
    scene.by_contract(row)
    change_code(timezone.now())
    row = scene.look(row)
    assert row.status == Status.READY
    assert scene.look(row).status == Status.READY
    assert scene.claim().failure_code == "module-changed"
    assert not RelayerTransaction.objects.exists()

    change_code(None)
    row = scene.until_status(row, Status.WAITING)
    scene.world.wait(TEST_RECOVERY_DELAY + 2)
    change_code(timezone.now())
    assert scene.look(row).status == Status.WAITING

    change_code(None)
    scene.until_status(row, Status.DONE)


def test_nothing_is_finished_while_the_owners_cancel(scene: Scene):
    row = scene.waiting()
    person = Person(
        passkey=scene.claimant,
        user=scene.credential.user,
        credential=scene.credential,
        safe=scene.safe,
    )
    signed = in_each_status()[OperationStatus.SIGNED]
    op = make_operation(person, kind="cancel-recovery", status="signed", **signed)
    scene.world.wait(TEST_RECOVERY_DELAY + 2)

    assert scene.look(row).status == Status.WAITING
    assert recovery_finalising.is_being_cancelled(safe=scene.safe)

    UserOperation.objects.filter(pk=op.pk).update(status="withdrawn")
    row = scene.look(row)
    assert row.status == Status.FINALIZING  # queued, not signed
    UserOperation.objects.filter(pk=op.pk).update(status="signed")
    row = scene.look(row)
    UserOperation.objects.filter(pk=op.pk).update(status="withdrawn")
    (sent,) = RelayerTransaction.objects.filter(purpose="finalise")
    assert (sent.status, sent.failure_code) == ("failed", "cancel-under-way")
    scene.until_status(row, Status.DONE)


def test_whoever_finishes_it_first_does_no_harm(scene: Scene):
    row = scene.waiting()
    scene.world.wait(TEST_RECOVERY_DELAY + 2)
    row = scene.until_status(row, Status.FINALIZING)
    scene.account.finalize()

    row = scene.until_status(row, Status.DONE)

    scene.until(row, lambda _row: not RelayerTransaction.objects.in_flight().exists())
    assert scene.account.now_owned_by() == ([scene.new_signer], 1)


def test_a_worker_that_dies_at_any_line_leaves_what_the_next_one_finishes(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
):
    class Killed(BaseException):
        """What no code catches, as kill -9."""

    def dying(module: object, name: str) -> None:
        def die(*_args: object, **_kwargs: object) -> None:
            raise Killed

        monkeypatch.setattr(module, name, die)

    def killed(row: AccountClaim) -> None:
        with pytest.raises(Killed):
            scene.until(row, lambda _row: False)
        monkeypatch.undo()

    row = scene.claim()
    for approve in (scene.by_wallet, scene.by_contract, scene.by_passkey):
        approve(row)
    for module, name in (
        (recovery_relaying, "relay"),
        (recovery_relaying, "store"),
        (recovery_moves, "later"),
        (relaying.relayer, "sign_queued"),
        (relaying.broadcasting, "broadcast"),
        (follower, "advance"),
    ):
        dying(module, name)
        killed(row)
    row = scene.until_status(row, Status.WAITING)
    scene.world.wait(TEST_RECOVERY_DELAY + 2)
    for module, name in (
        (recovery_finalising, "_queue"),
        (recovery_relaying, "store"),
        (relaying.broadcasting, "broadcast"),
        (recovery_finalising, "finish"),
    ):
        dying(module, name)
        killed(row)

    scene.until_status(row, Status.DONE)

    assert RelayerTransaction.objects.count() == 2
    assert scene.account.now_owned_by() == ([scene.new_signer], 1)


def test_an_end_that_a_reorg_takes_back_is_made_again_until_it_is_deep(
    scene: Scene, settings: LazySettings
):
    settings.CONFIRMATIONS = 8

    def is_due(row: AccountClaim) -> bool:
        """Whether the sweep finds it, long after it was done."""
        long_ago = timezone.now() - timedelta(days=2)
        AccountClaim.objects.filter(pk=row.pk).update(
            done_at=long_ago, look_at=long_ago
        )
        return recovery_progress.due(chain=scene.row).filter(pk=row.pk).exists()

    row = scene.waiting()
    scene.world.wait(TEST_RECOVERY_DELAY + 2)
    before = scene.chain.node.head().number
    row = scene.until_status(row, Status.DONE)
    assert is_due(row)
    scene.world.rpc("anvil_reorg", scene.chain.node.head().number - before, [])
    assert scene.look(row).status != Status.DONE

    row = scene.until_status(row, Status.DONE)

    assert scene.account.now_owned_by() == ([scene.new_signer], 1)
    assert is_due(row)
    assert not scene.look(row).is_settled
    scene.world.rpc("anvil_mine", hex(8))
    row = scene.until(row, lambda row: row.is_settled)
    assert row.status == Status.DONE
    assert not is_due(row)


# --- Lists of owners that could never finish --------------------------------------------


def test_no_list_is_asked_for_that_the_account_would_not_take(
    scene: Scene, subtests: pytest.Subtests
):
    new, other = scene.new_signer, Address(b"\x71" * 20)
    bad: dict[str, tuple[list[Address], int, str]] = {
        "zero": ([new, ZERO_ADDRESS], 1, "0x0 and 0x1"),
        "the sentinel": ([new, SENTINEL_ADDRESS], 1, "0x0 and 0x1"),
        "the account": ([new, scene.account.address], 1, "own itself"),
        "a duplicate": ([new, other, other], 1, "twice"),
        "not the claimant": ([other], 1, "Your new key"),
        "the shared signer": ([new, SHARED_SIGNER], 1, "shared signer"),
        "no approvals": ([new], 0, "Between 1 and 1"),
        "too many approvals": ([new, other], 3, "Between 1 and 2"),
    }
    for name, (owners, threshold, words) in bad.items():
        with subtests.test(name), pytest.raises(RecoveryRefused, match=words):
            scene.claim(*owners, threshold=threshold)
    with (
        subtests.test("nobody"),
        pytest.raises(RecoveryRefused, match="needs an owner"),
    ):
        recovery_new_owners.refuse(scene.account.recovery(), signer=new, guardians=[])
    with subtests.test("a guardian"):
        row = scene.claim(new, scene.contract)
        assert (row.status, row.failure_code) == ("stopped", "owner-guards")
    with subtests.test("another module"):
        row = scene.claim(module=RECOVERY_MODULES[7 * DAY])
        assert (row.status, row.failure_code) == ("stopped", "module-disabled")


def test_the_account_itself_is_asked_before_any_guardian(scene: Scene):
    row = scene.claim()
    state = recovery_reading.state_of(row=row, node=scene.chain.node)
    assert recovery_reading.would_finish(row=row, state=state, node=scene.chain.node)

    row.new_owners = [*row.new_owners, *row.new_owners]

    assert not recovery_reading.would_finish(
        row=row, state=state, node=scene.chain.node
    )


def test_a_new_owner_who_becomes_a_guardian_ends_a_claim(scene: Scene):
    other = Address(b"\x73" * 20)
    row = scene.waiting(scene.new_signer, other)
    scene.account.add(other, 2)

    assert scene.look(row).failure_code == "owner-guards"


def test_co_owners_can_stay_and_more_can_be_asked_to_approve(scene: Scene):
    first, second = scene.account.owners
    row = scene.waiting(second, scene.new_signer, threshold=2)
    scene.world.wait(TEST_RECOVERY_DELAY + 2)

    scene.until_status(row, Status.DONE)

    assert set(scene.account.now_owned_by()[0]) == {second, scene.new_signer}
    assert scene.account.now_owned_by()[1] == 2


def test_a_claim_that_is_taken_back_or_too_old_asks_nobody(scene: Scene):
    row, other = scene.claim(), scene.claim()
    recovery_claims.withdraw(claim=row.claim)
    row.refresh_from_db()
    assert (row.status, row.failure_code) == ("stopped", "withdrawn")
    with pytest.raises(RecoveryRefused, match="no approvals now"):
        scene.by_wallet(row)

    type(other.claim).objects.filter(pk=other.claim_id).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )

    assert scene.look(other).failure_code == "not-enough-approvals"


# --- Who hears of it --------------------------------------------------------------------


def told(user: User, kind: str) -> int:
    return user.security_events.filter(kind=kind).count()


def test_a_claim_is_silent_until_a_guardian_approved(scene: Scene):
    owner, friend = make_user(), make_user()
    scene.safe.owners.update(holder=owner)
    setup = RecoverySetup.objects.get_or_create(safe=scene.safe, module=MODULE)[0]
    setup.guardians.all().delete()
    for position, guardian in enumerate(scene.guardians):
        Guardian.objects.create(
            setup=setup, address=guardian, position=position, holder=friend
        )

    rows = [scene.claim(), scene.claim()]

    assert told(owner, "recovery-asked") == 1  # a day
    assert not friend.security_events.exists()
    assert not scene.credential.user.security_events.exists()
    scene.by_contract(rows[0])
    scene.by_passkey(rows[0])
    assert told(friend, "recovery-vouched") == 1
    assert told(scene.guardian_key.user, "recovery-vouched") == 0
