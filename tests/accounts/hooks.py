"""Registration hooks that stand in for the wallet, which accounts knows nothing of."""

from __future__ import annotations

from accounts.models import Credential, User

OPENED: list[int] = []


def open_wallet(*, user: User, credential: Credential, network: str) -> str:
    """Remember the person; send them to a page of this site."""
    OPENED.append(user.pk)
    assert network, "every visitor comes from somewhere"
    return f"/opened/{credential.pk}"


def fail(*, user: User, credential: Credential, network: str) -> str:
    """Fail as a wallet would that cannot be opened."""
    raise RuntimeError(f"no wallet for {user.pk} and {credential.pk} from {network}")
