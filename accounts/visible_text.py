"""Text that somebody typed or a stranger chose, made safe to read (R34).

Characters that a reader cannot see, or that turn the direction of what follows, are
printed as their code point: ``⟨U+202E⟩``. Nothing is dropped, so two names that differ
also look different. Escaping for HTML is the template's work, not this one's.
"""

from __future__ import annotations

import re
import unicodedata

# Control, format (bidi and zero-width among them), surrogates, private use, unassigned,
# and the separators that break a line.
HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# Default_Ignorable_Code_Point of Unicode that is in none of those: joiners, fillers,
# variation selectors. U+FE0E and U+FE0F are left out: they choose an emoji's style.
HIDDEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0d\uffa0"
    "\U000e0100-\U000e01ef]"
)
CUT = "…"


def visible(text: str, *, limit: int) -> str:
    """Return the text on one line of at most ``limit`` characters, nothing hidden."""
    shown = ""
    for character in text[: limit + 1]:
        piece = _shown(character)
        if len(shown) + len(piece) > limit:
            return shown[: limit - len(CUT)] + CUT
        shown += piece
    return shown


def _shown(character: str) -> str:
    is_hidden = unicodedata.category(character) in HIDDEN_CATEGORIES
    if is_hidden or HIDDEN.match(character):
        return f"⟨U+{ord(character):04X}⟩"
    return character
