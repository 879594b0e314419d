"""The two errors a client raises, and nothing else."""

from __future__ import annotations

from onchain.protocol.revert import visible

DETAIL_LIMIT = 299  # characters, and an ellipsis: what the columns hold


class ClientError(Exception):
    """The other side answered, and the answer is no.

    ``code`` is short and stable (``AA21``, ``execution-reverted``); ``detail`` is the
    other side's own text for operators: cut, and without what cannot be seen.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.detail = visible(detail, limit=DETAIL_LIMIT)
        super().__init__(f"{code}: {self.detail}" if detail else code)


class TransientClientError(Exception):
    """No usable answer: out of reach, too slow, or broken. Worth another try."""


class AnswerTooLarge(TransientClientError):
    """The other side would answer if less were asked at once."""
