"""The address book as a CSV file (RFC 4180): in, with an error for each bad line; out.

Spreadsheets run what begins like a formula, so such a name goes out behind an
apostrophe and comes back without it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from onchain.forms import RecipientField
from onchain.models import Contact
from onchain.protocol.types import Address
from onchain.services.contacts import MOST, NAME_CHARACTERS

MOST_BYTES = 128 * 1024
MOST_ERRORS = 10  # that a page lists
HEADER = ["address", "name"]
FORMULA = ("=", "+", "-", "@", "\t", "\r")
GUARD = "'"


@dataclass(slots=True, kw_only=True)
class Parsed:
    """What a file says: names by address, or what is wrong with which line."""

    names: dict[Address, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    duplicates: int = 0  # lines that say the same as an earlier one


def parse(data: bytes) -> Parsed:
    """Return a file's names; with any error the file is not to be used."""
    found = Parsed()
    if len(data) > MOST_BYTES:
        found.errors.append(f"The file is larger than {MOST_BYTES // 1024} KiB.")
        return found
    try:
        text = data.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        found.errors.append("This is no CSV file in UTF-8.")
        return found
    if len(rows) > MOST + 1:
        found.errors.append(f"The file has more than {MOST} lines.")
        return found
    for number, row in enumerate(rows, start=1):
        is_header = number == 1 and [cell.strip().lower() for cell in row] == HEADER
        if row and not is_header:
            _take(found, number, row)
    if not found.names and not found.errors:
        found.errors.append("The file has no address in it.")
    return found


def _take(found: Parsed, number: int, row: list[str]) -> None:
    if len(row) != len(HEADER):
        found.errors.append(f"Line {number}: it must hold an address and a name.")
        return
    try:
        address = RecipientField().clean(row[0])
    except ValidationError as error:
        found.errors.append(f"Line {number}: {error.messages[0]}")
        return
    name = _unguarded(row[1].strip())
    if not name or len(name) > NAME_CHARACTERS:
        found.errors.append(
            f"Line {number}: a name has 1 to {NAME_CHARACTERS} characters."
        )
    elif found.names.get(address, name) != name:
        found.errors.append(f"Line {number}: this address has another name above.")
    elif address in found.names:
        found.duplicates += 1
    else:
        found.names[address] = name


def written(contacts: Iterable[Contact]) -> str:
    """Return the file of an address book."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADER)
    for contact in contacts:
        writer.writerow([contact.address_text, _guarded(contact.name)])
    return out.getvalue()


def _guarded(name: str) -> str:
    return f"{GUARD}{name}" if name.startswith((*FORMULA, GUARD)) else name


def _unguarded(name: str) -> str:
    is_guarded = name.startswith(GUARD) and name[1:].startswith((*FORMULA, GUARD))
    return name[1:] if is_guarded else name
