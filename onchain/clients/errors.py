"""The two errors a client raises, and nothing else."""

from __future__ import annotations


class ClientError(Exception):
    """The other side answered, and the answer is no.

    ``code`` is short and stable (``AA21``, ``execution-reverted``); ``detail`` is the
    other side's own text, cut to 300 characters, for operators.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail[:300]


class TransientClientError(Exception):
    """No usable answer: out of reach, too slow, or broken. Worth another try."""
