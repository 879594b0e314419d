"""A database that is away takes no worker with it (security.md R51)."""

from __future__ import annotations

import pytest
from celery import states
from django.db import OperationalError
from django_celery_results.models import TaskResult

from wallet_site.celery import app
from wallet_site.results import ResultsBackend


@pytest.mark.django_db
def test_the_error_of_a_task_is_kept():
    app.backend.store_result("a-task", ValueError("no"), states.FAILURE)

    assert isinstance(app.backend, ResultsBackend)
    assert TaskResult.objects.get(task_id="a-task").status == states.FAILURE


def test_an_error_that_cannot_be_kept_is_said_and_goes_no_further(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def away(**_fields: object) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(TaskResult._default_manager, "store_result", away)

    app.backend.store_result("a-task", ValueError("no"), states.FAILURE)

    assert "the result of task a-task is not kept" in caplog.text
