"""An EntryPoint on a bare chain, asked by eth_call what it would do with an operation.

No site and no bundler: what is found here is the chain's own answer.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings

from bench.environment import free_ports
from bench.stack import end_on_sigterm, wait_for
from onchain.clients.errors import ClientError
from onchain.models import Chain
from onchain.protocol.deployments import (
    ENTRY_POINT,
    MULTICALL3,
    SHARED_SIGNER,
    SIGNER_FACTORY,
    VERIFIERS,
)
from onchain.protocol.multisend import aggregate3_data
from onchain.protocol.passkey_signature import (
    SafeSignature,
    client_data_fields,
    operation_signature,
    passkey_signature,
)
from onchain.protocol.safe import (
    account_address,
    deploy_calls,
    direct_setup,
    shared_setup,
    signer_address,
    signer_proxy_code_from_factory,
)
from onchain.protocol.safe_operation import safe_operation_hash
from onchain.protocol.shared_signer import account_factory, install_signer_calls
from onchain.protocol.types import Address, Call, PublicKey
from onchain.protocol.user_operation import (
    Factory,
    UserOperationV07,
    handle_ops_data,
)
from onchain.services import sponsorship
from onchain.services.local_chain import LocalChain
from tests.soft_authenticator import SoftAuthenticator
from tests.wallet_keys import SoftWallet
from wallet_site import chain_state

SENDER = 7  # of anvil's accounts: deploys and calls handleOps here
# As long as clientDataJSON gets: a long name of the site, and the member that Chrome
# adds at random.
ORIGIN = f"https://{'wallet.' * 6}example"
MEMBERS = {
    "crossOrigin": False,
    "other_keys_can_be_added_here": "do not compare clientDataJSON against a template. "
    "See https://goo.gl/yabPex",
}


@contextlib.contextmanager
def bare_chain(hardfork: str) -> Iterator[LocalChain]:
    """Yield an anvil with every contract, on any hard fork."""
    end_on_sigterm()
    base = chain_state.base_state(report=lambda _line: None)
    (port,) = free_ports(1)
    state = Path(settings.VAR_DIR) / f"{hardfork}.json"
    argv = chain_state.anvil_argv(port=port, state=state, load=base)
    argv[argv.index("--hardfork") + 1] = hardfork
    chain = chain_state.connect(url=f"http://127.0.0.1:{port}")
    process = subprocess.Popen(  # noqa: S603 - our own command line
        argv, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_for(lambda: chain_state.answers(chain), "anvil")
        yield chain
    finally:
        process.terminate()
        process.wait(10)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyAccount:
    """An account on that chain; every one of its owners has to sign."""

    chain: LocalChain
    address: Address
    owners: dict[Address, SoftAuthenticator | SoftWallet]

    def signed(self, op: UserOperationV07, *, is_sponsored: bool) -> UserOperationV07:
        """Return the operation, sponsored if asked, with every owner's signature."""
        valid_until = 2**48 - 1
        if is_sponsored:
            op = _sponsored(op, valid_until)
        challenge = safe_operation_hash(
            op, chain_id=settings.CHAIN_ID, valid_after=0, valid_until=valid_until
        )
        signatures = [
            SafeSignature(
                owner=owner,
                signature=_answer(key, challenge),
                is_contract=not isinstance(key, SoftWallet),
            )
            for owner, key in self.owners.items()
        ]
        return replace(
            op,
            signature=operation_signature(
                valid_after=0, valid_until=valid_until, signatures=signatures
            ),
        )

    def is_handled(self, op: UserOperationV07) -> bool:
        """Whether handleOps would take the signed operation."""
        sender = self.chain.anvil.accounts()[SENDER]
        data = handle_ops_data([op], sender)
        try:
            self.chain.node.call(ENTRY_POINT, data, sender=sender)
        except ClientError:
            return False
        return True

    def handle(self, op: UserOperationV07) -> None:
        """Send handleOps with the signed operation, and wait for it."""
        anvil = self.chain.anvil
        sender = anvil.accounts()[SENDER]
        anvil.wait([anvil.send(sender, ENTRY_POINT, handle_ops_data([op], sender))])


def deployed(chain: LocalChain, *, signers: int, wallets: int = 0) -> PasskeyAccount:
    """Put an account of this many passkeys and wallets on the chain, all needed."""
    (factory_code,) = chain.node.codes([SIGNER_FACTORY], "latest")
    proxy_code = signer_proxy_code_from_factory(factory_code)
    passkeys = [SoftAuthenticator(origin=ORIGIN) for _ in range(signers)]
    keys = [_public_key(passkey) for passkey in passkeys]
    owners: dict[Address, SoftAuthenticator | SoftWallet] = {
        signer_address(public_key=key, proxy_code=proxy_code): passkey
        for key, passkey in zip(keys, passkeys, strict=True)
    }
    owners |= {
        wallet.address: wallet for wallet in (SoftWallet() for _ in range(wallets))
    }
    setup = direct_setup(owners=list(owners), threshold=len(owners))
    calls = deploy_calls(public_keys=keys, setup=setup, salt_nonce=0)
    sender = chain.anvil.accounts()[SENDER]
    data = aggregate3_data(calls, allow_failure=False)
    chain.anvil.wait([chain.anvil.send(sender, MULTICALL3, data)])
    address = account_address(setup=setup, salt_nonce=0)
    chain.anvil.set_balance(address, 10**18)
    return PasskeyAccount(chain=chain, address=address, owners=owners)


def undeployed(chain: LocalChain) -> tuple[PasskeyAccount, Factory, list[Call]]:
    """Return an account of the shared layout that is not there yet, with money on it.

    With it who makes it, and the calls that its first operation begins with.
    """
    (factory_code,) = chain.node.codes([SIGNER_FACTORY], "latest")
    passkey = SoftAuthenticator(origin=ORIGIN)
    key = _public_key(passkey)
    setup = shared_setup(public_key=key)
    address = account_address(setup=setup, salt_nonce=0)
    chain.anvil.set_balance(address, 10**18)
    calls = install_signer_calls(
        account=address,
        public_key=key,
        signer=signer_address(
            public_key=key, proxy_code=signer_proxy_code_from_factory(factory_code)
        ),
        verifiers=VERIFIERS,
    )
    owners = {SHARED_SIGNER: passkey}
    account = PasskeyAccount(chain=chain, address=address, owners=owners)
    return account, account_factory(setup=setup, salt_nonce=0), calls


def _sponsored(op: UserOperationV07, valid_until: int) -> UserOperationV07:
    key = settings.SPONSOR_PRIVATE_KEY
    if op.paymaster is None:
        op = replace(op, paymaster=sponsorship.stub(private_key=key))
    chain = Chain(chain_id=settings.CHAIN_ID)
    paymaster = sponsorship.signed(
        op=op, chain=chain, valid_until=valid_until, private_key=key
    )
    return replace(op, paymaster=paymaster)


def _public_key(passkey: SoftAuthenticator) -> PublicKey:
    x, y = (int.from_bytes(half, "big") for half in (passkey.x, passkey.y))
    return PublicKey(x=x, y=y)


def _answer(passkey: SoftAuthenticator | SoftWallet, challenge: bytes) -> bytes:
    if isinstance(passkey, SoftWallet):
        return passkey.sign_hash(challenge)
    assertion = passkey.assert_challenge(challenge, members=MEMBERS)
    r, s = assertion.r_and_s
    return passkey_signature(
        authenticator_data=assertion.authenticator_data,
        client_data_fields=client_data_fields(assertion.client_data_json, challenge),
        r=r,
        s=s,
    )


def fee_per_gas(chain: LocalChain, sender: Address) -> int:
    """Return wei per gas that hold for a while."""
    _nonce, _balance, base_fee, tip = chain.node.relayer_snapshot(sender)
    return 2 * base_fee + tip
