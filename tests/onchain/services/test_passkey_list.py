"""The rows of the passkeys page: what is told of a passkey is what its row says.

R6: a proof counts for its own account and role. K-05: signing in and owning are apart.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Credential, Session, User
from onchain.models import KeyProof, Owner, Safe
from onchain.models.owner import public_key_of
from onchain.protocol.safe import signer_address
from onchain.protocol.types import checksum_address
from onchain.services import key_proofs, passkey_list, safes
from tests.factories import (
    Wallet,
    make_credential,
    make_operator,
    make_wallet,
    the_chain,
)
from tests.soft_authenticator import BE, BS, UP, UV, SoftAuthenticator

pytestmark = pytest.mark.django_db

YESTERDAY = timezone.now() - timedelta(days=1)


@pytest.fixture
def alice() -> Wallet:
    return make_wallet()


def listed(user: User, **arguments: int) -> passkey_list.PasskeyList:
    return passkey_list.passkeys_of(user=user, **arguments)


def the_only(user: User, **arguments: int) -> passkey_list.Passkey:
    (passkey,) = listed(user, **arguments).passkeys
    return passkey


def open_proven(
    credential: Credential, safe: Safe, role: str = KeyProof.Role.OWNER
) -> KeyProof:
    proof = key_proofs.open_proof(credential=credential, safe=safe, role=role)
    KeyProof.objects.filter(pk=proof.pk).update(
        status=KeyProof.Status.PROVEN, signed_at=YESTERDAY
    )
    return proof


def change(credential: Credential, **fields: object) -> None:
    Credential.objects.filter(pk=credential.pk).update(**fields)


def test_passkeys_are_listed_oldest_first(alice):
    second = make_credential(user=alice.user)

    found = [row.credential for row in listed(alice.user).passkeys]

    assert found == [alice.credential, second]


def test_nobody_elses_passkey_is_listed(alice):
    bob = make_wallet()

    assert the_only(alice.user).credential == alice.credential
    assert [account.safe for account in the_only(bob.user).accounts] == [bob.safe]


def test_an_unnamed_passkey_is_called_after_its_provider(alice):
    change(alice.credential, aaguid=uuid.UUID("bada5566-a7aa-401f-bd96-45619a55120d"))

    assert the_only(alice.user).title == "1Password"


def test_an_unknown_provider_is_never_blank(alice):
    assert the_only(alice.user).title == "Unknown provider"


def test_a_passkey_is_called_as_its_person_calls_it_with_nothing_hidden(alice):
    """R34"""
    change(alice.credential, name="My \u202ephone")

    assert the_only(alice.user).title == "My ⟨U+202E⟩phone"


def test_the_passkey_of_this_session_is_marked_and_no_other(alice):
    second = make_credential(user=alice.user)

    rows = listed(alice.user, session_credential=second.pk).passkeys

    assert [row.is_this_session for row in rows] == [False, True]
    assert not the_only(make_wallet().user).is_this_session


# --- What it owns ----------------------------------------------------------------------


def test_a_passkey_owns_the_accounts_that_name_it(alice):
    owned = the_only(alice.user).accounts

    assert [(account.safe, account.proven_at) for account in owned] == [
        (alice.safe, None)
    ]


def test_a_passkey_that_no_account_names_owns_nothing(alice):
    make_credential(user=alice.user)

    assert [len(row.accounts) for row in listed(alice.user).passkeys] == [1, 0]


def test_an_owner_that_was_removed_on_chain_owns_nothing(alice):
    Owner.objects.update(is_current=False)

    assert the_only(alice.user).accounts == []


def test_a_proven_owner_says_since_when(alice):
    alice.safe.owners.update(proven_at=YESTERDAY)

    assert the_only(alice.user).accounts[0].proven_at == YESTERDAY


def test_a_proof_from_before_it_became_an_owner_counts(alice):
    open_proven(alice.credential, alice.safe)

    passkey = the_only(alice.user)

    assert passkey.accounts[0].proven_at == YESTERDAY
    assert passkey.other_proofs == []


def test_a_proof_for_another_account_proves_nothing_here(alice):
    other = make_wallet()
    proof = open_proven(alice.credential, other.safe)

    passkey = the_only(alice.user)

    assert passkey.accounts[0].proven_at is None
    assert passkey.other_proofs == [proof]


def test_a_proof_as_guardian_proves_no_owner(alice):
    proof = open_proven(alice.credential, alice.safe, KeyProof.Role.GUARDIAN)

    passkey = the_only(alice.user)

    assert passkey.accounts[0].proven_at is None
    assert passkey.other_proofs == [proof]


def test_a_proof_of_another_passkey_proves_nothing_of_this_one(alice):
    second = make_credential(user=alice.user)
    open_proven(second, alice.safe)

    first, other = listed(alice.user).passkeys

    assert first.accounts[0].proven_at is None
    assert len(other.other_proofs) == 1


@pytest.mark.parametrize(
    "status", [status for status in KeyProof.Status if status != "proven"]
)
def test_an_unfinished_or_refused_proof_proves_nothing(status, alice):
    proof = open_proven(alice.credential, alice.safe)
    KeyProof.objects.filter(pk=proof.pk).update(status=status)

    passkey = the_only(alice.user)

    assert passkey.accounts[0].proven_at is None
    assert passkey.other_proofs == []


def test_a_role_that_was_proven_twice_is_told_once(alice):
    first = open_proven(alice.credential, alice.safe, KeyProof.Role.GUARDIAN)
    open_proven(alice.credential, alice.safe, KeyProof.Role.GUARDIAN)

    assert KeyProof.objects.count() == 2
    assert the_only(alice.user).other_proofs == [first]


# --- Removed ---------------------------------------------------------------------------


def test_a_removed_passkey_that_still_owns_is_told_apart(alice):
    second = make_credential(user=alice.user)
    change(alice.credential, removed_at=YESTERDAY)

    found = listed(alice.user)

    assert [row.credential for row in found.passkeys] == [second]
    assert [row.credential for row in found.removed] == [alice.credential]
    assert [row.safe for row in found.removed[0].accounts] == [alice.safe]


def test_a_removed_passkey_that_owns_nothing_is_not_told_of(alice):
    second = make_credential(user=alice.user)
    change(second, removed_at=YESTERDAY)

    assert listed(alice.user).removed == []
    assert listed(alice.user).is_single


@pytest.mark.parametrize(
    ("role", "is_told"),
    [(KeyProof.Role.GUARDIAN, True), (KeyProof.Role.OWNER, False)],
)
def test_a_removed_passkey_is_told_of_while_it_guards_an_account(role, is_told, alice):
    """A proof to become an owner is no owner yet; a guardian's proof is all there is."""
    second = make_credential(user=alice.user)
    open_proven(second, make_wallet().safe, role)
    change(second, removed_at=YESTERDAY)

    found = [row.credential for row in listed(alice.user).removed]

    assert found == ([second] if is_told else [])


def test_two_passkeys_are_not_one_way_in(alice):
    make_credential(user=alice.user)

    assert not listed(alice.user).is_single


# --- From another device ---------------------------------------------------------------


def make_session(user: User, *, is_cross_device: bool = True) -> uuid.UUID:
    session = Session.objects.create(
        key_hash=uuid.uuid4().bytes * 2,
        user=user,
        is_cross_device=is_cross_device,
        signed_in_at=timezone.now(),
        expires_at=timezone.now() + timedelta(hours=1),
    )
    return session.pk


def test_this_device_is_missing_until_a_passkey_was_made_since(alice):
    session = make_session(alice.user)

    assert passkey_list.lacks_this_device(user=alice.user, session=session)
    make_credential(user=alice.user)
    assert not passkey_list.lacks_this_device(user=alice.user, session=session)


def test_who_came_with_this_devices_own_passkey_lacks_none(alice):
    session = make_session(alice.user, is_cross_device=False)

    assert not passkey_list.lacks_this_device(user=alice.user, session=session)


def test_a_session_that_is_gone_or_somebody_elses_says_nothing(alice):
    theirs = make_session(make_wallet().user)

    for session in (None, uuid.uuid4(), theirs):
        assert not passkey_list.lacks_this_device(user=alice.user, session=session)


def test_an_operator_is_offered_no_device():
    operator = make_operator()

    session = make_session(operator)

    assert not passkey_list.lacks_this_device(user=operator, session=session)


# --- Technical details -----------------------------------------------------------------


def test_the_signer_is_the_one_the_account_names(alice):
    (signer,) = the_only(alice.user).signers

    assert signer.chain == the_chain()
    assert signer.address_text == alice.owner.address_text


def test_a_passkey_without_an_account_has_its_signer_too(alice):
    second = make_credential(user=alice.user)
    expected = signer_address(
        public_key=public_key_of(second),
        proxy_code=bytes(the_chain().signer_proxy_code),
    )

    assert listed(alice.user).passkeys[1].signers[0].address_text == checksum_address(
        expected
    )


def test_a_chain_that_was_never_verified_has_no_signer(alice):
    chain = the_chain()
    chain.signer_proxy_code = None
    chain.save(update_fields=["signer_proxy_code"])

    assert the_only(alice.user).signers == []


@pytest.mark.parametrize(
    ("flags", "codes"),
    [
        (UP | UV, ["UP", "UV"]),
        (UP | UV | BE | BS, ["UP", "UV", "BE", "BS"]),
        (UP | UV | 0x40 | 0x80, ["UP", "UV", "AT", "ED"]),
        (0x02 | 0x20, []),  # the two reserved bits say nothing
    ],
)
def test_the_flags_are_told_by_name(flags, codes, alice):
    change(alice.credential, flags=flags)

    found = the_only(alice.user).flags

    assert [flag.code for flag in found if flag.is_set] == codes
    assert [flag.code for flag in found] == ["UP", "UV", "BE", "BS", "AT", "ED"]


def test_before_the_first_answer_that_was_kept_there_are_no_flags(alice):
    change(alice.credential, flags=None)

    assert the_only(alice.user).flags == []


def test_transports_are_told_in_words(alice):
    change(alice.credential, transports=["hybrid", "internal", "telepathy"])

    assert the_only(alice.user).reached == [
        "by QR code",
        "on its device",
        "telepathy",
    ]


def test_every_transport_that_is_stored_has_words():
    every = SoftAuthenticator(
        transports=["ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"]
    )
    credential = make_credential(every)

    words = the_only(credential.user).reached

    assert not set(words) & set(every.transports)


# --- What it costs ---------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 10])
def test_the_list_costs_four_queries_however_long(
    count, alice, django_assert_num_queries
):
    for _number in range(count):
        credential = make_credential(user=alice.user)
        safe = safes.open_safe(
            user=alice.user, credential=credential, chain=the_chain()
        )
        open_proven(credential, safe)
        open_proven(credential, alice.safe, KeyProof.Role.GUARDIAN)

    with django_assert_num_queries(4):
        found = listed(alice.user)
        told = [
            (account.safe.chain.name, proof.safe.chain.name, row.signers)
            for row in found.passkeys
            for account in row.accounts
            for proof in row.other_proofs
        ]

    assert len(told) == count
