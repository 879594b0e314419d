"""The one way a row moves between states."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)


class TransitionQuerySet(models.QuerySet[Row]):
    """A QuerySet whose rows move by one conditional UPDATE.

    The model lists its legal moves in ``MOVES``, from each state to the set of states
    it may move to.
    """

    def transition(self, pk: int, *, source: str, target: str, **fields: Any) -> bool:
        """Move one row from ``source`` to ``target``; False if it was not in it.

        Raises:
            ValueError: the move is not one of the model's ``MOVES``.
        """
        if target not in self.model.MOVES[source]:  # type: ignore[attr-defined]
            raise ValueError(f"{self.model.__name__}: {source} to {target} is no move")
        rows = self.filter(pk=pk, status=source)
        return rows.update(status=target, **fields) == 1
