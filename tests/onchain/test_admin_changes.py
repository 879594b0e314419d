"""The console: nothing can be changed, only nudged, and that is written down (R26)."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from onchain.models import (
    Chain,
    JournalEntry,
    Owner,
    RelayerTransaction,
    Safe,
    UserOperation,
)
from tests.onchain.console import MODELS, NUDGED, label, nudge, url_of
from tests.pages import Page

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

# --- Changing --------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
def test_nothing_can_be_added(method, operator, everything, subtests):
    for model in MODELS:
        with subtests.test(label(model)):
            before = model.objects.count()

            response = getattr(operator, method)(url_of(model, "add"))

            assert response.status_code == 403
            assert model.objects.count() == before


@pytest.mark.parametrize("method", ["get", "post"])
def test_nothing_can_be_deleted(method, operator, everything, subtests):
    for model in MODELS:
        with subtests.test(label(model)):
            row = model.objects.first()

            response = getattr(operator, method)(
                url_of(model, "delete", row.pk), {"post": "yes"}
            )

            assert response.status_code == 403
            assert model.objects.filter(pk=row.pk).exists()


def test_nothing_can_be_changed(operator, everything, subtests):
    for model in MODELS:
        with subtests.test(label(model)):
            before = list(model.objects.values())
            row = model.objects.first()
            everything_typed = {
                field.name: "1" for field in model._meta.get_fields() if field.concrete
            }

            response = operator.post(
                url_of(model, "change", row.pk), everything_typed | {"_save": "Save"}
            )

            assert response.status_code == 403
            assert list(model.objects.values()) == before


def test_the_only_action_is_to_nudge(operator, everything, subtests):
    for model in MODELS:
        with subtests.test(label(model)):
            html = operator.get(url_of(model, "changelist")).content.decode()

            assert "delete_selected" not in html
            assert ("Nudge again" in html) is (model in NUDGED)


def test_deleting_by_an_action_does_nothing(operator, everything, subtests):
    for model in MODELS:
        with subtests.test(label(model)):
            before = list(model.objects.order_by("pk").values())

            operator.post(
                url_of(model, "changelist"),
                {
                    "action": "delete_selected",
                    "_selected_action": model.objects.first().pk,
                    "post": "yes",
                },
            )

            assert list(model.objects.order_by("pk").values()) == before


# --- Nudging ---------------------------------------------------------------------------


@pytest.mark.parametrize("model", NUDGED, ids=label)
def test_a_nudge_wakes_a_worker_and_is_written_down(
    model, operator, everything, django_capture_on_commit_callbacks
):
    row = model.objects.first()

    with django_capture_on_commit_callbacks() as nudges:
        response = nudge(operator, row)

    entry = JournalEntry.objects.get(action="nudge")
    assert response.status_code == 302
    assert len(nudges) == 1
    assert entry.actor.is_staff
    assert entry.target == f"{model._meta.model_name} {row.pk}"
    assert "Nudged: 1." in Page(operator.get(url_of(model, "changelist"))).words


def test_several_rows_are_written_down_each(operator, everything):
    nudge(operator, *UserOperation.objects.all())

    assert JournalEntry.objects.filter(action="nudge").count() == 2


def test_a_failed_account_queues_up_again(operator, everything):
    Safe.objects.update(
        status=Safe.Status.FAILED, failure_code="reverted", deployment_attempts=3
    )

    nudge(operator, everything.safe)

    safe = Safe.objects.get()
    assert safe.status == Safe.Status.QUEUED
    assert safe.failure_code == ""
    assert safe.deployment_attempts == 0
    assert safe.deployment_requested_at is not None


def test_a_nudge_changes_no_money_key_or_owner(operator, everything):
    def facts() -> list:
        return [
            *Safe.objects.values("address", "balance_wei", "threshold", "setup_data"),
            *Owner.objects.values("address", "proven_at", "credential"),
            *UserOperation.objects.values("status", "recipient", "value_wei"),
            *RelayerTransaction.objects.values("status", "to", "value_wei", "raw"),
            *User.objects.values("is_staff", "session_epoch"),
        ]

    before = facts()

    for model in NUDGED:
        nudge(operator, *model.objects.all())

    assert facts() == before


def test_the_journal_itself_cannot_be_nudged(operator, everything):
    nudge(operator, JournalEntry.objects.first())

    assert not JournalEntry.objects.filter(action="nudge").exists()


# --- Pages around it -------------------------------------------------------------------


@pytest.mark.parametrize("path", ["password_change/", "password_change/done/"])
def test_there_is_no_password_page(path, operator):
    assert operator.get(f"/admin/{path}").status_code == 404


@pytest.mark.parametrize("name", ["index", "login"])
def test_no_page_around_asks_for_a_password(name, operator):
    for client in (operator, Client()):
        page = Page(client.get(reverse(f"admin:{name}"), follow=True))
        names = {element["name"] for element in page.with_attribute("name")}
        assert 'type="password"' not in page.html
        assert not names & {"password", "username"}
        assert "password_change" not in page.html


def test_the_index_lists_every_model(operator):
    page = Page(operator.get(reverse("admin:index")))

    links = {element["href"] for element in page.with_attribute("href")}
    assert {url_of(model, "changelist") for model in MODELS} <= links


def test_the_chain_keeps_its_code_to_itself(operator, everything):
    chain = Chain.objects.get()

    html = operator.get(url_of(Chain, "change", chain.pk)).content.decode()

    assert bytes(chain.signer_proxy_code).hex() not in html
