"""How many accounts of one network are put on chain in a day (security.md R68).

A network is a /24 of IPv4 or a /48 of IPv6. It is kept as a keyed hash, and for two
days only: long enough to hold a flood back, not to say where somebody lives.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from onchain.errors import QuotaTaken
from onchain.models import Chain, NetworkQuota, Safe
from onchain.protocol.types import Bytes32
from onchain.services.budgets import today

PREFIXES = {4: 24, 6: 48}  # bits that tell one network from another, by IP version
KEEP_DAYS = 2
SALT = "onchain.services.network_quotas"


def network_hash(network: str) -> Bytes32:
    """Return 32 bytes that stand for the network of an address or smaller network.

    Whoever has no address (a Unix socket that nobody vouches for) shares one.
    """
    try:
        inner = ipaddress.ip_network(network)
        outer = ipaddress.ip_network(
            (inner.network_address, PREFIXES[inner.version]), strict=False
        )
        name = str(outer)
    except ValueError:
        name = network
    return Bytes32(salted_hmac(SALT, name, algorithm="sha256").digest())


def within(safes: QuerySet[Safe]) -> QuerySet[Safe]:
    """Leave out the accounts whose network had all its places today."""
    used_up = _used_up().filter(
        chain=OuterRef("chain"), network_hash=OuterRef("network_hash")
    )
    return safes.filter(~Exists(used_up))


def is_used_up(*, safe: Safe) -> bool:
    """Whether the account waits because its network had all its places today."""
    if safe.network_hash is None:
        return False
    used_up = _used_up().filter(chain=safe.chain, network_hash=safe.network_hash)
    return used_up.exists()


def _used_up() -> QuerySet[NetworkQuota]:
    return NetworkQuota.objects.filter(
        day=today(), accounts__gte=settings.DEPLOY_PREFIX_DAILY
    )


def first_within(*, chain: Chain, safes: Sequence[Safe]) -> list[Safe]:
    """Return the accounts for which there are places, in the same order."""
    hashes = {safe.network_hash for safe in safes}
    quotas = NetworkQuota.objects.filter(chain=chain, day=today())
    taken: Counter[Bytes32] = Counter(
        {
            quota.network_hash: quota.accounts
            for quota in quotas.filter(network_hash__in=hashes)
        }
    )
    found = []
    for safe in safes:
        if safe.network_hash is not None:
            taken[safe.network_hash] += 1
            if taken[safe.network_hash] > settings.DEPLOY_PREFIX_DAILY:
                continue
        found.append(safe)
    return found


def take(*, chain: Chain, safes: Sequence[Safe]) -> None:
    """Take a place for each account, in the transaction that stores its deployment.

    Raises:
        QuotaTaken: another worker took the last place; the caller gives the batch up.
    """
    needed = Counter(safe.network_hash for safe in safes)
    for network, count in needed.items():
        if network is None:
            continue
        quota, _created = NetworkQuota.objects.get_or_create(
            chain=chain, network_hash=network, day=today()
        )
        room = settings.DEPLOY_PREFIX_DAILY - count
        places = NetworkQuota.objects.filter(pk=quota.pk, accounts__lte=room)
        if places.update(accounts=F("accounts") + count) == 0:
            raise QuotaTaken


def forget() -> None:
    """Forget networks after two days.

    What is still queued of a network that had all its places waits for a deposit or a
    payment from now on: without its network, a flood would only have to be patient.
    """
    before = timezone.now() - timedelta(days=KEEP_DAYS)
    old = Safe.objects.filter(network_hash__isnull=False, created_at__lt=before)
    flooded = NetworkQuota.objects.filter(
        chain=OuterRef("chain"),
        network_hash=OuterRef("network_hash"),
        accounts__gte=settings.DEPLOY_PREFIX_DAILY,
    )
    waiting = old.filter(Exists(flooded), status=Safe.Status.QUEUED)
    waiting.filter(balance_wei__lt=settings.DEPLOYMENT_FLOOR_WEI).update(
        deployment_requested_at=None
    )
    old.update(network_hash=None)
    oldest_day = today() - timedelta(days=KEEP_DAYS)
    NetworkQuota.objects.filter(day__lt=oldest_day).delete()
