"""A second node, asked whether it sees the same chain (security.md R48).

One node alone can invent blocks, and nothing here would notice: no header is checked
against a consensus. With a second one, only blocks that both have count as confirmed;
where they differ, submissions stop until they agree again.
"""

from __future__ import annotations

from django.conf import settings

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.models import Chain, Heartbeat
from onchain.services import chains

HEAD_GAP = 8  # blocks by which two healthy nodes may be apart for a moment


def check(*, chain: Chain, second: Node | None) -> None:
    """Compare the newest confirmed block and the heads; write what follows.

    Safe to repeat. While the second node does not answer nothing more becomes
    confirmed, and nothing stops.
    """
    if second is None:
        _forget(chain)
        return
    if chain.agreed_number is None:
        _agree(chain, 0)  # until it has said something
    try:
        problem = _problem(chain, second)
    except (ClientError, TransientClientError) as error:
        component = Heartbeat.Component.SECOND_NODE
        chains.silent(chain=chain, component=component, detail=str(error))
        return
    chains.heard(chain=chain, component=Heartbeat.Component.SECOND_NODE)
    if problem != chain.agreement_problem:
        chains.report(chain=chain, agreement_problem=problem)


def _forget(chain: Chain) -> None:
    """Trust the one node there is."""
    if chain.agreed_number is not None:
        _agree(chain, None)
        chain.heartbeats.filter(component=Heartbeat.Component.SECOND_NODE).delete()
    if chain.agreement_problem:
        chains.report(chain=chain, agreement_problem="")


def _problem(chain: Chain, second: Node) -> str:
    """Return how the nodes differ; where they agree, note up to which block."""
    chain_id, head = second.chain_id_and_head()
    if chain_id != chain.chain_id:
        return f"The second node is on chain {chain_id}."
    if chain.head_number is None:
        return ""
    number = chain.head_number - settings.CONFIRMATIONS + 1
    ours = chain.blocks.filter(number=number).first()
    theirs = None if ours is None else second.block_hash(number)
    if ours is not None and theirs is not None:
        if theirs != ours.hash:
            return f"The two nodes have different blocks at height {number}."
        _agree(chain, number)
    return _gap(chain.newest_number or chain.head_number, head.number)


def _gap(first: int, second: int) -> str:
    if first - second > HEAD_GAP:
        return f"The second node is {first - second} blocks behind the first."
    if second - first > HEAD_GAP:
        return f"The node is {second - first} blocks behind the second one."
    return ""


def _agree(chain: Chain, number: int | None) -> None:
    chain.agreed_number = number
    Chain.objects.filter(pk=chain.pk).update(agreed_number=number)
