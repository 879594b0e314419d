"""What of an account can be lost or stolen, and which keys go with it.

A person's synced passkeys go with their account at the provider, all at once; what a
provider says of itself is all that is known of it. Who else has which devices is not
known here: the passkey of somebody else is one thing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from accounts.models import Credential
from accounts.providers import UNKNOWN, provider_name
from accounts.visible_text import visible
from onchain.models import Guardian, Owner
from onchain.services.loss_planner import Key, Kind

DEVICE = "device"
NAME_CHARACTERS = 50


class Group(StrEnum):
    """What kind of thing a thing is."""

    DEVICE = "device"
    PROVIDER = "provider"
    OWNER = "owner"
    GUARDIAN = "guardian"
    EMAIL = "email"
    SITE = "site"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Something that can be lost or stolen."""

    id: str
    group: Group
    name: str  # as the beginning of a line has it
    keeps: Sequence[str] = ()  # the names of keys that are there


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of an owner or a guardian, and the thing that its key is."""

    row: Owner | Guardian
    thing: str
    group: Group
    is_known: bool
    is_yours: bool
    given: str  # what people call it; empty: nothing

    @property
    def synced(self) -> Credential | None:
        """Its passkey, if the provider keeps a copy."""
        passkey = self.row.credential
        return passkey if passkey is not None and passkey.is_synced else None


def on_this_device(lines: Sequence[Line], device_credential: int | None) -> Line | None:
    """Return the person's key that is known to be on the device that is used."""
    own = {
        line.row.credential_id: line
        for line in lines
        if line.is_yours and line.row.credential_id is not None
    }
    return None if device_credential is None else own.get(device_credential)


def keys_of(lines: Sequence[Line], *, here: Line | None) -> dict[str, Key]:
    """Return the keys of an account by the thing that each is.

    Args:
        here: the one that is known to be on the device that is used.
    """
    names, providers = _names(lines), _providers(lines)
    return {
        line.thing: _key(line, names[line.thing], providers, here) for line in lines
    }


def _provider_of(line: Line) -> tuple[int, str] | None:
    """Return whose account at which provider keeps a synced passkey.

    Of providers that are not known it is not known either whether they are the same.
    """
    passkey = line.synced
    if passkey is None:
        return None
    name = provider_name(passkey.aaguid)
    return passkey.user_id, f"{name} {passkey.pk}" if name == UNKNOWN else name


def _providers(lines: Sequence[Line]) -> dict[str, str]:
    """Return by key the thing that keeps it, where that is another than the key.

    The person's own account at a provider always is; somebody else's where it keeps
    several keys.
    """
    found = {line.thing: _provider_of(line) for line in lines}
    count = Counter(found.values())
    first: dict[tuple[int, str], str] = {}
    kept = {}
    for line in lines:
        keeper = found[line.thing]
        if keeper is None or not (line.is_yours or count[keeper] > 1):
            continue
        kept[line.thing] = first.setdefault(keeper, f"provider-{line.thing}")
    return kept


def _key(line: Line, name: str, providers: dict[str, str], here: Line | None) -> Key:
    on, perhaps_on = _devices(line, here)
    return Key(
        thing=line.thing,
        name=name,
        kind=Kind(line.row.kind),
        is_known=line.is_known,
        is_yours=line.is_yours,
        provider=providers.get(line.thing),
        on=on,
        perhaps_on=perhaps_on,
    )


def _devices(line: Line, here: Line | None) -> tuple[frozenset[str], frozenset[str]]:
    """Return the devices that are known to have a copy of a key, and that may."""
    if line.synced is None or not line.is_yours:
        return frozenset(), frozenset()
    if here is None:
        return frozenset(), frozenset({DEVICE})
    if here.synced is None:  # this device is the one thing that has that key
        return frozenset(), frozenset({here.thing})
    if _provider_of(line) == _provider_of(here):
        return frozenset({DEVICE}), frozenset()
    return frozenset(), frozenset({DEVICE})


# --- Things ---------------------------------------------------------------------------


def things_of(
    lines: Sequence[Line], keys: dict[str, Key], *, here: Line | None
) -> list[Thing]:
    """Return the devices, providers and keys that can be lost, in this order."""
    providers: dict[str, list[Line]] = {}
    for line in lines:
        if provider := keys[line.thing].provider:
            providers.setdefault(provider, []).append(line)
    alone = {kept[0].thing for kept in providers.values() if len(kept) == 1}
    return [
        *_device_things(keys, here),
        *(
            Thing(
                id=provider,
                group=Group.PROVIDER,
                name=_provider_title(kept[0], keys[kept[0].thing].name),
                keeps=[keys[line.thing].name for line in kept],
            )
            for provider, kept in providers.items()
        ),
        *(
            Thing(
                id=line.thing,
                group=line.group,
                name=_title(line, keys[line.thing].name),
            )
            for line in lines
            # It goes with the one thing that keeps it, or was named as this device.
            if line.thing not in alone and not (line is here and line.synced is None)
        ),
    ]


def _device_things(keys: dict[str, Key], here: Line | None) -> list[Thing]:
    if here is not None and here.synced is None:
        name = f"This phone or computer, with {keys[here.thing].name}"
        return [Thing(id=here.thing, group=Group.DEVICE, name=name)]
    copies = [key for key in keys.values() if DEVICE in key.on | key.perhaps_on]
    if not copies:
        return []
    name = "Your phone or computer" if here is None else "This phone or computer"
    held = [key.name for key in copies if DEVICE in key.on]
    return [Thing(id=DEVICE, group=Group.DEVICE, name=name, keeps=held)]


def _provider_title(line: Line, name: str) -> str:
    passkey = line.synced
    provider = UNKNOWN if passkey is None else provider_name(passkey.aaguid)
    given = visible(line.given, limit=NAME_CHARACTERS)
    whose = "Your account" if line.is_yours else f"{given}’s account"
    if provider == UNKNOWN:
        return f"{whose} with whoever keeps {name}"
    return f"{whose} with {provider}"


def _title(line: Line, name: str) -> str:
    if line.is_yours and line.row.credential is not None and line.synced is None:
        return f"The device or security key with {name}"
    return name[:1].upper() + name[1:]


# --- Names ----------------------------------------------------------------------------


def _names(lines: Sequence[Line]) -> dict[str, str]:
    """Return what sentences call each key; whoever has several is told apart."""
    names = {line.thing: _name(line) for line in lines}
    count = Counter(names.values())
    return {
        line.thing: f"{name} ({_short(line)})" if count[name] > 1 else name
        for line in lines
        for name in [names[line.thing]]
    }


def _name(line: Line) -> str:
    passkey = line.row.credential
    if line.is_yours and passkey is not None:
        if passkey.name:
            return f"your passkey “{visible(passkey.name, limit=NAME_CHARACTERS)}”"
        provider = provider_name(passkey.aaguid)
        return "your passkey" + ("" if provider == UNKNOWN else f" from {provider}")
    kind = str(line.row.kind)
    if kind == Kind.UNKNOWN:
        kind = "address" if line.group == Group.GUARDIAN else "unknown owner"
    if line.is_yours:
        return f"your {kind} {_short(line)}"
    if line.given:
        return visible(line.given, limit=NAME_CHARACTERS)
    return f"the {kind} {_short(line)}"


def _short(line: Line) -> str:
    text = line.row.address_text
    return f"{text[:6]}…{text[-4:]}"
