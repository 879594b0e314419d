"""Which endpoint serves which chain; the one reader of their settings."""

from __future__ import annotations

from django.conf import settings

from onchain.clients.bundler import Bundler
from onchain.clients.json_rpc import JsonRpc
from onchain.clients.node import Node


def node_for(chain_id: int) -> Node:
    """Return the node of a chain.

    Raises:
        LookupError: no node is configured for it.
    """
    _require_configured(chain_id)
    return Node(JsonRpc(url=settings.NODE_URL, timeout=settings.CLIENT_TIMEOUT))


def bundler_for(chain_id: int) -> Bundler:
    """Return the bundler of a chain.

    Raises:
        LookupError: no bundler is configured for it.
    """
    _require_configured(chain_id)
    return Bundler(JsonRpc(url=settings.BUNDLER_URL, timeout=settings.CLIENT_TIMEOUT))


def _require_configured(chain_id: int) -> None:
    if chain_id != settings.CHAIN_ID:
        raise LookupError(f"no endpoint is configured for chain {chain_id}")
