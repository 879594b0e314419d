"""The console: everything can be found and read, nothing can be changed (R26)."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_results.models import GroupResult, TaskResult

from accounts.models import Ceremony, Enrolment, User
from onchain.admin import NudgeAdmin
from onchain.models import (
    Block,
    Chain,
    JournalEntry,
    KeyProof,
    Owner,
    RelayerTransaction,
    Safe,
    UserOperation,
)
from onchain.protocol.types import checksum_address
from onchain.services import key_proofs
from tests.factories import make_operator
from tests.pages import Page
from tests.wallets import Status, Wallet, make_operation

pytestmark = pytest.mark.django_db

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
NUDGED = [
    model for model in MODELS if isinstance(admin.site._registry[model], NudgeAdmin)
]
HASH = b"\xab" * 32


def label(model: type) -> str:
    return model._meta.label


def url_of(model: type, action: str, *arguments: object) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{action}"
    return reverse(name, args=arguments)


@pytest.fixture
def operator(db) -> Client:
    client = Client()
    client.force_login(make_operator())
    return client


@pytest.fixture
def everything(alice) -> Wallet:
    """One row at least of every model that the console shows."""
    op = make_operation(alice, Status.INCLUDED)
    make_operation(alice, Status.DRAFT)
    chain = alice.safe.chain
    key_proofs.open_proof(owner=alice.safe.owners.get())
    Block.objects.create(chain=chain, number=100, hash=HASH, timestamp=1)
    RelayerTransaction.objects.create(
        chain=chain,
        purpose=RelayerTransaction.Purpose.FAUCET,
        requested_by=alice.user,
        to=alice.safe.address,
        value_wei=10**18,
        sender=b"\1" * 20,
        nonce=1,
        raw=b"\2",
        hash=HASH,
    )
    JournalEntry.objects.create(actor=alice.user, action="test", target=f"{op}")
    later = timezone.now() + timedelta(minutes=5)
    enrolment = Enrolment.objects.create(
        token_hash=HASH, operator_name="sam", expires_at=later
    )
    Ceremony.objects.create(
        challenge=b"\3" * 64,
        purpose=Ceremony.Purpose.ENROLMENT,
        session_hash=HASH,
        enrolment=enrolment,
        expires_at=later,
    )
    TaskResult.objects.create(task_id=str(uuid.uuid4()), task_name="sweep")
    GroupResult.objects.create(group_id=str(uuid.uuid4()))
    return alice


def found(client: Client, model: type, query: str) -> list[object]:
    response = client.get(url_of(model, "changelist"), {"q": query})
    assert response.status_code == 200, query
    return list(response.context["cl"].result_list)


# --- Who enters ------------------------------------------------------------------------


def test_every_model_of_both_apps_is_registered():
    ours = {
        model
        for app in ("accounts", "onchain")
        for model in apps.get_app_config(app).get_models()
    }

    assert ours <= set(MODELS)


@pytest.mark.parametrize("model", MODELS, ids=label)
@pytest.mark.parametrize("action", ["changelist", "add"])
def test_a_stranger_is_sent_to_the_passkey(model, action, db):
    url = url_of(model, action)

    response = Client().get(url)

    assert response.status_code == 302
    assert response["Location"] == f"{reverse('admin:login')}?next={url}"


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_a_person_is_sent_to_the_passkey_too(model, alice):
    response = alice.client.get(url_of(model, "changelist"), follow=True)

    page = Page(response)
    assert response.redirect_chain[0][0].startswith(reverse("admin:login"))
    assert "Sign in with passkey" in page.words
    assert "who is not an operator" in page.words


@pytest.mark.parametrize("model", NUDGED, ids=label)
def test_a_person_nudges_nothing(model, everything):
    row = model.objects.first()

    response = nudge(everything.client, row)

    assert response.status_code == 302
    assert not JournalEntry.objects.filter(action="nudge").exists()


# --- Reading ---------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_an_operator_sees_the_list_and_each_row(model, operator, everything):
    changelist = operator.get(url_of(model, "changelist"))
    row = model.objects.first()
    detail = operator.get(url_of(model, "change", row.pk))

    assert changelist.status_code == 200
    assert changelist.context["cl"].result_count >= 1
    assert detail.status_code == 200
    assert "b&#x27;" not in detail.content.decode(), "bytes belong on a page as hex"
    assert "&lt;memory" not in detail.content.decode()


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_nothing_can_be_typed_into_a_row(model, operator, everything):
    page = Page(operator.get(url_of(model, "change", model.objects.first().pk)))

    typed = {
        element["name"]
        for tag, element in page.elements
        if tag in {"input", "select", "textarea"} and "name" in element
    }
    assert typed <= {"csrfmiddlewaretoken"}
    assert 'type="password"' not in page.html
    assert 'name="_save"' not in page.html


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF", id="address"),
        pytest.param("0x" + "ab" * 32, id="hash"),
        pytest.param("0x2B5A", id="part-of-an-address"),
        pytest.param("0x" + "ab" * 33, id="too-long"),
        pytest.param("31337", id="number"),
        pytest.param("9" * 40, id="large-number"),
        pytest.param("-1", id="negative"),
        pytest.param("Latchkey", id="word"),
        pytest.param("'; --", id="sql"),
        pytest.param("\u202eabc \u0665", id="unicode"),
        pytest.param("%_\\", id="wildcards"),
        pytest.param('"open', id="an-open-quote"),
    ],
)
def test_any_search_is_answered(query, operator, everything):
    for model in MODELS:
        found(operator, model, query)


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_a_search_with_nul_is_answered(model, operator, everything):
    response = operator.get(url_of(model, "changelist"), {"q": "a\0b"})

    assert response.status_code in {200, 302}


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_every_model_can_be_searched_and_filtered(model, operator, everything):
    options = admin.site._registry[model]
    response = operator.get(url_of(model, "changelist"))

    if model is not GroupResult:
        assert options.search_fields
        assert options.list_filter
    for spec in response.context["cl"].filter_specs:
        for choice in spec.choices(response.context["cl"]):
            answer = operator.get(url_of(model, "changelist") + choice["query_string"])
            assert answer.status_code == 200, choice


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_every_column_can_be_sorted(model, operator, everything):
    columns = len(operator.get(url_of(model, "changelist")).context["cl"].list_display)

    for column in range(-columns, columns):
        answer = operator.get(url_of(model, "changelist"), {"o": f"{column}"})
        assert answer.status_code == 200


@pytest.mark.parametrize("spelling", [str, str.lower, lambda text: text[2:].lower()])
def test_an_account_is_found_by_its_address(spelling, operator, everything, bob):
    assert found(operator, Safe, spelling(everything.safe.address_text)) == [
        everything.safe
    ]


def test_rows_are_found_by_the_address_of_their_account(operator, everything, bob):
    text = everything.safe.address_text

    assert found(operator, Owner, text) == [everything.safe.owners.get()]
    assert set(found(operator, UserOperation, text)) == set(
        everything.safe.operations.all()
    )
    assert found(operator, RelayerTransaction, text) == [
        RelayerTransaction.objects.get()
    ]


def test_rows_are_found_by_the_address_of_their_signer(operator, everything, bob):
    owner = everything.safe.owners.get()

    assert found(operator, Owner, owner.address_text) == [owner]
    assert found(operator, KeyProof, owner.address_text) == [KeyProof.objects.get()]


def test_an_operation_is_found_by_either_hash(operator, everything):
    op = UserOperation.objects.get(status=Status.INCLUDED)

    for digest in (op.user_operation_hash, op.transaction_hash):
        assert found(operator, UserOperation, f"0x{digest.hex()}") == [op]


def test_an_operation_shows_addresses_and_hashes_as_people_write_them(
    operator, everything
):
    op = UserOperation.objects.get(status=Status.INCLUDED)

    words = Page(operator.get(url_of(UserOperation, "change", op.pk))).words

    assert checksum_address(op.recipient) in words
    assert f"0x{op.user_operation_hash.hex()}" in words


def test_what_is_secret_is_on_no_page(operator, everything):
    secrets = {
        "challenge": ("03" * 64, str(b"\3" * 64)),
        "signature": ("05" * 96, str(b"\5" * 96)),
    }
    for model in MODELS:
        html = operator.get(
            url_of(model, "change", model.objects.first().pk)
        ).content.decode()
        for name, spellings in secrets.items():
            assert not any(text in html for text in spellings), (model, name)


# --- Changing --------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS, ids=label)
@pytest.mark.parametrize("method", ["get", "post"])
def test_nothing_can_be_added(model, method, operator, everything):
    before = model.objects.count()

    response = getattr(operator, method)(url_of(model, "add"))

    assert response.status_code == 403
    assert model.objects.count() == before


@pytest.mark.parametrize("model", MODELS, ids=label)
@pytest.mark.parametrize("method", ["get", "post"])
def test_nothing_can_be_deleted(model, method, operator, everything):
    row = model.objects.first()

    response = getattr(operator, method)(
        url_of(model, "delete", row.pk), {"post": "yes"}
    )

    assert response.status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_nothing_can_be_changed(model, operator, everything):
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


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_the_only_action_is_to_nudge(model, operator, everything):
    html = operator.get(url_of(model, "changelist")).content.decode()

    assert "delete_selected" not in html
    assert ("Nudge again" in html) is (model in NUDGED)


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_deleting_by_an_action_does_nothing(model, operator, everything):
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


def nudge(client: Client, *rows):
    return client.post(
        url_of(type(rows[0]), "changelist"),
        {"action": "nudge_again", "_selected_action": [row.pk for row in rows]},
    )


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
