"""The console: everything can be found and read, nothing can be changed (R26)."""

from __future__ import annotations

import uuid

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from django_celery_results.models import GroupResult

from onchain.models import (
    Chain,
    JournalEntry,
    KeyProof,
    Owner,
    RelayerTransaction,
    Safe,
    UserOperation,
)
from onchain.protocol.deployments import RECOVERY_MODULES
from onchain.protocol.types import checksum_address
from onchain.services.recovery_stand_in import in_words
from tests.onchain.console import MODELS, NUDGED, REGISTERED, label, nudge, url_of
from tests.pages import Page
from tests.wallets import Status

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize("action", ["changelist", "add"])
def test_a_stranger_is_sent_to_the_passkey(action, db, subtests):
    for model in MODELS:
        with subtests.test(label(model)):
            url = url_of(model, action)

            response = Client().get(url)

            assert response.status_code == 302
            assert response["Location"] == f"{reverse('admin:login')}?next={url}"


def test_a_person_is_sent_to_the_passkey_too(alice, subtests):
    for model in MODELS:
        with subtests.test(label(model)):
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


@pytest.mark.thorough
def test_an_operator_sees_the_list_and_each_row(operator, everything, subtests):
    for model in MODELS:
        with subtests.test(label(model)):
            changelist = operator.get(url_of(model, "changelist"))
            row = model.objects.first()
            detail = operator.get(url_of(model, "change", row.pk))

            assert changelist.status_code == 200
            assert changelist.context["cl"].result_count >= 1
            assert detail.status_code == 200
            assert "b&#x27;" not in detail.content.decode(), (
                "bytes belong on a page as hex"
            )
            assert "&lt;memory" not in detail.content.decode()


@pytest.mark.parametrize(
    ("is_local", "kind", "shown"),
    [
        (
            True,
            "Stand-ins Code of our own",
            ["3 minutes", "3 days", "7 days", "14 days"],
        ),
        (False, "Canonical Candide's released", ["3 days", "7 days", "14 days"]),
    ],
)
def test_a_chain_says_whether_its_recovery_modules_are_stand_ins(
    operator, everything, settings, is_local, kind, shown
):
    settings.LOCAL_CHAIN = is_local

    words = Page(operator.get(url_of(Chain, "change", everything.safe.chain.pk))).words

    assert kind in words
    listed = [
        f"{in_words(delay)}: {checksum_address(module)}"
        for delay, module in RECOVERY_MODULES.items()
    ]
    assert [item.split(":")[0] for item in listed if item in words] == shown


@pytest.mark.thorough
def test_nothing_can_be_typed_into_a_row(operator, everything, subtests):
    for model in MODELS:
        with subtests.test(label(model)):
            page = Page(operator.get(url_of(model, "change", model.objects.first().pk)))

            typed = {
                element["name"]
                for tag, element in page.elements
                if tag in {"input", "select", "textarea"} and "name" in element
            }
            assert typed <= {"csrfmiddlewaretoken"}
            assert 'type="password"' not in page.html
            assert 'name="_save"' not in page.html


@pytest.mark.thorough
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


@pytest.mark.thorough
def test_a_search_with_nul_is_answered(operator, everything, subtests):
    for model in MODELS:
        with subtests.test(label(model)):
            response = operator.get(url_of(model, "changelist"), {"q": "a\0b"})

            assert response.status_code in {200, 302}


@pytest.mark.thorough
@pytest.mark.parametrize("model", MODELS, ids=label)
def test_every_model_can_be_searched_and_filtered(model, operator, everything):
    options = REGISTERED[model]
    response = operator.get(url_of(model, "changelist"))

    if model is not GroupResult:
        assert options.search_fields
        assert options.list_filter
    for spec in response.context["cl"].filter_specs:
        for choice in spec.choices(response.context["cl"]):
            answer = operator.get(url_of(model, "changelist") + choice["query_string"])
            assert answer.status_code == 200, choice


@pytest.mark.thorough
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


def test_the_addition_of_a_passkey_says_what_it_is_and_whom_it_adds(
    operator, everything
):
    signer = b"\x51" * 20
    op = UserOperation.objects.create(
        safe=everything.safe,
        created_by=everything.user,
        idempotency_key=uuid.uuid4(),
        kind=UserOperation.Kind.ADD_PASSKEY,
        recipient=everything.safe.address,
        value_wei=0,
        new_credential=everything.safe.owners.get().credential,
        new_signer=signer,
        new_threshold=1,
    )

    changelist = Page(operator.get(url_of(UserOperation, "changelist"))).words
    words = Page(operator.get(url_of(UserOperation, "change", op.pk))).words

    assert "Add a passkey" in changelist
    assert "Payment" in changelist
    assert checksum_address(signer) in words
    assert found(operator, UserOperation, checksum_address(signer)) == [op]


def test_an_owner_that_the_chain_has_no_more_is_marked(operator, everything):
    listed = Page(operator.get(url_of(Owner, "changelist"), {"kind": "passkey"}))
    Owner.objects.update(is_current=False)

    page = Page(operator.get(url_of(Owner, "changelist"), {"kind": "passkey"}))

    assert "Removed" in page.words
    assert "Removed" not in listed.words


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
