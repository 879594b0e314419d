"""The operators' console: its first page answers what an operator asks first.

The numbers come from onchain.services.overview; here they get their words, their
links to the filtered lists, and the addresses of the operator's own keys. Nothing
asks the network, so balances are not here: they are not rows.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Model
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django_celery_results.models import TaskResult

from accounts import mails
from accounts.admin_display import EMPTY, badge, moment_text, short_moment
from accounts.admin_site import PasskeyAdminSite
from accounts.models import Credential, OutgoingMail
from accounts.provider_kinds import ProviderKind, credentials_of
from onchain import failures
from onchain.admin_display import (
    CHAIN_TIME,
    full_address,
    gwei,
    link,
    list_url,
)
from onchain.models import (
    Budget,
    Chain,
    Heartbeat,
    JournalEntry,
    KeyProof,
    RelayerTransaction,
    Safe,
    UserOperation,
)
from onchain.protocol.types import to_address
from onchain.services import budgets, journal, overview, relayer, sponsorship
from onchain.services import health as health_service
from wallet_site.sponsor_console import sponsor_facts, sponsor_lines

KINDS: dict[type[Model], str] = {
    UserOperation: "Operations",
    Safe: "Deployments",
    RelayerTransaction: "Relayer transactions",
    KeyProof: "Key proofs",
}
BY_NAME = {str(model._meta.model_name): model for model in KINDS}
# The column that overview.failures() measures a day by, as a parameter of the list.
SINCE: dict[type[Model], str] = {Safe: "deployment_requested_at"}


class Console(PasskeyAdminSite):
    """The admin whose first page is about now."""

    index_title = "Overview"

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show how everything is, from rows."""
        return super().index(request, overview_context() | (extra_context or {}))


def overview_context() -> dict[str, Any]:
    """Return what the first page shows."""
    now = timezone.now()
    health = health_service.health(now=now)
    work = work_rows(now)
    return {
        "as_of": moment_text(now),
        "problems": [
            *problem_lines(health, work),
            *budget_lines(health),
            *sponsor_lines(health.chain),
            *alarm_lines(),
            *mail_lines(now),
        ],
        "notes": health.notes,
        "components": component_rows(health),
        "chain": chain_facts(health),
        "work": work,
        "stuck_minutes": overview.STUCK_MINUTES,
        "failures": failure_rows(now),
        "sponsored": sponsor_facts(health.chain),
        "keys": keys(),
        "passkeys": passkey_rows(),
        "journal": [
            {"entry": entry, "when": short_moment(entry.created_at)}
            for entry in overview.newest_entries()
        ],
    }


def problem_lines(
    health: health_service.Health, work: list[dict[str, Any]]
) -> list[dict[str, str]]:
    """Return what an operator should look at, and where."""
    lines = [{"text": text, "url": list_url(Heartbeat)} for text in health.problems]
    stuck = [row for row in work if row["stuck"]]
    return lines + [{"text": row["problem"], "url": row["stuck_url"]} for row in stuck]


def budget_lines(health: health_service.Health) -> list[dict[str, str]]:
    """Return what is paused, and what waits for tomorrow."""
    if health.chain is None:
        return []
    lines = [
        {"text": text, "url": list_url(Budget)}
        for text in budgets.problems(chain=health.chain)
    ]
    if health.chain.deployments_paused:
        lines.append({"text": "Deployments are paused.", "url": list_url(Chain)})
    return lines


def alarm_lines() -> list[dict[str, str]]:
    """Return whether somebody changed what people had prepared or signed (R24)."""
    count = journal.alarms().count()
    if not count:
        return []
    text = (
        "Operations that were changed after they were prepared, and stopped: "
        f"{count}. Somebody writes into the database. Look, then acknowledge them."
    )
    return [{"text": text, "url": list_url(JournalEntry, alarm="yes")}]


def mail_lines(now: datetime) -> list[dict[str, str]]:
    """Return what is wrong with the mails that people were promised."""
    failed, waiting = mails.unsent(now=now)
    lines = []
    if failed:
        text = f"Mails that could not be sent in a day: {failed}."
        lines.append(
            {"text": text, "url": list_url(OutgoingMail, status__exact="failed")}
        )
    if waiting:
        text = f"Mails that have waited for 5 minutes: {waiting}."
        lines.append({"text": text, "url": list_url(OutgoingMail)})
    return lines


def component_rows(health: health_service.Health) -> list[dict[str, Any]]:
    """Return one line for each part of the system."""
    return [
        {
            "name": part.name,
            "state": badge("Answering", "good")
            if part.is_well
            else badge("Silent", "bad"),
            "seen": "Never" if part.seen_at is None else short_moment(part.seen_at),
            "detail": part.detail,
        }
        for part in health.components
    ]


def chain_facts(health: health_service.Health) -> dict[str, Any]:
    """Return what is known of the configured chain."""
    chain = health.chain
    if chain is None or chain.head_number is None:
        return {"name": settings.CHAIN_NAME, "id": settings.CHAIN_ID, "head": None}
    return {
        "name": link(chain, chain.name),
        "id": chain.chain_id,
        "head": chain.head_number,
        "head_age": CHAIN_TIME.short(chain.head_timestamp or 0),
        "base_fee": EMPTY if chain.base_fee_wei is None else gwei(chain.base_fee_wei),
        "follower": chain.follower_name or EMPTY,
    }


def work_rows(now: datetime) -> list[dict[str, Any]]:
    """Return how much of each kind of work is under way, and what is stuck."""
    rows = []
    for model, label in KINDS.items():
        work = overview.work(model, now=now)
        verb = "is" if work.stuck == 1 else "are"
        rows.append(
            {
                "label": label,
                "url": list_url(model),
                "under_way": work.under_way,
                "stuck": work.stuck,
                "stuck_url": list_url(model, stuck="yes"),
                "since": work.stuck_since and short_moment(work.stuck_since),
                "problem": f"{label}: {work.stuck} {verb} stuck.",
            }
        )
    return rows


def failure_rows(now: datetime) -> list[dict[str, Any]]:
    """Return what failed in the last day, with the words people were shown."""
    since = (now - timedelta(hours=overview.FAILURE_HOURS)).isoformat()
    rows = []
    for group in overview.failures(now=now):
        model = BY_NAME.get(group.kind)
        words = failures.WORDS.get(group.code) if model is UserOperation else None
        rows.append(
            {
                "label": "Workers' errors" if model is None else KINDS[model],
                "code": group.code,
                "words": "" if words is None else words.title,
                "count": group.count,
                "newest": short_moment(group.newest),
                "url": failure_url(model, group.code, since),
            }
        )
    return rows


def failure_url(model: type[Model] | None, code: str, since: str) -> str:
    """Return the list of the rows of one group of failures."""
    if model is None:
        return list_url(TaskResult, status__exact="FAILURE")
    since_name = f"{SINCE.get(model, 'created_at')}__gte"
    if model is KeyProof:
        found = {"status__exact": KeyProof.Status.REFUSED.value}
    else:
        found = {"failure_code": "" if code == overview.NO_CODE else code}
    return list_url(model, **{since_name: since}, **found)


def passkey_rows() -> list[dict[str, Any]]:
    """Return how many passkeys there are, by what their providers say."""
    counts = Credential.objects.aggregate(
        **{kind.name: Count("pk", filter=credentials_of(kind)) for kind in ProviderKind}
    )
    return [
        {
            "label": kind.label,
            "count": counts[kind.name],
            "url": list_url(Credential, kind=kind.value),
        }
        for kind in ProviderKind
    ]


def keys() -> list[dict[str, Any]]:
    """Return the addresses of what the operator holds; never the keys themselves."""
    paymaster = sponsorship.paymaster_address()
    return [
        {
            "name": "Relayer",
            "address": _address_of(settings.RELAYER_PRIVATE_KEY),
            "use": "Pays for deployments. Keep some ETH on it.",
        },
        {
            "name": "Sponsor",
            "address": _address_of(settings.SPONSOR_PRIVATE_KEY),
            "use": "Signs for fees. It needs no ETH.",
        },
        {
            "name": "Paymaster",
            "address": EMPTY if paymaster is None else full_address(paymaster),
            "use": "Pays fees from its deposit at the EntryPoint."
            if paymaster is not None
            else _without_paymaster(),
        },
    ]


def _without_paymaster() -> str:
    if settings.PAYMASTER_URL:
        return "A paymaster service pays, from its own."
    return "None is set, so every account pays its own fees."


def _address_of(private_key: str) -> object:
    return full_address(to_address(relayer.account_of(private_key).address))
