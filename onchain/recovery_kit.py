"""The cancel kit: how owners stop a recovery where this site cannot be reached.

Text that stands for itself, to be kept beside the account's other papers. Nothing in it
is secret: only the account's owners can make these calls.
"""

from __future__ import annotations

from collections.abc import Sequence

from onchain.models import RecoverySetup, Safe
from onchain.services.recovery_cards import kit_of

HEAD = """\
HOW TO STOP A RECOVERY OF YOUR ACCOUNT WITHOUT THIS SITE

Account: {account}
Chain: {chain} (chain id {chain_id})

Guardians who have begun a recovery replace every owner of this account once the delay
of their module is over. Until somebody finishes it, the owners can stop it: the account
itself makes the two calls below, in one transaction, each with the value 0. As many
owners approve it as for a payment. Only the account can make these calls, so nothing in
this file is secret.
"""
MODULE = """\

Recovery module {module}
"""
CALL = """\
  Call {number}: {name}
    to:    {to}
    value: 0
    data:  {data}
"""
NO_MODULE = """\

No recovery module was ever set up for this account, as far as this site has read.
"""
FOOT = """\

Where an owner is a wallet: open the account in any application for Safe accounts,
choose its transaction builder, paste "to" and "data" of both calls, and send.

Where the owners are passkeys: a passkey signs only on the web address that it was made
for, so it takes a copy of this site on that address. The site is free software; whoever
runs it on that address has everything else that is needed from the chain.

Afterwards look at who guards the account. Whoever could begin this recovery can begin
another one until the guardians are changed.
"""


def text_of(*, safe: Safe, setups: Sequence[RecoverySetup]) -> str:
    """Return the kit of an account for every module that has to do with it."""
    parts = [
        HEAD.format(
            account=safe.address_text,
            chain=safe.chain.name,
            chain_id=safe.chain.chain_id,
        )
    ]
    for setup in setups:
        parts.append(MODULE.format(module=setup.module_text))
        for number, call in enumerate(kit_of(setup), start=1):
            parts.append(
                CALL.format(number=number, name=call.name, to=call.to, data=call.data)
            )
    if not setups:
        parts.append(NO_MODULE)
    return "".join([*parts, FOOT])
