"""What losing things means for an account, in words: the verdict (product.md K-13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onchain.guardian_words import delay_words
from onchain.services.loss_planner import (
    SITE,
    Answer,
    End,
    Key,
    Mishap,
    Mishaps,
    Plan,
    Quorum,
    Result,
    answer,
)

NOBODY = "Nobody can bring it back. Whoever offers is a thief."


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How an account comes out."""

    tone: str  # success, warning or error
    short: str  # for a table
    sentence: str


def verdict(plan: Plan, mishaps: Mishaps, *, is_yours: bool) -> Verdict:
    """Return how an account comes out, for one of its owners or for who looks on."""
    found = answer(plan, mishaps)
    who = "You" if is_yours else "The owners"
    if _waits_for_site(plan, mishaps, found):
        return Verdict(
            tone="error",
            short="Nothing moves before this site is back.",
            sentence=f"{who} cannot send before this site’s web address is back, and "
            "nobody can bring the account back without it.",
        )
    worst, best = (
        _sentence(found, end, lucky=lucky, is_yours=is_yours)
        for end, lucky in ((found.worst, False), (found.best, True))
    )
    short_worst, short_best = _short(found.worst), _short(found.best)
    if found.worst == found.best:
        return Verdict(tone=_tone(found), short=short_worst, sentence=worst)
    return Verdict(
        tone=_tone(found),
        short=f"Not certain. {_either(short_best, short_worst)}",
        sentence=f"It is not certain. {_either(best, worst)}",
    )


def _waits_for_site(plan: Plan, mishaps: Mishaps, found: Answer) -> bool:
    """Whether only the site's end keeps people from what they could do otherwise."""
    if mishaps.get(SITE) != Mishap.LOST or found.best.result != Result.NOBODY:
        return False
    others = {thing: mishap for thing, mishap in mishaps.items() if thing != SITE}
    return answer(plan, others).worst.result == Result.OURS


def _either(best: str, worst: str) -> str:
    return f"At best: {_low(best)} At worst: {_low(worst)}"


def _low(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _tone(found: Answer) -> str:
    if found.worst.result == Result.OURS:
        has_thief = found.can_begin or found.theirs.sure or found.theirs.maybe
        return "warning" if found.worst.seconds or has_thief else "success"
    is_open = {found.worst.result, found.best.result} == {Result.OURS, Result.NOBODY}
    return "warning" if is_open else "error"


def _short(end: End) -> str:
    delay = delay_words(end.seconds)
    match end.result, bool(end.seconds):
        case Result.OURS, False:
            return "Payments go on."
        case Result.OURS, True:
            return f"Guardians bring it back in {delay}."
        case Result.RACE, False:
            return "Who is first, you or the thief?"
        case Result.RACE, True:
            return f"Whose guardians are first? Decided in {delay}."
        case Result.THEIRS, False:
            return "The thief takes all at once."
        case Result.THEIRS, True:
            return f"The thief has it in {delay}."
        case _:
            return "Nobody can bring it back."


def _sentence(found: Answer, end: End, *, lucky: bool, is_yours: bool) -> str:
    who = "You" if is_yours else "The owners"
    delay = delay_words(end.seconds)
    match end.result, bool(end.seconds):
        case Result.OURS, False:
            return _sending(_keys(found.ours, lucky=lucky), found.ours.needed, is_yours)
        case Result.OURS, True:
            by = next(
                each
                for each in found.recoveries
                if each.recovery.delay_seconds == end.seconds
            )
            people = some_of(_keys(by.ours, lucky=lucky), by.ours.needed)
            return (
                f"{who} cannot send, but {people} can bring the account back in "
                f"{delay}."
            )
        case Result.RACE, False:
            return (
                f"{who} can still send, and so can the thief. Whoever is first has the "
                "money."
            )
        case Result.RACE, True:
            return (
                f"{who} cannot send, and as many guardians are with the thief as are "
                f"left: whoever begins first has the account in {delay}."
            )
        case Result.THEIRS, False:
            return "The thief can send everything at once, and nobody can stop it."
        case Result.THEIRS, True:
            return f"The thief has the account in {delay}, and nobody can cancel that."
        case _:
            return f"{who} cannot send. {NOBODY}"


def _sending(keys: Sequence[Key], needed: int, is_yours: bool) -> str:
    own = [key for key in keys if key.is_yours]
    others = [key for key in keys if not key.is_yours]
    if not is_yours:
        return f"The owners can still send: {some_of(keys, needed)}."
    if len(own) >= needed:
        return f"You can still send, with {some_of(own, needed)}."
    if own:
        people = some_of(others, needed - len(own))
        return f"You can still send, together with {people}."
    people = some_of(others, needed)
    return (
        f"You cannot send any more, but {people} can, and can give the account a new "
        "key of yours."
    )


# --- Parts of sentences ---------------------------------------------------------------


def some_of(keys: Sequence[Key], needed: int) -> str:
    """Return which of these keys are enough: all of them, one of them, or so many."""
    names = [key.name for key in keys]
    if len(names) <= needed:
        return joined(names, "and")
    if needed == 1:
        return joined(names, "or")
    return f"{needed} of {joined(names, 'and')}"


def listed(keys: Sequence[Key]) -> str:
    """Return the names of keys."""
    return joined([key.name for key in keys], "and")


def joined(names: Sequence[str], word: str) -> str:
    """Return a list as a sentence has it."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {word} {names[-1]}"


def _keys(quorum: Quorum, *, lucky: bool) -> list[Key]:
    return [*quorum.sure, *(quorum.maybe if lucky else [])]


def begin(text: str) -> str:
    """Return a text as a sentence begins with it."""
    return text[:1].upper() + text[1:]
