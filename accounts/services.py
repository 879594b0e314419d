"""Registering a person and signing one in: what becomes true when a ceremony holds."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from accounts import attestation_policy, ceremonies, security_events, webauthn
from accounts.authenticator_data import BACKUP_ELIGIBLE
from accounts.errors import CeremonyFailed, CounterWentBack
from accounts.models import Ceremony, Credential, SecurityEvent, User
from accounts.providers import provider_name
from accounts.responses import OF_ANOTHER_DEVICE, OF_THIS_DEVICE
from accounts.webauthn import CredentialRecord, VerifiedAssertion, VerifiedRegistration

logger = logging.getLogger(__name__)

# Stands in for a passkey that nobody has, so that an unknown one costs the same work
# and gets the same answer as a wrong signature (R10). The key is the base point of
# P-256 (SEC 2, section 2.4.2); what it signs is refused as well.
DECOY = CredentialRecord(
    credential_id=b"",
    public_key_x=bytes.fromhex(
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    ),
    public_key_y=bytes.fromhex(
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    ),
    user_handle=bytes(64),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A new person with a first passkey, and where to go next: empty, nowhere."""

    user: User
    credential: Credential
    url: str
    is_this_device: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Whose passkey answered, and on which device, as far as the browser says that."""

    user: User
    credential: Credential
    is_cross_device: bool
    is_this_device: bool


def register(
    *,
    response: str,
    session_key: str | None,
    network: str,
    is_passkey_only: bool = False,
) -> Registered:
    """Make a person with one passkey, and what the registration hook opens for them.

    ``network`` is where they came from, as ``client_network`` says it; only the hook
    uses it. Who was invited somewhere gets a passkey only, and nothing is opened (R63).

    All of it in one transaction. The challenge is taken first, so repeating the call
    changes nothing.

    Raises:
        CeremonyFailed: nothing was made; the challenge is used if it was ours.
    """
    ceremony = ceremonies.take(
        response=response,
        purpose=Ceremony.Purpose.REGISTRATION,
        session_key=session_key,
    )
    verified = verify_registration(response=response, ceremony=ceremony)
    open_wallet = import_string(settings.REGISTRATION_HOOK)
    with transaction.atomic():
        try:
            with transaction.atomic():
                user = User.objects.create_person(user_handle=ceremony.new_user_handle)
                credential = add_credential(user=user, verified=verified)
        except IntegrityError as error:
            # The same words as for a wrong signature: that a passkey is known here is
            # nobody's business (R10).
            raise CeremonyFailed from error
        url = ""
        if not is_passkey_only:
            url = open_wallet(user=user, credential=credential, network=network)
    logger.info("user %s registered with credential %s", user.pk, credential.pk)
    return Registered(
        user=user,
        credential=credential,
        url=url,
        is_this_device=verified.attachment == OF_THIS_DEVICE,
    )


def authenticate(
    *, response: str, session_key: str | None, user: User | None
) -> SignedIn:
    """Return whose passkey answered; the caller signs them in.

    ``user`` is who was signed in already, if anybody. The challenge is taken first, so
    repeating the call changes nothing.

    Raises:
        CeremonyFailed: nobody is signed in; only the challenge is used up.
    """
    ceremony = ceremonies.take(
        response=response,
        purpose=Ceremony.Purpose.AUTHENTICATION,
        session_key=session_key,
        user=user,
    )
    credential_id = webauthn.credential_id_of(response)
    credential = (
        Credential.objects.usable()
        .select_related("user")
        .filter(credential_id=credential_id)
        .first()
    )
    if credential is None:
        record = replace(DECOY, credential_id=credential_id)
    else:
        record = record_of(credential)
    verified = webauthn.verify_assertion(
        response=response,
        expected_challenge=ceremony.challenge,
        credential=record,
        rp_id=settings.WEBAUTHN_RP_ID,
        origin=settings.WEBAUTHN_ORIGIN,
        is_discovered=True,
    )
    if credential is None:
        raise CeremonyFailed
    if not record_use(credential=credential, verified=verified):
        raise CounterWentBack
    logger.info("user %s signed in", credential.user.pk)
    return SignedIn(
        user=credential.user,
        credential=credential,
        is_cross_device=verified.attachment == OF_ANOTHER_DEVICE,
        is_this_device=verified.attachment == OF_THIS_DEVICE,
    )


def verify_registration(*, response: str, ceremony: Ceremony) -> VerifiedRegistration:
    """Return the new passkey that answers a ceremony of this site.

    Raises:
        CeremonyFailed: it does not, or the operator does not take its provider.
    """
    verified = webauthn.verify_registration(
        response=response,
        expected_challenge=ceremony.challenge,
        rp_id=settings.WEBAUTHN_RP_ID,
        origin=settings.WEBAUTHN_ORIGIN,
    )
    attestation_policy.check(verified.aaguid)
    return verified


def add_credential(*, user: User, verified: VerifiedRegistration) -> Credential:
    """Store a verified passkey for a user.

    Raises:
        IntegrityError: its id or its public key is known already (R7).
    """
    return Credential.objects.create(
        user=user,
        credential_id=verified.credential_id,
        public_key_x=verified.public_key_x,
        public_key_y=verified.public_key_y,
        aaguid=verified.aaguid,
        transports=verified.transports,
        backup_eligible=verified.backup_eligible,
        backup_state=verified.backup_state,
        sign_count=verified.sign_count,
        flags=verified.flags,
    )


def record_of(credential: Credential) -> CredentialRecord:
    """Return what verification needs to know of a stored passkey."""
    return CredentialRecord(
        credential_id=credential.credential_id,
        public_key_x=credential.public_key_x,
        public_key_y=credential.public_key_y,
        user_handle=credential.user.user_handle,
    )


def record_use(*, credential: Credential, verified: VerifiedAssertion) -> bool:
    """Store what an assertion says of its passkey; False: its counter went back.

    One conditional UPDATE, so two answers at once cannot both be the older one (R9). A
    synced passkey may keep a counter per device, which only deserves a warning. After
    False the row is unchanged: a sign-in is refused then, an authorisation is not.
    What its person should know is noted in the same transaction.
    """
    row = Credential.objects.filter(pk=credential.pk)
    if not credential.backup_eligible:
        row = row.filter(sign_count__lte=verified.sign_count)
    with transaction.atomic():
        is_recorded = bool(
            row.update(
                sign_count=verified.sign_count,
                backup_state=verified.backup_state,
                flags=verified.flags,
                transports=_transports(credential, verified),
                last_used_at=Now(),
            )
        )
        if not is_recorded or verified.sign_count < credential.sign_count:
            _note_counter(credential, verified)
        if verified.backup_eligible != credential.backup_eligible:
            _note_eligibility(credential, verified)
    return is_recorded


def _transports(credential: Credential, verified: VerifiedAssertion) -> list[str]:
    """Return the passkey's transports, with ``hybrid`` once it answered by QR code.

    Many providers report only ``internal`` when they make one. A later request that
    names it would then be kept from the phone that it is on.
    """
    known: list[str] = credential.transports
    if known == ["internal"] and verified.attachment == OF_ANOTHER_DEVICE:
        return ["hybrid", "internal"]
    return known


def _note_counter(credential: Credential, verified: VerifiedAssertion) -> None:
    """Tell of a counter that went back; of a synced passkey's once a day at most."""
    logger.warning("counter of credential %s went back", credential.pk)
    kind = SecurityEvent.Kind.COUNTER_WENT_BACK
    advice = "It is a synced passkey, whose devices may count apart."
    if not credential.backup_eligible:
        advice = "It is bound to one device: a copy of it may exist."
    elif credential.user.security_events.filter(
        kind=kind,
        detail__startswith=f"{_name_of(credential)}: ",
        created_at__gt=Now() - timedelta(days=1),
    ).exists():
        return
    security_events.note(
        user=credential.user,
        kind=kind,
        detail=f"{_name_of(credential)}: from {credential.sign_count} to "
        f"{verified.sign_count}. {advice}",
    )


def _note_eligibility(credential: Credential, verified: VerifiedAssertion) -> None:
    """Section 7.2, step 19: BE never changes in a passkey's life. Told once."""
    logger.warning("credential %s changed backup eligibility", credential.pk)
    flags = credential.flags
    if flags is not None and bool(flags & BACKUP_ELIGIBLE) == verified.backup_eligible:
        return  # as the last time, when it was told
    now = "can be synced" if verified.backup_eligible else "cannot be synced"
    security_events.note(
        user=credential.user,
        kind=SecurityEvent.Kind.ELIGIBILITY_CHANGED,
        detail=f"{_name_of(credential)} now says that it {now}.",
    )


def _name_of(credential: Credential) -> str:
    return credential.name or provider_name(credential.aaguid)
