"""R1: how many answers the tables of forgeries and variants hold, counted honestly."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.accounts import forgeries, variants
from tests.soft_authenticator import SoftAuthenticator, base64url

FORGED = (
    forgeries.CLIENT_DATA,
    forgeries.ENVELOPE,
    forgeries.REGISTRATION,
    forgeries.ASSERTION,
)
PRIVATE_KEY = 2
VALID = (variants.BOTH, variants.REGISTRATION, variants.ASSERTION, variants.PASSKEYS)


def names(tables):
    return [name for table in tables for name in table]


@pytest.mark.parametrize(
    ("tables", "least"), [(FORGED, 150), (VALID, 40)], ids=["forged", "valid"]
)
def test_the_tables_hold_enough_answers_each_under_its_own_name(tables, least):
    plain = [" ".join(name.lower().split()) for name in names(tables)]

    assert len(set(plain)) == len(plain) >= least


def made(kind, make):
    """Return the text that is posted: the same for the same passkey and options."""
    # With this key the plain signature has 71 bytes, so that others stand out.
    key = ec.derive_private_key(PRIVATE_KEY, ec.SECP256R1())
    passkey = SoftAuthenticator(credential_id=b"\x09" * 32, private_key=key)
    options = {
        "challenge": base64url(bytes(range(64))),
        "user": {"id": base64url(b"\x05" * 64)},
    }
    passkey.user_handle = b"\x05" * 64
    answer = make(passkey, options, kind)
    return answer if isinstance(answer, str) else json.dumps(answer)


@pytest.mark.parametrize("kind", ["registration", "authentication"])
def test_no_two_answers_are_the_same(kind):
    is_registration = kind == "registration"
    own = forgeries.REGISTRATION if is_registration else forgeries.ASSERTION
    own_valid = variants.REGISTRATION if is_registration else variants.ASSERTION
    tables = (forgeries.CLIENT_DATA, forgeries.ENVELOPE, own, variants.BOTH, own_valid)

    texts: dict[str, str] = {}
    twins = []
    for table in tables:
        for name, make in table.items():
            first = texts.setdefault(made(kind, make), name)
            if first != name:
                twins.append((first, name))

    assert twins == []


def test_the_passkeys_differ():
    plain = SoftAuthenticator(credential_id=b"", private_key=variants.with_small("x"))
    texts = {str({**vars(plain), **each}) for each in variants.PASSKEYS.values()}

    assert len(texts) == len(variants.PASSKEYS)
