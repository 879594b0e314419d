"""/health/: whether the parts of the site were heard of lately.

A page never calls the network, and neither does this one: follower and worker write
heartbeats, and silence longer than COMPONENT_STALE_SECONDS turns the answer. Reading
the rows checks the database on the way.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse
from health_check.base import HealthCheck
from health_check.exceptions import ServiceUnavailable, ServiceWarning
from health_check.views import HealthCheckView

from onchain.models import Chain, Heartbeat
from onchain.services import journal
from onchain.services.health import (
    expected_components,
    silences,
    silent_components,
)


@dataclasses.dataclass
class ComponentCheck(HealthCheck):
    """One component of the configured chain."""

    component: str = ""

    def run(self) -> None:
        """Raise when the component has been silent for too long."""
        try:
            rows = list(Heartbeat.objects.filter(chain__chain_id=settings.CHAIN_ID))
        finally:
            connections.close_all()  # checks run in a thread of their own
        words = silences(silent=silent_components(rows=rows))
        if self.component in words:
            raise ServiceUnavailable(words[self.component])


@dataclasses.dataclass
class ContractsCheck(HealthCheck):
    """The chain's contracts are the pinned ones (security.md R22)."""

    subject: ClassVar = "contracts"

    def run(self) -> None:
        """Raise when submissions are stopped."""
        try:
            chain = Chain.objects.filter(chain_id=settings.CHAIN_ID).first()
        finally:
            connections.close_all()
        if chain is None:
            raise ServiceUnavailable("The chain was never reached.")
        if chain.problem:
            raise ServiceUnavailable(chain.problem)
        if chain.catching_up:
            raise ServiceWarning(f"Catching up: {chain.catching_up}.")


@dataclasses.dataclass
class AlarmsCheck(HealthCheck):
    """No row was found changed, or operators have looked at those (R24, R28)."""

    subject: ClassVar = "rows"

    def run(self) -> None:
        """Raise while alarms wait in the journal."""
        try:
            count = journal.alarms().count()
        finally:
            connections.close_all()
        if count:
            raise ServiceUnavailable(f"Rows were found changed: {count}.")


class HealthView(HealthCheckView):
    """The checks, as a page, JSON (?format=json) or text."""

    template_name = "health.html"
    checks = (
        ContractsCheck,
        AlarmsCheck,
        *(
            (ComponentCheck, {"component": component.value})
            for component in expected_components()
        ),
    )

    async def get(
        self, request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponse:
        """Answer in text where the Accept header cannot be read, as Java's cannot."""
        try:
            return await super().get(request, *args, **kwargs)
        except ValueError:
            has_errors = any(result.error for result in self.results)
            return self.render_to_response_text(500 if has_errors else 200)
