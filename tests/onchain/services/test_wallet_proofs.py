"""A wallet shows that it signs before it counts: which text, whose, for what (R6)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from onchain.errors import AnotherAccountSigned, SignatureRefused
from onchain.models import Owner, Safe, WalletProof
from onchain.protocol.types import Address
from onchain.protocol.wallet_signature import OLDER_MAGIC
from onchain.services import owner_kinds, wallet_proofs
from tests.factories import World, make_user, make_wallet
from tests.onchain.services.additions import added
from tests.onchain.services.happenings import follow
from tests.threads import all_at_once
from tests.wallet_keys import SoftWallet, make_wallet_owner

Status = WalletProof.Status
CONTRACT = Address(b"\xc0" * 20)


@pytest.fixture
def wallet() -> SoftWallet:
    return SoftWallet()


def opened(world: World, address: Address, **fields: object) -> WalletProof:
    known = {"user": world.wallet.user, "safe": world.wallet.safe, "address": address}
    return wallet_proofs.open_proof(**known | fields)


def answer(proof: WalletProof, wallet: SoftWallet) -> WalletProof:
    return wallet_proofs.answer(
        proof=proof, signature=wallet.sign_text(proof.text), account=wallet.address
    )


def prove(world: World, wallet: SoftWallet, **fields: object) -> WalletProof:
    return answer(opened(world, wallet.address, **fields), wallet)


def is_proven(world: World, wallet: SoftWallet, **fields: object) -> bool:
    known = {"safe": world.wallet.safe, "address": wallet.address}
    return wallet_proofs.is_proven(**known | fields)


def test_the_text_says_all_that_it_is_good_for(world: World, wallet: SoftWallet):
    proof = opened(world, wallet.address)

    heading, empty, *lines = proof.text.split("\n")
    said = dict(line.split(": ", 1) for line in lines)
    assert "moves nothing" in heading
    assert empty == ""
    assert said == {
        "Site": "http://localhost:8000",
        "Wallet": wallet.address_text,
        "Role": "owner",
        "Account": world.wallet.safe.address_text,
        "Account name": world.wallet.safe.name,
        "Chain": "31337",
        "Person": world.wallet.user.name,
        "Nonce": "0x" + bytes(proof.nonce).hex(),
        "Expires": proof.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    life = proof.expires_at - timezone.now()
    assert timedelta(minutes=4, seconds=55) < life <= timedelta(minutes=5)


# R34
def test_a_name_cannot_pretend_to_be_another_line(world: World, wallet: SoftWallet):
    safe = world.wallet.safe
    safe.name = "Mine\nAccount: 0x1\u202e"

    lines = opened(world, wallet.address, safe=safe).text.split("\n")

    assert len(lines) == 11
    assert "Account name: Mine⟨U+000A⟩Account: 0x1⟨U+202E⟩" in lines


def test_a_plain_wallets_answer_counts_at_once(world: World, wallet: SoftWallet):
    assert not is_proven(world, wallet)

    proof = prove(world, wallet)

    assert proof.status == Status.PROVEN
    assert is_proven(world, wallet, user=world.wallet.user)
    assert wallet_proofs.kind_of(proof) == Owner.Kind.WALLET


def test_it_counts_for_this_account_role_person_and_wallet_only(
    world: World, wallet: SoftWallet
):
    prove(world, wallet)

    other = make_wallet()
    assert not is_proven(world, wallet, safe=other.safe)
    assert not is_proven(world, wallet, role=WalletProof.Role.GUARDIAN)
    assert not is_proven(world, wallet, user=make_user())
    assert not is_proven(world, SoftWallet())


def test_another_account_of_the_wallet_is_named(world: World, wallet: SoftWallet):
    proof, other = opened(world, wallet.address), SoftWallet()

    with pytest.raises(AnotherAccountSigned) as caught:
        answer(proof, other)

    assert wallet.address_text in str(caught.value)
    assert other.address_text in str(caught.value)
    proof.refresh_from_db()
    assert proof.status == Status.OPEN


def test_a_signature_of_another_text_proves_nothing(world: World, wallet: SoftWallet):
    proof, other = opened(world, wallet.address), make_wallet()
    text = opened(world, wallet.address, safe=other.safe).text

    taken = wallet_proofs.answer(proof=proof, signature=wallet.sign_text(text))
    assert taken.status == Status.SIGNED  # a contract might say yes to it
    wallet_proofs.check(proof=taken, node=world.node)

    taken.refresh_from_db()
    assert taken.status == Status.REFUSED
    assert not is_proven(world, wallet)


@pytest.mark.parametrize("signature", [b"", b"\1" * 5_000], ids=["empty", "huge"])
def test_what_is_no_signature_is_refused(
    world: World, wallet: SoftWallet, signature: bytes
):
    with pytest.raises(SignatureRefused):
        wallet_proofs.answer(proof=opened(world, wallet.address), signature=signature)


# --- The nonce ----------------------------------------------------------------------------


def test_a_fresh_text_is_offered_again_and_an_old_one_not(
    world: World, wallet: SoftWallet
):
    first = opened(world, wallet.address)
    assert opened(world, wallet.address) == first

    WalletProof.objects.update(expires_at=timezone.now() + timedelta(seconds=60))

    assert opened(world, wallet.address).nonce != first.nonce


def test_an_answer_counts_once(world: World, wallet: SoftWallet):
    proof = prove(world, wallet)

    with pytest.raises(SignatureRefused):
        answer(proof, wallet)


def test_an_expired_text_is_refused_and_deleted(world: World, wallet: SoftWallet):
    proof = opened(world, wallet.address)
    WalletProof.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    proof.refresh_from_db()

    with pytest.raises(SignatureRefused):
        answer(proof, wallet)
    wallet_proofs.sweep_expired()

    assert not WalletProof.objects.exists()


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_of_parallel_answers_one_counts(transactional_world: World):
    wallet = SoftWallet()
    proof = opened(transactional_world, wallet.address)

    answers = all_at_once(5, lambda: answer(proof, wallet))

    assert len([item for item in answers if isinstance(item, WalletProof)]) == 1


# --- Contracts ------------------------------------------------------------------------------


def test_a_contract_is_asked_by_the_worker(world: World, wallet: SoftWallet):
    world.node.call_answers[CONTRACT, OLDER_MAGIC] = OLDER_MAGIC.ljust(32, b"\0")
    proof = wallet_proofs.answer(
        proof=opened(world, CONTRACT), signature=b"whatever it reads", account=CONTRACT
    )
    assert proof.status == Status.SIGNED

    wallet_proofs.check(proof=proof, node=world.node)

    proof.refresh_from_db()
    assert proof.status == Status.PROVEN
    assert wallet_proofs.kind_of(proof) == Owner.Kind.CONTRACT


@pytest.mark.parametrize("said", [None, b"", bytes(31) + b"\1", bytes(32)], ids=str)
def test_a_contract_that_reverts_or_says_anything_else_is_refused(
    world: World, said: bytes | None
):
    if said is not None:
        world.node.call_answers[CONTRACT, OLDER_MAGIC] = said
    proof = wallet_proofs.answer(proof=opened(world, CONTRACT), signature=b"\1")

    wallet_proofs.check(proof=proof, node=world.node)

    proof.refresh_from_db()
    assert proof.status == Status.REFUSED


# --- What it is good for ----------------------------------------------------------------------


def join(world: World, *new: Address) -> None:
    safe = world.wallet.safe
    before = list(world.node.account_owners[safe.address].owners)
    world.node.set_owners(safe.address, [*new, *before])
    world.node.mine(*[added(safe.address, owner) for owner in new])


def owner_at(world: World, address: Address) -> Owner:
    return world.wallet.safe.owners.get(address=address)


def test_a_proven_wallet_that_the_chain_names_is_its_persons(
    world: World, wallet: SoftWallet
):
    follow(world)
    stranger = make_user()
    proof = prove(world, wallet, user=stranger)
    assert not Safe.objects.visible_to(stranger).exists()

    join(world, wallet.address)
    follow(world)

    owner = owner_at(world, wallet.address)
    assert (owner.kind, owner.holder) == (Owner.Kind.WALLET, stranger)
    assert owner.proven_at == proof.signed_at
    assert list(Safe.objects.visible_to(stranger)) == [world.wallet.safe]
    words = [event.detail for event in stranger.security_events.all()]
    assert any(f"Your wallet {wallet.address_text}" in text for text in words)


@pytest.mark.parametrize("other", ["account", "role", "unanswered"])
def test_a_proof_for_something_else_links_nobody(
    world: World, wallet: SoftWallet, other: str
):
    follow(world)
    if other == "account":
        prove(world, wallet, safe=make_wallet().safe)
    elif other == "role":
        prove(world, wallet, role=WalletProof.Role.GUARDIAN)
    else:
        opened(world, wallet.address)

    join(world, wallet.address)
    follow(world)

    owner = owner_at(world, wallet.address)
    assert (owner.kind, owner.holder) == (Owner.Kind.UNKNOWN, None)
    assert not owner.can_sign


def test_an_owner_made_elsewhere_is_linked_once_it_proves_itself(
    world: World, wallet: SoftWallet
):
    join(world, wallet.address)
    follow(world)
    owner_kinds.read(chain=world.chain, node=world.node)

    prove(world, wallet)
    world.node.mine()
    follow(world)

    assert owner_at(world, wallet.address).holder == world.wallet.user


def test_unrecognised_owners_are_told_apart_by_their_code(
    world: World, wallet: SoftWallet
):
    delegated = Address(b"\xd7" * 20)
    world.node.account_codes[CONTRACT] = b"\x60\x80"
    world.node.account_codes[delegated] = b"\xef\x01\x00" + CONTRACT
    join(world, wallet.address, CONTRACT, delegated)
    follow(world)

    owner_kinds.read(chain=world.chain, node=world.node)
    owner_kinds.read(chain=world.chain, node=world.node)

    assert owner_at(world, wallet.address).kind == Owner.Kind.WALLET
    assert owner_at(world, delegated).kind == Owner.Kind.WALLET
    assert owner_at(world, CONTRACT).kind == Owner.Kind.CONTRACT
    assert not owner_at(world, wallet.address).can_sign
    assert world.node.calls.count("codes latest") == 1


def test_a_known_wallet_is_not_asked_about(world: World, wallet: SoftWallet):
    make_wallet_owner(wallet, safe=world.wallet.safe, holder=world.wallet.user)

    owner_kinds.read(chain=world.chain, node=world.node)

    assert "codes latest" not in world.node.calls
