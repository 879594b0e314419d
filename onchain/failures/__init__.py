"""Failures in words, by family of codes; ``telling`` puts them together."""

from __future__ import annotations

from onchain.failures.telling import WORDS, Failure, failure_of

__all__ = ("WORDS", "Failure", "failure_of")
