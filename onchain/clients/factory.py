"""Which endpoint serves which chain; the one reader of their settings."""

from __future__ import annotations

from django.conf import settings

from onchain.clients.bundler import Bundler
from onchain.clients.json_rpc import JsonRpc
from onchain.clients.node import Node
from onchain.clients.paymaster import PaymasterService


def node_for(chain_id: int) -> Node:
    """Return the node of a chain.

    Raises:
        LookupError: no node is configured for it.
    """
    _require_configured(chain_id)
    return Node(JsonRpc(url=settings.NODE_URL, timeout=settings.CLIENT_TIMEOUT))


def second_node_for(chain_id: int) -> Node | None:
    """Return the chain's second node, None where there is one node only.

    Raises:
        LookupError: no node is configured for the chain.
    """
    _require_configured(chain_id)
    if not settings.SECOND_NODE_URL:
        return None
    return Node(JsonRpc(url=settings.SECOND_NODE_URL, timeout=settings.CLIENT_TIMEOUT))


def bundler_for(chain_id: int) -> Bundler:
    """Return the first bundler of a chain; it has the second one estimate in its place.

    Raises:
        LookupError: no bundler is configured for it.
    """
    first, *others = bundlers_for(chain_id)
    return Bundler(first.rpc, substitute=others[0].rpc if others else None)


def bundlers_for(chain_id: int) -> list[Bundler]:
    """Return the bundlers of a chain, one or two, in the order they are tried.

    Raises:
        LookupError: no bundler is configured for it.
    """
    _require_configured(chain_id)
    urls = [url for url in (settings.BUNDLER_URL, settings.SECOND_BUNDLER_URL) if url]
    return [Bundler(JsonRpc(url=url, timeout=settings.CLIENT_TIMEOUT)) for url in urls]


def paymaster_service_for(chain_id: int) -> PaymasterService | None:
    """Return the paymaster service of a chain, None where none is configured.

    Raises:
        LookupError: no endpoint is configured for it.
    """
    _require_configured(chain_id)
    if not settings.PAYMASTER_URL:
        return None
    return PaymasterService(
        rpc=JsonRpc(url=settings.PAYMASTER_URL, timeout=settings.CLIENT_TIMEOUT),
        context=dict(settings.PAYMASTER_CONTEXT),
    )


def _require_configured(chain_id: int) -> None:
    if chain_id != settings.CHAIN_ID:
        raise LookupError(f"no endpoint is configured for chain {chain_id}")
