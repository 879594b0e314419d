"""Which providers' passkeys the operator takes, by AAGUID.

Sources: https://www.w3.org/TR/webauthn-3/#attestation-conveyance and #aaguid. Without
attestation, which is the default, an AAGUID is the provider's own word. With ``direct``
the statement that comes with it must be consistent, but no list of makers is asked, so
a policy keeps honest providers out and no forger.
"""

from __future__ import annotations

import logging
import uuid

from django.conf import settings

from accounts.errors import ProviderRefused

logger = logging.getLogger(__name__)

CONVEYANCES = ("none", "direct")  # section 5.4.7; these two of them


def check(aaguid: uuid.UUID) -> None:
    """Accept a passkey whose provider the operator takes.

    Raises:
        ProviderRefused: its AAGUID is denied, or others are allowed and it is not.
    """
    allowed, denied = (
        {uuid.UUID(text) for text in texts}
        for texts in (settings.AAGUID_ALLOW, settings.AAGUID_DENY)
    )
    if aaguid in denied or (allowed and aaguid not in allowed):
        logger.warning("refused a passkey by policy: AAGUID %s", aaguid)
        raise ProviderRefused
