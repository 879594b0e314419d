"""Accounts: opening one, asking for its deployment and its balance."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Credential, User
from onchain.clients.node import Node
from onchain.errors import IdempotencyConflict, TooManyAccounts
from onchain.models import Chain, Owner, Safe
from onchain.models.owner import public_key_of
from onchain.protocol.deployments import SHARED_SIGNER, VERIFIERS
from onchain.protocol.safe import account_address, direct_setup, shared_setup
from onchain.protocol.types import Address
from onchain.services.network_quotas import network_hash
from onchain.services.signers import signer_of

logger = logging.getLogger(__name__)

MAX_ACCOUNTS = 50  # that one person opens; each may cost the operator its deployment
BALANCE_REQUEST_SECONDS = 5  # a viewed account asks for its balance this often at most


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """What a person asks for when they open an account."""

    name: str
    layout: Safe.Layout = Safe.Layout.DIRECT
    key: uuid.UUID | None = None  # of the form, so that one form makes one account
    network: str | None = None  # where the person came from; None: without a quota


def open_safe(
    *, user: User, credential: Credential, chain: Chain, network: str | None = None
) -> Safe:
    """Create the rows of a passkey's first account, in the direct layout.

    The address is final: it follows from the passkey alone. Where the chain deploys
    eagerly, deployment is asked for at once. ``network`` is where the person came
    from, an address or a network in CIDR form; None leaves it without a quota.
    """
    name = f"Account {user.safes.count() + 1}"
    wanted = NewAccount(name=name, network=network)
    return _create(user, credential, chain, wanted, salt_nonce=0)


def open_first(
    *, user: User, credential: Credential, chain: Chain, network: str
) -> Safe:
    """Open the first account of a person who came with a passkey only (R63).

    Safe to repeat: whoever has opened an account gets the oldest that they still see.
    """
    with transaction.atomic():
        # One at a time for each person: two presses of the button open one account.
        User.objects.select_for_update().get(pk=user.pk)
        own = Safe.objects.visible_to(user).filter(created_by=user)
        before = own.select_related("chain").order_by("pk").first()
        if before is not None:
            return before
        wanted = NewAccount(name="Account 1", network=network)
        # The number of a first account may be taken: by one whose key was replaced.
        salt = _free_salt(credential, chain, wanted.layout)
        return _create(user, credential, chain, wanted, salt_nonce=salt)


def open_another(
    *, user: User, credential: Credential, chain: Chain, wanted: NewAccount
) -> Safe:
    """Create the rows of one more account of a passkey; the same key makes one only.

    Its salt is the first number that makes an address not known here. In the shared
    layout it waits for its own first operation; in the direct one it is deployed like
    the first.

    Raises:
        IdempotencyConflict: the key was used for another account.
        TooManyAccounts: the person has as many as one may open.
    """
    with transaction.atomic():
        # One at a time for each person, so that two parallel asks find two numbers.
        User.objects.select_for_update().get(pk=user.pk)
        before = Safe.objects.filter(creation_key=wanted.key).first()
        if before is None or wanted.key is None:
            if user.safes.count() >= MAX_ACCOUNTS:
                raise TooManyAccounts(f"You have {MAX_ACCOUNTS} accounts: the most.")
            salt = _free_salt(credential, chain, wanted.layout)
            return _create(user, credential, chain, wanted, salt_nonce=salt)
    is_same = (before.name, before.layout) == (wanted.name, wanted.layout)
    owned = before.owners.filter(credential=credential)
    if before.created_by_id != user.pk or not is_same or not owned.exists():
        raise IdempotencyConflict("This form was already used for another account.")
    return before


def _free_salt(credential: Credential, chain: Chain, layout: Safe.Layout) -> int:
    _owner, setup = _beginning(credential, chain, layout)
    known = Safe.objects.filter(chain=chain)
    for salt in count():
        address = account_address(setup=setup, salt_nonce=salt)
        if not known.filter(address=address).exists():
            return salt
    raise AssertionError("there is always one more number")


def _beginning(
    credential: Credential, chain: Chain, layout: Safe.Layout
) -> tuple[Address, bytes]:
    """Return the first owner of a passkey's account, and the account's set-up."""
    public_key = public_key_of(credential)
    if layout == Safe.Layout.SHARED:
        return SHARED_SIGNER, shared_setup(public_key=public_key)
    signer = signer_of(public_key=public_key, chain=chain)
    return signer, direct_setup(owners=[signer], threshold=1)


def _create(
    user: User,
    credential: Credential,
    chain: Chain,
    wanted: NewAccount,
    *,
    salt_nonce: int,
) -> Safe:
    owner, setup = _beginning(credential, chain, wanted.layout)
    is_direct = wanted.layout == Safe.Layout.DIRECT
    is_eager = is_direct and settings.DEPLOYMENT_POLICY == "eager"
    safe = Safe.objects.create(
        chain=chain,
        created_by=user,
        name=wanted.name,
        address=account_address(setup=setup, salt_nonce=salt_nonce),
        layout=wanted.layout,
        salt_nonce=salt_nonce,
        verifiers=VERIFIERS,
        setup_data=setup,
        creation_key=wanted.key,
        threshold=1,
        deployment_requested_at=timezone.now() if is_eager else None,
        network_hash=None if wanted.network is None else network_hash(wanted.network),
    )
    Owner.objects.create(
        safe=safe,
        credential=credential,
        kind=Owner.Kind.PASSKEY,
        address=owner,
        position=0,
    )
    logger.info("safe %s opened", safe.pk)
    return safe


def is_worth_deploying(safe: Safe) -> bool:
    """Whether the account holds enough to be put on chain at the operator's cost.

    The floor keeps strangers from spending the relayer's gas for nothing (R68).
    """
    return safe.balance_wei >= settings.DEPLOYMENT_FLOOR_WEI


def request_deployment(*, safe: Safe) -> None:
    """Ask for deployment of an account that waits on demand."""
    asked = {"layout": Safe.Layout.DIRECT, "deployment_requested_at__isnull": True}
    Safe.objects.filter(pk=safe.pk, **asked).update(
        deployment_requested_at=timezone.now()
    )


def look_again(*, safe: Safe, block_number: int) -> None:
    """Let the relayer look at an account that somebody else put on chain.

    Whatever its balance, and also where deploying it was given up: it is live as soon
    as its signers are there too.
    """
    Safe.objects.filter(pk=safe.pk).update(noticed_block=block_number)
    request_deployment(safe=safe)
    nudge_again(safe=safe)


def request_funded_deployments(*, chain: Chain) -> None:
    """Ask for deployment of waiting accounts that received a first deposit (R68)."""
    Safe.objects.filter(
        chain=chain,
        layout=Safe.Layout.DIRECT,
        status=Safe.Status.QUEUED,
        deployment_requested_at__isnull=True,
        balance_wei__gte=settings.DEPLOYMENT_FLOOR_WEI,
    ).update(deployment_requested_at=timezone.now())


def queue_place(*, safe: Safe) -> int | None:
    """Return the account's place in the deployment queue from 1, None outside it."""
    if safe.status != Safe.Status.QUEUED or safe.deployment_requested_at is None:
        return None
    asked = safe.deployment_requested_at
    before = Q(deployment_requested_at__lt=asked) | Q(
        deployment_requested_at=asked, pk__lt=safe.pk
    )
    waiting = Safe.objects.awaiting_deployment().filter(chain_id=safe.chain_id)
    return waiting.filter(before).count() + 1


def claim_balance_request(*, safe: Safe) -> bool:
    """Note that a viewed account wants its balance; False if it was asked just now."""
    now = timezone.now()
    stale = now - timedelta(seconds=BALANCE_REQUEST_SECONDS)
    due = Q(balance_requested_at__isnull=True) | Q(balance_requested_at__lt=stale)
    return Safe.objects.filter(due, pk=safe.pk).update(balance_requested_at=now) == 1


def refresh_balance(*, safe: Safe, node: Node) -> None:
    """Write the balance the chain has now.

    Raises:
        TransientClientError: the node is out of reach; the row is unchanged.
    """
    (balance,) = node.balances([safe.address])
    Safe.objects.filter(pk=safe.pk).update(
        balance_wei=balance, synced_at_block=safe.chain.head_number
    )


def nudge_again(*, safe: Safe) -> bool:
    """Put an account whose deployment was given up back into the queue."""
    return Safe.objects.transition(
        safe.pk,
        source=Safe.Status.FAILED,
        target=Safe.Status.QUEUED,
        failure_code="",
        failure_detail="",
        deployment_attempts=0,
        deployment_requested_at=timezone.now(),
    )
