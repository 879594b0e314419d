"""Contract code that addresses are computed from, wherever it can be had."""

from __future__ import annotations

from pathlib import Path

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.errors import ChainNotReady, LocalChainError
from onchain.protocol.deployments import SIGNER_FACTORY
from onchain.protocol.errors import EncodingError
from onchain.protocol.safe import (
    require_signer_proxy_code,
    signer_proxy_code_from_factory,
)
from onchain.protocol.types import parse_hex
from onchain.services.contract_sources import read_package

SIGNER_PROXY_ARTIFACT = (
    "@safe-global/safe-passkey/build/artifacts/contracts/"
    "SafeWebAuthnSignerProxy.sol/SafeWebAuthnSignerProxy.json"
)


def signer_proxy_code(*, packages: Path, node: Node) -> bytes:
    """Return SafeWebAuthnSignerProxy's creation code, checked against the pinned hash.

    From the npm package when it is installed, so that no network is needed; else out
    of the signer factory's code on the node's chain. Changes nothing.

    Raises:
        ChainNotReady: neither has it; says what to do.
    """
    try:
        artifact = read_package(packages, SIGNER_PROXY_ARTIFACT)
        return require_signer_proxy_code(parse_hex(artifact["bytecode"]))
    except LocalChainError:
        return _signer_proxy_code_on_chain(node)
    except (EncodingError, KeyError, TypeError, ValueError) as error:
        raise ChainNotReady(
            f"{SIGNER_PROXY_ARTIFACT} is not the published file: install the packages "
            "of devchain again."
        ) from error


def _signer_proxy_code_on_chain(node: Node) -> bytes:
    try:
        (factory_code,) = node.codes([SIGNER_FACTORY], "latest")
        return signer_proxy_code_from_factory(factory_code)
    except (ClientError, TransientClientError) as error:
        raise ChainNotReady(
            "The signer proxy's code is not here and the node does not answer. Run "
            "`npm ci` in devchain, or set NODE_URL to a node that is up."
        ) from error
    except EncodingError as error:
        raise ChainNotReady(
            "The signer proxy's code is not here and the node's chain lacks the "
            "signer factory. Run `npm ci` in devchain, or set NODE_URL to a chain "
            "that has SafeWebAuthnSignerFactory 0.2.0."
        ) from error
