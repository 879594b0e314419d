"""Whether everything works: the chain, and every part that works on it.

Rows only, never the network (security.md R60).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from onchain.models import Chain, Heartbeat
from onchain.services import module_codes

HEAD_MINUTES = 5  # without a new block: as long as stuck work is given
BUNDLER_NAMES = {
    Heartbeat.Component.BUNDLER: "First bundler",
    Heartbeat.Component.SECOND_BUNDLER: "Second bundler",
}
BUNDLERS = tuple(BUNDLER_NAMES)


def expected_components() -> list[Heartbeat.Component]:
    """Return the parts that this site has; second ones only where they are named."""
    absent = set()
    if not settings.SECOND_NODE_URL:
        absent.add(Heartbeat.Component.SECOND_NODE)
    if not settings.SECOND_BUNDLER_URL:
        absent.add(Heartbeat.Component.SECOND_BUNDLER)
    return [part for part in Heartbeat.Component if part not in absent]


def silent_components(*, rows: Iterable[Heartbeat]) -> list[Heartbeat.Component]:
    """Return the parts that this site has and that were not heard of lately."""
    heard = {row.component for row in rows if not row.is_stale}
    return [part for part in expected_components() if part not in heard]


def felt_components(*, rows: Iterable[Heartbeat]) -> list[Heartbeat.Component]:
    """Return the silent parts that people notice; one bundler works for both."""
    silent = silent_components(rows=rows)
    if _has_bundler(silent):
        return [part for part in silent if part not in BUNDLERS]
    return silent


def _has_bundler(silent: Sequence[Heartbeat.Component]) -> bool:
    present = [part for part in expected_components() if part in BUNDLERS]
    return any(part not in silent for part in present)


def silences(*, silent: Sequence[Heartbeat.Component]) -> dict[str, str]:
    """Return a sentence for each silent part; one bundler stands in for the other."""
    words = {part.value: f"{part.label} is silent." for part in silent}
    if not settings.SECOND_BUNDLER_URL:
        return words
    has_other = _has_bundler(silent)
    for part, other in zip(BUNDLERS, ("second", "first"), strict=True):
        effect = f"payments go through the {other}" if has_other else "payments wait"
        if part in words:
            words[part] = f"{BUNDLER_NAMES[part]} is silent: {effect}."
    return words


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part of the system, and when it was last known to work."""

    name: str
    seen_at: datetime | None  # None: never heard of
    is_well: bool
    detail: str  # the last error
    silence: str = ""  # what its silence means; empty while it is well


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The configured chain and everything that works on it."""

    chain: Chain | None  # None: no process has reached it yet
    components: list[Component]
    is_head_old: bool  # no new block for as long as stuck work is given
    module_problems: list[str]  # recovery modules whose code is not the confirmed one

    @property
    def notes(self) -> list[str]:
        """What is no failure but good to know, one sentence each."""
        found = []
        if self.chain is not None and self.chain.catching_up:
            found.append(f"Catching up: {self.chain.catching_up}.")
        if not settings.SECOND_NODE_URL:
            found.append(
                "There is one node only: if it invented blocks, nobody would notice."
            )
        return found

    @property
    def problems(self) -> list[str]:
        """What is wrong, one sentence each; empty when all is well."""
        if self.chain is None:
            return ["The chain was never reached."]
        found = [self.chain.problem] if self.chain.problem else []
        if self.is_head_old:
            found.append(f"The chain has had no block for {HEAD_MINUTES} minutes.")
        found += self.module_problems
        return found + [part.silence for part in self.components if part.silence]


def health(*, now: datetime) -> Health:
    """Return how the configured chain and its components are."""
    chain = Chain.objects.filter(chain_id=settings.CHAIN_ID).first()
    rows = {row.component: row for row in Heartbeat.objects.filter(chain=chain)}
    words = silences(silent=silent_components(rows=rows.values()))
    components = []
    for component in expected_components():
        row = rows.get(component)
        components.append(
            Component(
                name=str(component.label),
                seen_at=None if row is None else row.seen_at,
                is_well=row is not None and not row.is_stale,
                detail="" if row is None else row.detail,
                silence=words.get(component, ""),
            )
        )
    oldest = int((now - timedelta(minutes=HEAD_MINUTES)).timestamp())
    return Health(
        chain=chain,
        components=components,
        module_problems=[] if chain is None else module_codes.problems(chain),
        # Blocks that are read while catching up are old by themselves.
        is_head_old=chain is not None
        and not chain.blocks_behind
        and (chain.head_timestamp or 0) < oldest,
    )
