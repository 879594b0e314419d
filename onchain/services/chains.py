"""The chain's own row: what was verified about it, and who answers."""

from __future__ import annotations

import hashlib
import logging
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from eth_utils.crypto import keccak

from onchain.clients.bundler import Bundler
from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.errors import ChainNotReady
from onchain.models import Chain, Heartbeat
from onchain.protocol.deployments import CONTRACTS, P256_PRECOMPILE, SIGNER_FACTORY
from onchain.protocol.errors import EncodingError
from onchain.protocol.safe import signer_proxy_code_from_factory
from onchain.protocol.types import Address
from onchain.services import module_codes

logger = logging.getLogger(__name__)


def current() -> Chain:
    """Return the configured chain.

    Raises:
        ChainNotReady: no process has verified it yet.
    """
    chain = Chain.objects.filter(chain_id=settings.CHAIN_ID).first()
    if chain is None or chain.signer_proxy_code is None:
        raise ChainNotReady
    return chain


def connect(*, node: Node) -> Chain:
    """Verify the chain behind the node and make its row true.

    Safe to repeat. A contract whose code is not the pinned one stops submissions:
    ``problem`` says which (security.md R22). A recovery module's stops only what
    touches that module.

    Raises:
        ChainNotReady: the node is on another chain, or a contract is not what it
            should be.
        TransientClientError: the node is out of reach; the row is unchanged.
    """
    problem = _problem_of(node)
    chain, _created = Chain.objects.get_or_create(
        chain_id=settings.CHAIN_ID, defaults={"name": settings.CHAIN_NAME}
    )
    report(chain=chain, contracts_problem=problem)
    if problem:
        raise ChainNotReady(problem)
    module_codes.compare(chain=chain, node=node)
    (factory_code,) = node.codes([SIGNER_FACTORY], "latest")
    Chain.objects.filter(pk=chain.pk).update(
        name=settings.CHAIN_NAME,
        signer_proxy_code=signer_proxy_code_from_factory(factory_code),
        has_p256_precompile=_has_p256_precompile(node),
    )
    chain.refresh_from_db()
    return chain


@transaction.atomic
def report(*, chain: Chain, **found: str) -> None:
    """Note what is wrong with the chain, by kind; an empty text clears that kind.

    While any kind is left, ``problem`` has its words and submissions stop. Kinds are
    the columns ``contracts_problem``, ``node_problem`` and ``agreement_problem``.
    """
    row = Chain.objects.select_for_update(no_key=True).get(pk=chain.pk)
    before = row.problem
    for kind, text in found.items():
        setattr(row, kind, text[:200])
    row.problem = row.contracts_problem or row.node_problem or row.agreement_problem
    row.save(update_fields=["problem", *found])
    for name in ("problem", *found):
        setattr(chain, name, getattr(row, name))
    if row.problem and row.problem != before:
        logger.error("chain %s: %s", row.chain_id, row.problem)
    elif before and not row.problem:
        logger.info("chain %s is well again", row.chain_id)


def heard(*, chain: Chain, component: str) -> None:
    """Note that a component answered just now."""
    Heartbeat.objects.update_or_create(
        chain=chain,
        component=component,
        defaults={"seen_at": timezone.now(), "detail": ""},
    )


def heard_node(*, chain: Chain) -> None:
    """Note that the node answered; one whose newest block is old is as good as away.

    A frozen node would otherwise look well while nothing happens (security.md R48).
    What is read while catching up is old by itself and tells nothing.
    """
    head = chain.head_timestamp
    is_old = head is not None and time.time() - head > settings.HEAD_STALE_SECONDS
    if is_old and not chain.blocks_behind:
        silent(
            chain=chain,
            component=Heartbeat.Component.NODE,
            detail="the newest block is old",
        )
        _report_node(chain, "The node has had no new block for a while.")
        return
    heard(chain=chain, component=Heartbeat.Component.NODE)
    _report_node(chain, "")


def _report_node(chain: Chain, problem: str) -> None:
    if chain.node_problem != problem:
        report(chain=chain, node_problem=problem)


def check_bundler(
    *,
    chain: Chain,
    bundler: Bundler,
    component: Heartbeat.Component = Heartbeat.Component.BUNDLER,
) -> None:
    """Note whether a bundler, the first or the second, answers for the right chain."""
    try:
        found = bundler.chain_id()
    except (ClientError, TransientClientError) as error:
        silent(chain=chain, component=component, detail=str(error))
        return
    if found != chain.chain_id:
        silent(chain=chain, component=component, detail=f"it is on chain {found}")
        return
    heard(chain=chain, component=component)


def silent(*, chain: Chain, component: str, detail: str) -> None:
    """Note why a component did not answer; when it last did stays."""
    Heartbeat.objects.update_or_create(
        chain=chain, component=component, defaults={"detail": detail[:200]}
    )


def _problem_of(node: Node) -> str:
    chain_id = node.chain_id()
    if chain_id != settings.CHAIN_ID:
        return f"The node is on chain {chain_id}, not {settings.CHAIN_ID}."
    codes = node.codes([contract.address for contract in CONTRACTS], "latest")
    for contract, code in zip(CONTRACTS, codes, strict=True):
        if not code:
            return f"{contract.name} is not on the chain."
        if keccak(code) != contract.code_hash:
            return f"{contract.name} has other code than the pinned one."
    try:
        signer_proxy_code_from_factory(
            codes[[contract.address for contract in CONTRACTS].index(SIGNER_FACTORY)]
        )
    except EncodingError:
        return "The signer factory holds no known proxy code."
    return ""


def _precompile() -> Address:
    return Address(P256_PRECOMPILE.to_bytes(20, "big"))


def _has_p256_precompile(node: Node) -> bool:
    """Ask the precompile about a signature made just now (RIP-7212, EIP-7951)."""
    key = ec.generate_private_key(ec.SECP256R1())
    digest = hashlib.sha256(b"latchkey").digest()
    r, s = decode_dss_signature(key.sign(b"latchkey", ec.ECDSA(hashes.SHA256())))
    point = key.public_key().public_numbers()
    words = [number.to_bytes(32, "big") for number in (r, s, point.x, point.y)]
    try:
        answer = node.call(_precompile(), digest + b"".join(words))
    except (ClientError, TransientClientError):
        return False
    return answer == (1).to_bytes(32, "big")
