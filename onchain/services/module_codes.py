"""Which recovery modules accounts may be given, and whose word that rests on.

Whoever holds the code at a module's address holds every account that enabled it. The
module's code is in no package, so its hash cannot be pinned in the source as that of
the other contracts is. Instead two independent nodes must give the same code, and an
operator compares its hash with what the module's makers and explorers say, and confirms
it (security.md R22). Afterwards it is compared hourly like every other contract's. A
module with other code stops what touches it, save for what rids an account of it;
payments and other accounts go on. A local chain has a stand-in of our own, and nobody's
money.
"""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.errors import ModuleCodeRefused
from onchain.models import Chain, ModuleCode
from onchain.protocol.abi import keccak
from onchain.protocol.deployments import RECOVERY_MODULES, TEST_RECOVERY_DELAY
from onchain.protocol.recovery import delay_of
from onchain.protocol.types import Address, Bytes32, to_hex
from onchain.services import journal
from onchain.services.recovery_stand_in import in_words

logger = logging.getLogger(__name__)

CONFIRM = "confirm-module-code"
CHANGED = "module-code-changed"
NONE_USABLE = (
    "Recovery is not offered on {chain} yet: the operator of this site has not "
    "confirmed the recovery module’s code there. Nothing is wrong with your account."
)


def usable_delays(chain: Chain) -> list[int]:
    """Return the delays, in seconds, of the modules that accounts may be given."""
    if settings.LOCAL_CHAIN:
        return sorted(RECOVERY_MODULES)
    confirmed = ModuleCode.objects.filter(
        chain=chain, confirmed_at__isnull=False, changed_at=None
    )
    known = {delay_of(Address(row.module)) for row in confirmed}
    return sorted(
        delay
        for delay in RECOVERY_MODULES
        if delay in known and delay != TEST_RECOVERY_DELAY
    )


def why_none(chain: Chain) -> str:
    """Return in words why accounts cannot be given any, empty if they can."""
    return "" if usable_delays(chain) else NONE_USABLE.format(chain=chain.name)


def read(
    *, chain: Chain, module: Address, node: Node, second: Node | None
) -> ModuleCode:
    """Keep the hash that two nodes gave alike; nobody has confirmed it by that.

    Safe to repeat: a newer answer takes the place of one that nobody confirmed.

    Raises:
        ModuleCodeRefused: with words; what was confirmed stays as it is.
    """
    code_hash = _agreed(chain, module, node, second)
    row, _created = ModuleCode.objects.get_or_create(
        chain=chain, module=module, defaults={"code_hash": code_hash}
    )
    unconfirmed = ModuleCode.objects.filter(pk=row.pk, confirmed_at__isnull=True)
    unconfirmed.update(code_hash=code_hash, read_at=timezone.now())
    row.refresh_from_db()
    if row.code_hash != code_hash:
        raise ModuleCodeRefused(
            f"Both nodes give {to_hex(code_hash)} now; {to_hex(row.code_hash)} was "
            "confirmed. Find out what happened before anything else."
        )
    return row


def confirm(*, row: ModuleCode, code_hash: Bytes32, actor: User | None) -> bool:
    """Let accounts be given a module whose code an operator compared.

    Safe to repeat; False where it was confirmed before. The journal has it.

    Args:
        code_hash: what the operator saw, so that a row which changed is not confirmed.

    Raises:
        ModuleCodeRefused: the row says something else by now.
    """
    with transaction.atomic():
        rows = ModuleCode.objects.filter(pk=row.pk, code_hash=code_hash)
        if not rows.exists():
            raise ModuleCodeRefused("That is not the hash that both nodes gave.")
        moved = rows.filter(confirmed_at__isnull=True).update(
            confirmed_at=timezone.now(), confirmed_by=actor
        )
        if not moved:
            return False
        journal.note(
            actor=actor, action=CONFIRM, target=f"{row}", detail=to_hex(code_hash)
        )
    logger.warning("%s on chain %s was confirmed", row, row.chain_id)
    return True


def compare(*, chain: Chain, node: Node) -> None:
    """Note which confirmed modules have other code now, and which have theirs again.

    Safe to repeat; the journal has each change of that once.

    Raises:
        TransientClientError: the node is out of reach; nothing was noted.
    """
    confirmed = ModuleCode.objects.filter(chain=chain, confirmed_at__isnull=False)
    rows = list(confirmed.order_by("pk"))
    if not rows:
        return
    codes = node.codes([Address(row.module) for row in rows], "latest")
    for row, code in zip(rows, codes, strict=True):
        _note(row, is_changed=keccak(code) != row.code_hash, code=code)


@transaction.atomic
def _note(row: ModuleCode, *, is_changed: bool, code: bytes) -> None:
    rows = ModuleCode.objects.filter(pk=row.pk, changed_at__isnull=is_changed)
    if not rows.update(changed_at=timezone.now() if is_changed else None):
        return
    action = CHANGED if is_changed else "module-code-as-confirmed"
    found = to_hex(keccak(code)) if code else "no code"
    journal.note(actor=None, action=action, target=f"{row}", detail=found)
    logger.critical("%s on chain %s: %s", row, row.chain_id, action)


def changed(chain: Chain) -> list[Address]:
    """Return the modules that have other code than an operator confirmed."""
    rows = ModuleCode.objects.filter(chain=chain, changed_at__isnull=False)
    return [Address(module) for module in rows.values_list("module", flat=True)]


def problems(chain: Chain) -> list[str]:
    """Return what is wrong with modules in words, for operators."""
    return [
        f"The recovery module of {in_words(delay_of(module) or 0)} has other code than "
        "the confirmed. Nothing here touches it any more, save for what rids accounts "
        "of it."
        for module in changed(chain)
    ]


def _agreed(chain: Chain, module: Address, node: Node, second: Node | None) -> Bytes32:
    """Return the hash of a module's code that both nodes gave."""
    if second is None:
        raise ModuleCodeRefused(
            "One node could invent the code. Set SECOND_NODE_URL to another company's."
        )
    if _host(settings.NODE_URL) == _host(settings.SECOND_NODE_URL):
        raise ModuleCodeRefused("Both nodes are on one host: they say the same anyway.")
    hashes = []
    for name, asked in (("node", node), ("second node", second)):
        try:
            if asked.chain_id() != chain.chain_id:
                raise ModuleCodeRefused(f"The {name} is on another chain.")
            (code,) = asked.codes([module], "latest")
        except (ClientError, TransientClientError) as error:
            raise ModuleCodeRefused(f"The {name} does not answer: {error}.") from None
        if not code:
            raise ModuleCodeRefused(f"The {name} has no code at the module's address.")
        hashes.append(keccak(code))
    if hashes[0] != hashes[1]:
        raise ModuleCodeRefused("The two nodes give different code. One of them lies.")
    return hashes[0]


def _host(url: str) -> str | None:
    return urlsplit(url).hostname
