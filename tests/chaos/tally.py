"""What a run counts, and the line that it prints at its end."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Tally:
    """Counts of one scenario, or of all together."""

    steps: int = 0
    kills: int = 0
    faults: int = 0
    reorgs: int = 0
    sent: int = 0
    expired: int = 0  # as they should
    seen: int = 0
    lost: int = 0
    doubled: int = 0
    settled: list[float] = field(default_factory=list)  # seconds

    def __str__(self) -> str:
        seconds = sorted(self.settled) or [0.0]
        return (
            f"{self.steps} steps, {self.kills} kills, {self.faults} faults, "
            f"{self.reorgs} reorgs; {self.sent} operations sent ({self.expired} to "
            f"expire), {self.seen} UserOperationEvents seen, lost {self.lost}, doubled "
            f"{self.doubled}; seconds to settle: median "
            f"{seconds[len(seconds) // 2]:.1f}, longest {seconds[-1]:.1f}"
        )
