"""Whether everything works: the chain, and every part that works on it.

Rows only, never the network (security.md R60).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from onchain.models import Chain, Heartbeat

HEAD_MINUTES = 5  # without a new block: as long as stuck work is given


def expected_components() -> list[Heartbeat.Component]:
    """Return the parts that this site has; a second node only where one is named."""
    second = Heartbeat.Component.SECOND_NODE
    parts = [part for part in Heartbeat.Component if part != second]
    return [*parts, second] if settings.SECOND_NODE_URL else parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part of the system, and when it was last known to work."""

    name: str
    seen_at: datetime | None  # None: never heard of
    is_well: bool
    detail: str  # the last error


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The configured chain and everything that works on it."""

    chain: Chain | None  # None: no process has reached it yet
    components: list[Component]
    is_head_old: bool  # no new block for as long as stuck work is given

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
        ill = [part for part in self.components if not part.is_well]
        return found + [f"{part.name} is silent." for part in ill]


def health(*, now: datetime) -> Health:
    """Return how the configured chain and its components are."""
    chain = Chain.objects.filter(chain_id=settings.CHAIN_ID).first()
    rows = {row.component: row for row in Heartbeat.objects.filter(chain=chain)}
    components = []
    for component in expected_components():
        row = rows.get(component)
        components.append(
            Component(
                name=str(component.label),
                seen_at=None if row is None else row.seen_at,
                is_well=row is not None and not row.is_stale,
                detail="" if row is None else row.detail,
            )
        )
    oldest = int((now - timedelta(minutes=HEAD_MINUTES)).timestamp())
    return Health(
        chain=chain,
        components=components,
        # Blocks that are read while catching up are old by themselves.
        is_head_old=chain is not None
        and not chain.blocks_behind
        and (chain.head_timestamp or 0) < oldest,
    )
