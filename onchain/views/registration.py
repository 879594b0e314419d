"""What opens with a new person: the wallet (settings.REGISTRATION_HOOK)."""

from __future__ import annotations

from django.urls import reverse

from accounts.errors import NotReady
from accounts.models import Credential, User
from onchain import tasks
from onchain.errors import ChainNotReady
from onchain.services import chains, safes


def open_wallet(*, user: User, credential: Credential, network: str) -> str:
    """Open the person's first account and return its page's URL.

    Called inside the transaction that creates the person: a wallet without an
    account, or the other way round, cannot exist. ``network`` is where they came from.

    Raises:
        NotReady: the chain was not verified yet; nothing is created.
    """
    try:
        chain = chains.current()
    except ChainNotReady as error:
        raise NotReady(str(error)) from error
    safe = safes.open_safe(
        user=user, credential=credential, chain=chain, network=network
    )
    if safe.deployment_requested_at is not None:
        tasks.run_relayer.delay_on_commit(safe.chain_id)
    return reverse("onchain:safe-detail", args=[safe.chain.chain_id, safe.address_text])
