"""The export rebuilds the accounts from the file alone, and says nothing it should not.

C-25 and C-27: public keys, ids and setup are enough. I-18: there is no private key.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import Credential
from accounts.strict_json import encode_base64url
from onchain.models import Chain, Owner, Safe
from onchain.models.owner import public_key_of
from onchain.protocol.abi import create2_address, encode, keccak
from onchain.protocol.deployments import CONTRACTS, VERIFIERS
from onchain.protocol.safe import account_address, shared_setup, signer_address
from onchain.protocol.types import (
    Address,
    PublicKey,
    checksum_address,
    parse_hex,
    to_address,
    to_bytes32,
)
from onchain.services import export
from tests.factories import Wallet, make_credential, make_wallet, the_chain

pytestmark = pytest.mark.django_db

WALLET_ADDRESS = Address(b"\xc0" * 20)
SALT_NONCE = 2**255 + 1  # no JSON number keeps it


@pytest.fixture
def alice() -> Wallet:
    return make_wallet()


def exported(wallet: Wallet) -> dict[str, Any]:
    """Return what a reader finds in the file: text in, members out."""
    content = export.of_person(user=wallet.user, now=timezone.now())
    return json.loads(json.dumps(content))


def add_owner(safe: Safe, **fields: Any) -> Owner:
    return Owner.objects.create(safe=safe, position=safe.owners.count(), **fields)


def add_passkey_owner(safe: Safe, credential: Credential) -> Owner:
    signer = signer_address(
        public_key=public_key_of(credential),
        proxy_code=bytes(the_chain().signer_proxy_code),
    )
    return add_owner(safe, credential=credential, address=signer)


def make_shared(wallet: Wallet, extra: list[Address]) -> Safe:
    """Return an account in the shared layout with a salt nonce of its own."""
    setup = shared_setup(
        public_key=public_key_of(wallet.credential), extra_owners=extra, threshold=2
    )
    safe = Safe.objects.create(
        chain=the_chain(),
        created_by=wallet.user,
        name="Shared",
        layout=Safe.Layout.SHARED,
        address=account_address(setup=setup, salt_nonce=SALT_NONCE),
        salt_nonce=SALT_NONCE,
        verifiers=VERIFIERS,
        setup_data=setup,
        threshold=2,
    )
    shared_signer = contract_of(exported(wallet), "SafeWebAuthnSharedSigner")
    add_owner(safe, credential=wallet.credential, address=shared_signer)
    for address in extra:
        add_owner(safe, kind=Owner.Kind.WALLET, address=address)
    return safe


def chain_of(file: dict[str, Any]) -> dict[str, Any]:
    (chain,) = file["chains"]
    return chain


def contract_of(file: dict[str, Any], name: str) -> Address:
    (found,) = [each for each in chain_of(file)["contracts"] if each["name"] == name]
    return to_address(found["address"])


def rebuilt_account(account: dict[str, Any]) -> str:
    """Return an account's address from its entry, with this site's own protocol."""
    address = account_address(
        setup=parse_hex(account["setupData"]), salt_nonce=int(account["saltNonce"])
    )
    return checksum_address(address)


def rebuilt_signer(
    file: dict[str, Any], entry: dict[str, str], verifiers: str = ""
) -> str:
    """Return a passkey's signer address from its entry and its chain's."""
    chain = chain_of(file)
    address = signer_address(
        public_key=PublicKey(x=int(entry["x"], 16), y=int(entry["y"], 16)),
        proxy_code=parse_hex(chain["signerProxyCreationCode"]),
        verifiers=int(verifiers or chain["verifiers"]),
    )
    return checksum_address(address)


# --- It rebuilds -----------------------------------------------------------------------


def test_every_account_and_signer_is_rebuilt_from_the_file_alone(alice):
    bob = make_wallet()
    add_passkey_owner(alice.safe, bob.credential)
    add_owner(alice.safe, kind=Owner.Kind.WALLET, address=WALLET_ADDRESS)
    make_shared(alice, [WALLET_ADDRESS])

    file = exported(alice)

    assert [entry["layout"] for entry in file["accounts"]] == ["direct", "shared"]
    stored = [safe.address_text for safe in Safe.objects.visible_to(alice.user)]
    assert [rebuilt_account(entry) for entry in file["accounts"]] == stored
    direct, shared = file["accounts"]
    for owner in direct["owners"][:2]:
        assert rebuilt_signer(file, owner, direct["verifiers"]) == owner["address"]
        assert owner["signerAddress"] == owner["address"]
    shared_signer = checksum_address(contract_of(file, "SafeWebAuthnSharedSigner"))
    assert shared["owners"][0]["address"] == shared_signer
    assert shared["owners"][0]["signerAddress"] == direct["owners"][0]["address"]


def test_the_recipes_in_the_file_are_the_ones_that_rebuild(alice):
    """By hand, as a stranger would with nothing but the file and a CREATE2."""
    file = exported(alice)
    chain, account = chain_of(file), file["accounts"][0]
    owner = account["owners"][0]
    salt = keccak(
        keccak(parse_hex(account["setupData"]))
        + int(account["saltNonce"]).to_bytes(32, "big")
    )
    arguments = encode(
        ("address", "uint256", "uint256", "uint176"),
        (
            contract_of(file, "SafeWebAuthnSignerSingleton"),
            int(owner["x"], 16),
            int(owner["y"], 16),
            int(account["verifiers"]),
        ),
    )

    rebuilt = create2_address(
        deployer=contract_of(file, "SafeProxyFactory"),
        salt=salt,
        init_code_hash=to_bytes32(chain["safeProxyInitCodeHash"]),
    )
    signer = create2_address(
        deployer=contract_of(file, "SafeWebAuthnSignerFactory"),
        salt=bytes(32),
        init_code_hash=keccak(parse_hex(chain["signerProxyCreationCode"]) + arguments),
    )

    assert checksum_address(rebuilt) == account["address"] == alice.safe.address_text
    assert checksum_address(signer) == owner["address"] == alice.owner.address_text


def test_a_passkey_that_owns_nothing_has_its_signer_in_the_file_too(alice):
    second = make_credential(user=alice.user)

    file = exported(alice)

    expected = signer_address(
        public_key=public_key_of(second),
        proxy_code=bytes(the_chain().signer_proxy_code),
    )
    assert rebuilt_signer(file, file["passkeys"][1]) == checksum_address(expected)


# --- What stands in it -----------------------------------------------------------------


def test_the_file_says_what_it_is_and_why_no_private_key_is_in_it(alice):
    now = timezone.now()

    file = export.of_person(user=alice.user, now=now)

    assert (file["format"], file["version"]) == ("latchkey-export", 1)
    assert file["rpId"] == settings.WEBAUTHN_RP_ID
    assert file["origin"] == settings.WEBAUTHN_ORIGIN
    assert file["created"] == now.isoformat(timespec="seconds")
    assert "No private key is in this file" in file["notice"]


def test_every_contract_stands_there_with_version_and_code_hash(alice):
    found = chain_of(exported(alice))["contracts"]

    assert [(each["name"], each["version"]) for each in found] == [
        (contract.name, contract.version) for contract in CONTRACTS
    ]
    assert [
        (to_address(each["address"]), to_bytes32(each["codeHash"])) for each in found
    ] == [(contract.address, contract.code_hash) for contract in CONTRACTS]


def test_an_account_stands_there_as_its_row_has_it(alice):
    Safe.objects.update(deployed_block=77)

    (account,) = exported(alice)["accounts"]

    assert account["chainId"] == the_chain().chain_id
    assert account["name"] == alice.safe.name
    assert account["threshold"] == 1
    assert account["isDeployed"] is True
    assert account["deployedBlock"] == 77
    assert account["owners"][0]["credentialId"] == encode_base64url(
        alice.credential.credential_id
    )


def test_an_account_that_waits_for_its_deployment_says_so(alice):
    Safe.objects.update(status=Safe.Status.QUEUED, deployed_block=None)

    (account,) = exported(alice)["accounts"]

    assert (account["isDeployed"], account["deployedBlock"]) == (False, None)


def test_a_passkey_stands_there_as_its_row_has_it(alice):
    (passkey,) = exported(alice)["passkeys"]

    assert passkey == {
        "credentialId": encode_base64url(alice.passkey.credential_id),
        "x": f"0x{alice.passkey.x.hex()}",
        "y": f"0x{alice.passkey.y.hex()}",
        "name": "",
        "aaguid": str(alice.credential.aaguid),
        "transports": alice.passkey.transports,
        "created": alice.credential.created_at.isoformat(timespec="seconds"),
        "isRemoved": False,
    }


def test_a_removed_passkey_that_an_account_still_names_is_there(alice):
    make_credential(user=alice.user)
    Credential.objects.filter(pk=alice.credential.pk).update(removed_at=timezone.now())

    file = exported(alice)

    assert [each["isRemoved"] for each in file["passkeys"]] == [True, False]
    assert [account["address"] for account in file["accounts"]] == [
        alice.safe.address_text
    ]


def test_an_owner_that_was_removed_on_chain_is_marked(alice):
    add_owner(
        alice.safe, kind=Owner.Kind.WALLET, address=WALLET_ADDRESS, is_current=False
    )

    owners = exported(alice)["accounts"][0]["owners"]

    assert [owner["isCurrent"] for owner in owners] == [True, False]


def test_a_person_without_an_account_exports_their_passkeys():
    the_chain()
    credential = make_credential()

    file = export.of_person(user=credential.user, now=timezone.now())

    assert file["accounts"] == []
    assert len(file["passkeys"]) == len(file["chains"]) == 1


# --- What does not ---------------------------------------------------------------------


def test_nothing_of_a_stranger_is_in_it(alice):
    bob = make_wallet()

    text = json.dumps(exported(alice))

    assert bob.safe.address_text not in text
    assert bob.passkey.x.hex() not in text
    assert encode_base64url(bob.passkey.credential_id) not in text


def test_of_a_co_owner_only_what_the_chain_shows_is_in_it(alice):
    """Their public key is on chain; their name and their credential id are not."""
    bob = make_wallet()
    Credential.objects.filter(pk=bob.credential.pk).update(name="Bob's own phone")
    bob.credential.refresh_from_db()
    add_passkey_owner(alice.safe, bob.credential)

    file = exported(alice)

    owner = file["accounts"][0]["owners"][1]
    assert owner.keys() == {"address", "kind", "isCurrent", "x", "y", "signerAddress"}
    assert owner["x"] == f"0x{bob.passkey.x.hex()}"
    text = json.dumps(file)
    assert bob.user.name not in text
    assert "own phone" not in text
    assert encode_base64url(bob.passkey.credential_id) not in text


def test_an_account_that_a_person_no_longer_owns_is_not_theirs_to_export(alice):
    Owner.objects.update(is_current=False)

    assert exported(alice)["accounts"] == []


def test_no_secret_of_the_person_is_in_it(alice):
    text = json.dumps(exported(alice)).lower()

    private = alice.passkey.private_key.private_numbers().private_value
    for secret in (f"{private:064x}", str(private), alice.user.user_handle.hex()):
        assert secret not in text


# --- Every reader gets the same numbers ------------------------------------------------


def integers_in(value: object) -> list[int]:
    if isinstance(value, dict):
        return [found for each in value.values() for found in integers_in(each)]
    if isinstance(value, list):
        return [found for each in value for found in integers_in(each)]
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    return [value] if is_integer else []


def test_what_a_json_reader_would_round_is_decimal_text(alice):
    make_shared(alice, [WALLET_ADDRESS])
    Chain.objects.update(chain_id=2**53)
    Safe.objects.update(deployed_block=2**53 - 1)

    file = exported(alice)

    account = file["accounts"][1]
    assert account["saltNonce"] == str(SALT_NONCE)
    assert account["verifiers"] == chain_of(file)["verifiers"] == str(VERIFIERS)
    assert account["chainId"] == chain_of(file)["chainId"] == str(2**53)
    assert account["deployedBlock"] == 2**53 - 1
    assert max(integers_in(file)) == 2**53 - 1


# --- What it costs ---------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 10])
def test_the_file_costs_four_queries_however_much_is_in_it(
    count, alice, django_assert_num_queries
):
    for _number in range(count):
        make_wallet(user=alice.user)

    with django_assert_num_queries(4):
        file = export.of_person(user=alice.user, now=timezone.now())

    assert len(file["accounts"]) == count + 1
