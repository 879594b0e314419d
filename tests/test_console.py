"""The console's first page, its lists and its style: what an operator reads there."""

from __future__ import annotations

import html
import re
import uuid
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_results.models import TaskResult

from accounts.admin_display import age
from accounts.models import Credential, EmailAddress, OutgoingMail
from onchain.admin_display import TONES, gwei
from onchain.models import (
    Block,
    Chain,
    Heartbeat,
    JournalEntry,
    KeyProof,
    PaymasterDeposit,
    RelayerTransaction,
    Safe,
    Sponsorship,
    UserOperation,
)
from onchain.services import budgets, journal, key_proofs, overview, pauses, sponsorship
from onchain.services.health import expected_components
from tests.factories import make_credential, make_operator
from tests.pages import Page
from tests.soft_authenticator import SoftAuthenticator
from tests.wallets import Status, Wallet, key_of, make_operation, make_wallet
from wallet_site.celery import app
from wallet_site.console import Console

pytestmark = pytest.mark.django_db

STATIC = Path(django_settings.BASE_DIR) / "static"
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
INDEX_QUERIES = 20
WORK = [UserOperation, Safe, RelayerTransaction, KeyProof]
GOOGLE = uuid.UUID("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4")  # Password Manager
HASH = bytes(range(32))


def label(model: type) -> str:
    return model._meta.label


def list_url(model: type) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def row_url(row: object) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


@pytest.fixture
def operator(db: None) -> Client:
    client = Client()
    client.force_login(make_operator(name="Ada"))
    return client


@pytest.fixture
def alice(db: None) -> Wallet:
    wallet = make_wallet()
    now = int(timezone.now().timestamp())
    Chain.objects.update(head_timestamp=now - 3, head_number=1_234)
    return wallet


def index(client: Client) -> Page:
    response = client.get(reverse("admin:index"))
    assert response.status_code == 200
    return Page(response)


def links(page: Page) -> set[str]:
    return {element["href"] for element in page.with_attribute("href")}


def found(client: Client, model: type, query: str) -> list[object]:
    response = client.get(list_url(model), {"q": query})
    assert response.status_code == 200, query
    return list(response.context["cl"].result_list)


def transaction(wallet: Wallet, **fields: object) -> RelayerTransaction:
    return RelayerTransaction.objects.create(
        chain=wallet.safe.chain,
        purpose=RelayerTransaction.Purpose.FAUCET,
        to=wallet.safe.address,
        value_wei=10**18,
        **fields,
    )


# --- Health ----------------------------------------------------------------------------


def test_the_console_is_the_sites_own():
    assert issubclass(admin.site.__class__, Console)


def test_the_name_of_many_is_a_word():
    for model in MODELS:
        one, many = str(model._meta.verbose_name), str(model._meta.verbose_name_plural)

        assert many != f"{one}s" or not one.endswith(("s", "y"))


def test_a_stranger_learns_nothing_from_the_first_page(alice):
    for client in (Client(), alice.client):
        assert client.get(reverse("admin:index")).status_code == 302


# R60: an alarm for each of them would hide what really is stuck.
@pytest.mark.parametrize("held", ["pause", "budget"])
def test_accounts_that_wait_for_tomorrow_are_not_stuck(alice, held):
    long_ago = timezone.now() - timedelta(minutes=6)
    Safe.objects.update(status="queued", deployment_requested_at=long_ago)
    assert overview.work(Safe, now=timezone.now()).stuck == 1

    if held == "budget":
        budgets.note_refusal(chain=alice.safe.chain, pool="deployments")
    else:
        Chain.objects.update(deployments_paused=True)

    assert overview.work(Safe, now=timezone.now()).stuck == 0


def test_a_pause_and_a_used_up_budget_stand_among_the_problems(operator, alice):
    chain = alice.safe.chain
    budgets.note_refusal(chain=chain, pool="deployments")
    pauses.set_paused(
        chain=chain,
        switch=pauses.Switch.DEPLOYMENTS,
        is_paused=True,
        actor=make_operator(),
    )

    words = index(operator).words

    assert "Today's budget is used up: New accounts." in words
    assert "Deployments are paused." in words


def test_before_the_chain_was_reached_the_page_says_so(operator):
    page = index(operator)

    assert "The chain was never reached." in page.words
    assert page.words.count("Silent") == len(expected_components())


def test_when_everything_answers_the_page_says_so(operator, alice):
    page = index(operator)

    assert "Everything works" in page.words
    assert "Silent" not in page.words
    assert re.search(r"Head 1234 \d s ago", page.words)


@pytest.mark.parametrize("component", expected_components())
def test_a_silent_part_is_named_with_its_age_and_last_error(component, operator, alice):
    Heartbeat.objects.filter(component=component).update(
        seen_at=timezone.now() - timedelta(minutes=3), detail="it hung up"
    )

    words = index(operator).words

    assert "1 thing to look at" in words
    assert f"{component.label} is silent." in words
    assert f"{component.label} Silent 3 min ago it hung up" in words


@pytest.mark.parametrize(
    ("status", "age", "words"),
    [
        ("failed", timedelta(hours=1), "Mails that could not be sent in a day: 1."),
        ("queued", timedelta(minutes=6), "Mails that have waited for 5 minutes: 1."),
        ("failed", timedelta(days=2), ""),
        ("queued", timedelta(minutes=4), ""),
        ("sent", timedelta(minutes=6), ""),
    ],
)
def test_mails_that_do_not_go_out_are_something_to_look_at(
    status, age, words, operator, alice
):
    address = EmailAddress.objects.create(user=alice.user, address="a@example.org")
    mail = OutgoingMail.objects.create(to=address, kind="verify", status=status)
    OutgoingMail.objects.filter(pk=mail.pk).update(created_at=timezone.now() - age)

    page = index(operator)

    assert ("Mails that" in page.words) == bool(words)
    assert words in page.words
    for url in re.findall(r'href="(/admin/accounts/outgoingmail/[^"]*)"', page.html):
        assert operator.get(html.unescape(url)).status_code == 200


def test_a_part_that_was_never_heard_of_is_silent(operator, alice):
    Heartbeat.objects.filter(component="bundler").delete()

    assert "Bundler Silent Never" in index(operator).words


# R24
@pytest.mark.parametrize("code", journal.ALARMS)
def test_a_row_that_somebody_changed_is_a_problem_until_it_is_acknowledged(
    operator, alice, code
):
    journal.note(actor=None, action=code, target="operation 7")
    JournalEntry.objects.update(created_at=timezone.now() - timedelta(days=9))
    assert "Somebody writes into the database." in index(operator).words

    alarms = f"{list_url(JournalEntry)}?alarm=yes"
    chosen = {
        "action": "acknowledge_alarms",
        "_selected_action": JournalEntry.objects.get().pk,
    }
    assert "operation 7" in Page(operator.get(alarms)).words
    done = Page(operator.post(alarms, chosen, follow=True))
    again = Page(operator.post(list_url(JournalEntry), chosen, follow=True))

    assert "Acknowledged: 1." in done.words
    assert "No alarm among them waits." in again.words
    assert "Somebody writes into the database." not in index(operator).words
    said = JournalEntry.objects.get(action=journal.ACKNOWLEDGED)
    assert said.actor is not None
    assert said.detail == f"{code}: operation 7"


def test_a_chain_without_new_blocks_is_a_problem(operator, alice):
    old = int((timezone.now() - timedelta(minutes=6)).timestamp())
    Chain.objects.update(head_timestamp=old)

    words = index(operator).words

    assert "The chain has had no block for 5 minutes." in words
    assert "6 min ago" in words


def test_why_submissions_stopped_is_on_top(operator, alice):
    Chain.objects.update(problem="MultiSend has other code than the pinned one.")

    assert "MultiSend has other code than the pinned one." in index(operator).words


# --- What is stuck (R60) ---------------------------------------------------------------


def waiting_row(model: type, wallet: Wallet, seconds: int) -> object:
    """Return a row that has waited for a worker or the chain for so long."""
    moment = timezone.now() - timedelta(seconds=seconds)
    if model is UserOperation:
        fields = {"submitted_at": moment}
        row = make_operation(wallet, Status.SUBMITTED)
    elif model is Safe:
        fields = {"status": Safe.Status.QUEUED, "deployment_requested_at": moment}
        row = make_wallet().safe
    elif model is RelayerTransaction:
        fields = {"created_at": moment}
        row = transaction(wallet)
    else:
        fields = {"created_at": moment, "status": KeyProof.Status.SIGNED}
        row = key_proofs.open_proof(**key_of(wallet.safe.owners.get()))
    model.objects.filter(pk=row.pk).update(**fields)
    return row


@pytest.mark.services
@pytest.mark.parametrize("model", WORK, ids=label)
def test_what_has_not_moved_for_five_minutes_is_stuck(model, operator, alice):
    row = waiting_row(model, alice, 301)
    work = overview.work(model, now=timezone.now())

    page = index(operator)
    stuck_list = operator.get(list_url(model), {"stuck": "yes"})

    assert (work.under_way, work.stuck) == (1, 1)
    assert "1 is stuck." in page.words
    assert "1 stuck 5 min ago" in page.words
    assert f"{list_url(model)}?stuck=yes" in links(page)
    assert list(stuck_list.context["cl"].result_list) == [row]


@pytest.mark.parametrize("model", WORK, ids=label)
def test_what_moved_less_than_five_minutes_ago_is_only_under_way(
    model, operator, alice
):
    waiting_row(model, alice, 290)
    work = overview.work(model, now=timezone.now())

    page = index(operator)
    stuck_list = operator.get(list_url(model), {"stuck": "yes"})

    assert (work.under_way, work.stuck, work.stuck_since) == (1, 0, None)
    assert "Everything works" in page.words
    assert list(stuck_list.context["cl"].result_list) == []


def test_what_waits_for_a_person_is_never_stuck(alice):
    day = timezone.now() - timedelta(days=1)
    make_operation(alice, Status.AWAITING_SIGNATURES)
    make_operation(alice, Status.WITHDRAWN)
    key_proofs.open_proof(**key_of(alice.safe.owners.get()))
    unpaid = make_wallet(is_live=False).safe
    UserOperation.objects.update(created_at=day)
    KeyProof.objects.update(created_at=day)
    Safe.objects.filter(pk=unpaid.pk).update(
        created_at=day, deployment_requested_at=None
    )

    for model in WORK:
        assert overview.work(model, now=timezone.now()).under_way == 0, model


@pytest.mark.parametrize("status", [Status.DRAFT, Status.SIGNED])
def test_an_operation_counts_from_its_last_step(status, alice):
    op = make_operation(alice, status)
    old = timezone.now() - timedelta(minutes=6)
    UserOperation.objects.filter(pk=op.pk).update(created_at=old)

    work = overview.work(UserOperation, now=timezone.now())

    assert work.stuck == (1 if status == Status.DRAFT else 0)


def test_a_deployment_that_was_given_up_waits_for_an_operator(alice):
    old = timezone.now() - timedelta(hours=1)
    Safe.objects.update(status=Safe.Status.FAILED, deployment_requested_at=old)

    assert overview.work(Safe, now=timezone.now()).stuck == 1


# --- What failed -----------------------------------------------------------------------


@pytest.mark.services
def test_failures_are_grouped_by_code_and_lead_to_their_rows(operator, alice):
    for code in ("AA21", "AA21", "bundler-refused"):
        make_operation(alice, Status.REJECTED, failure_code=code)
    transaction(alice, status="failed", failure_code="reverted")
    TaskResult.objects.create(task_id=str(uuid.uuid4()), status="FAILURE")

    page = index(operator)

    assert "2 AA21 Not enough for the fee Operations" in page.words
    assert "1 bundler-refused" in page.words
    assert "1 reverted Relayer transactions" in page.words
    assert "1 no-code Workers' errors" in page.words
    counts = {}
    for url in links(page):
        if "failure_code=" in url:
            response = operator.get(url)
            code = response.context["cl"].params["failure_code"]
            counts[code] = response.context["cl"].result_count
    assert counts == {"AA21": 2, "bundler-refused": 1, "reverted": 1}


def test_a_given_up_deployment_and_a_refused_proof_are_failures(operator, alice):
    Safe.objects.update(status=Safe.Status.FAILED, failure_code="node-refused")
    key_proofs.open_proof(**key_of(alice.safe.owners.get()))
    KeyProof.objects.update(status=KeyProof.Status.REFUSED)

    groups = overview.failures(now=timezone.now())

    assert {(group.kind, group.code, group.count) for group in groups} == {
        ("safe", "node-refused", 1),
        ("keyproof", "refused", 1),
    }


def test_what_failed_the_day_before_yesterday_is_over(operator, alice):
    make_operation(alice, Status.REJECTED, failure_code="AA21")
    old = timezone.now() - timedelta(hours=25)
    UserOperation.objects.update(created_at=old)

    assert overview.failures(now=timezone.now()) == []
    assert "Nothing failed." in index(operator).words


def test_a_payment_that_a_person_let_lapse_is_no_failure(alice):
    make_operation(alice, Status.EXPIRED, failure_code="expired")

    assert overview.failures(now=timezone.now()) == []


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"failure_code": "not-prepared"}, id="never-prepared"),
        pytest.param(
            {"failure_code": "expired", "signed_at": timezone.now()}, id="signed"
        ),
    ],
)
def test_a_payment_that_the_system_let_lapse_is_a_failure(fields, alice):
    make_operation(alice, Status.EXPIRED, **fields)

    (group,) = overview.failures(now=timezone.now())

    assert (group.code, group.count) == (fields["failure_code"], 1)


# --- Passkeys -------------------------------------------------------------------------


def test_passkeys_are_counted_by_what_their_providers_say(operator, alice):
    """L-15"""
    make_credential(SoftAuthenticator(aaguid=GOOGLE.bytes), user=alice.user)

    page = index(operator)

    assert "Software provider, claimed 1" in page.words
    assert "Other listed provider, claimed 0" in page.words
    assert "Not said 1" in page.words
    assert f"{list_url(Credential)}?kind=software" in links(page)


# --- Sponsorship and keys --------------------------------------------------------------


def sponsored(
    wallet: Wallet, wei: int, *, is_paid: bool, pool: str = Sponsorship.Pool.ESTABLISHED
) -> Sponsorship:
    op = make_operation(wallet, Status.INCLUDED if is_paid else Status.SUBMITTED)
    return Sponsorship.objects.create(
        operation=op,
        safe=wallet.safe,
        chain=wallet.safe.chain,
        pool=pool,
        signers=1,
        reserved_wei=wei,
        paid_wei=wei if is_paid else None,
        paid_at=timezone.now() if is_paid else None,
        valid_until=op.valid_until,
    )


def test_sponsored_operations_stand_beside_their_limits(operator, alice, settings):
    settings.SPONSOR_DAILY_TOTAL = 1_500
    settings.SPONSOR_DAILY_TOTAL_WEI = 10**18
    settings.SPONSOR_DAILY_OPERATIONS = 20
    settings.SPONSOR_SAFETY_WEI = 10**17
    bob = make_wallet()
    sponsored(alice, 3 * 10**14, is_paid=True)
    sponsored(alice, 5 * 10**14, is_paid=False)
    sponsored(bob, 10**14, is_paid=True, pool=Sponsorship.Pool.NEWCOMER)
    sponsored(bob, 10**15, is_paid=True, pool=Sponsorship.Pool.SAFETY)
    yesterday = sponsored(bob, 10**16, is_paid=True)
    before = timezone.now() - timedelta(days=1)
    Sponsorship.objects.filter(pk=yesterday.pk).update(paid_at=before)

    page = index(operator)

    assert "State Running Operations 3 of 1,500" in page.words
    assert "Paid and promised 0.0009 ETH of 1 ETH" in page.words
    assert "For new accounts 1 of 750" in page.words
    assert "2 of 20" in page.words
    assert row_url(alice.safe) in links(page)
    assert "Safety reserve 0.001 ETH of 0.1 ETH" in page.words
    assert "0.0005 ETH promised" in page.words


def test_a_pause_stands_on_the_first_page(operator, alice):
    Chain.objects.update(sponsorship_paused=True)

    page = index(operator)

    assert "Sponsorship is paused." in page.words
    assert "State Paused" in page.words


def test_what_is_wrong_with_the_paymaster_stands_on_the_first_page(operator, alice):
    PaymasterDeposit.objects.create(
        chain=alice.safe.chain,
        address=sponsorship.paymaster_address(),
        deposit_wei=10**15,
        problem="Its deposit is low.",
        read_at=timezone.now(),
    )

    page = index(operator)

    assert "The paymaster: its deposit is low." in page.words
    assert "Deposit 0.001 ETH" in page.words


def test_without_any_sponsor_the_first_page_says_so(operator, alice, settings):
    settings.PAYMASTER_ADDRESS = settings.PAYMASTER_URL = ""

    assert "State Nobody is sponsored" in index(operator).words


def test_the_operators_addresses_are_shown_and_their_keys_are_not(operator, settings):
    settings.RELAYER_PRIVATE_KEY = "0x" + "00" * 31 + "01"
    settings.SPONSOR_PRIVATE_KEY = "0x" + "00" * 31 + "02"
    settings.PAYMASTER_ADDRESS = "0x2b5ad5c4795c026514f8317c7a215e218dccd6cf"

    page = index(operator)

    assert "Relayer 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf" in page.words
    assert "Sponsor 0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF" in page.words
    assert "Paymaster 0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF" in page.words
    assert "00" * 31 not in page.html


def test_without_a_paymaster_the_page_says_who_pays(operator, settings):
    settings.PAYMASTER_ADDRESS = ""

    assert "every account pays its own fees" in index(operator).words


# --- Cost ------------------------------------------------------------------------------


@pytest.mark.services
def test_the_first_page_takes_few_queries_however_much_there_is(
    operator, alice, django_assert_max_num_queries
):
    for wallet in (alice, make_wallet(), make_wallet()):
        for status in Status:
            make_operation(wallet, status, failure_code=f"code-{status}")
        waiting_row(RelayerTransaction, wallet, 400)
        waiting_row(KeyProof, wallet, 400)
    for _ in range(9):
        JournalEntry.objects.create(actor=make_operator(), action="a", target="b")

    with django_assert_max_num_queries(INDEX_QUERIES):
        index(operator)


@pytest.mark.parametrize("model", WORK, ids=label)
def test_a_list_takes_as_many_queries_for_many_rows_as_for_one(
    model, operator, alice, django_assert_max_num_queries
):
    for wallet in (alice, *(make_wallet() for _ in range(12))):
        waiting_row(model, wallet, 10)

    with django_assert_max_num_queries(12):
        operator.get(list_url(model))


# --- Reading rows ----------------------------------------------------------------------


def test_every_state_has_words_and_a_tone():
    for model in WORK:
        for status in model._meta.get_field("status").choices:
            assert TONES[status[0]] in {"good", "busy", "bad", "quiet"}, (model, status)


def test_a_state_is_said_in_words(operator, alice):
    make_operation(alice, Status.REVERTED)

    for url in (list_url(UserOperation), row_url(UserOperation.objects.get())):
        html = operator.get(url).content.decode()
        badges = re.findall(r'<span class="state state-(\w+)">([^<]*)</span>', html)
        assert badges == [("bad", "Failed on chain")]


def test_a_list_shows_short_addresses_that_tell_the_whole(operator, alice):
    text = alice.safe.address_text

    html = operator.get(list_url(Safe)).content.decode()

    assert f'title="{text}">{text[:6]}…{text[-4:]}</code>' in html
    assert "10 ETH" in html


def test_an_operations_page_prints_values_as_people_write_them(operator, alice):
    op = make_operation(alice, Status.INCLUDED)

    page = Page(operator.get(row_url(op)))

    assert f"0x{op.user_operation_hash.hex()}" in page.words
    assert "Value: 0.25 ETH" in page.words
    assert "Actual gas cost: 0.0001 ETH" in page.words
    assert "Verification gas limit: 170,001 gas" in page.words
    assert "Max fee per gas: 2.000000007 gwei" in page.words
    assert "Valid after: No limit" in page.words
    assert re.search(
        r"Included at: [\d-]{10} [\d:]{8} UTC \((now|\d s ago)\)", page.words
    )
    assert "The sponsor" in page.words
    assert "why the worker is still trying" in page.words, "help texts are shown"
    assert "wei per gas" not in page.words, "help texts name the unit that is shown"


def test_an_unprepared_operation_has_dashes_for_what_is_not_known(operator, alice):
    op = make_operation(alice, Status.DRAFT)

    words = Page(operator.get(row_url(op))).words

    assert "User operation hash: –" in words
    assert "Highest fee: –" in words
    assert "None" not in words


def test_a_workers_error_is_told_in_its_own_words(operator):
    app.backend.mark_as_failure(str(uuid.uuid4()), ValueError("the dog ate it"))
    TaskResult.objects.create(task_id=str(uuid.uuid4()), result="no json")

    page = Page(operator.get(list_url(TaskResult)))

    assert "ValueError: the dog ate it" in page.words


def test_an_account_leads_to_its_owners_and_operations(operator, alice):
    make_operation(make_wallet(), Status.DRAFT)
    op = make_operation(alice, Status.DRAFT)

    page = Page(operator.get(row_url(alice.safe)))
    (url,) = (url for url in links(page) if "useroperation/?safe=" in url)

    assert list(operator.get(url).context["cl"].result_list) == [op]


def test_a_row_leads_to_what_operators_did_about_it(operator, alice):
    operator.post(
        list_url(Safe),
        {"action": "nudge_again", "_selected_action": [alice.safe.pk]},
    )
    JournalEntry.objects.create(action="nudge", target=f"safe {alice.safe.pk}1")

    page = Page(operator.get(row_url(alice.safe)))
    (url,) = (url for url in links(page) if "journalentry/?target=" in url)

    (entry,) = operator.get(url).context["cl"].result_list
    assert entry.target == f"safe {alice.safe.pk}"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "now"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (7_200, "2 h ago"),
        (200_000, "2 d ago"),
        (-90, "in 1 min"),
    ],
)
def test_an_age_is_told_in_one_unit(seconds, text):
    now = timezone.now()

    assert age(now - timedelta(seconds=seconds), now=now) == text


@pytest.mark.parametrize(
    ("wei", "text"),
    [
        (0, "0 gwei"),
        (1, "0.000000001 gwei"),
        (10**9, "1 gwei"),
        (10**30, f"{10**21} gwei"),
    ],
)
def test_a_price_of_gas_is_exact(wei, text):
    assert gwei(wei) == text


# --- Searching -------------------------------------------------------------------------

SPELLINGS = [
    pytest.param(str, id="checksummed"),
    pytest.param(str.lower, id="lower"),
    pytest.param(lambda text: text.upper().replace("0X", "0x"), id="upper"),
    pytest.param(lambda text: f"  {text[2:]} ", id="without-0x"),
    pytest.param(lambda text: f"{text[:6]}…{text[-4:]}", id="short-form"),
    pytest.param(lambda text: text[:13], id="odd-beginning"),
]


@pytest.mark.services
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_pasted_address_finds_its_rows(spelling, operator, alice):
    make_wallet()
    op = make_operation(alice, Status.DRAFT)
    sent = transaction(alice)
    text = spelling(alice.safe.address_text)

    assert found(operator, Safe, text) == [alice.safe]
    assert found(operator, UserOperation, text) == [op]
    assert found(operator, RelayerTransaction, text) == [sent]


@pytest.mark.services
def test_a_pasted_hash_finds_its_row(operator, alice):
    op = make_operation(alice, Status.INCLUDED)
    make_operation(alice, Status.INCLUDED)
    sent = transaction(alice, hash=HASH, nonce=1)
    transaction(alice)

    for word in (op.user_operation_hash, op.safe_operation_hash, op.transaction_hash):
        assert found(operator, UserOperation, f"0x{word.hex()}") == [op]
    assert found(operator, RelayerTransaction, f"0x{HASH.hex()}") == [sent]
    assert found(operator, RelayerTransaction, f"0x{HASH.hex()[:-1]}f1") == []


def test_names_and_numbers_find_rows(operator, alice):
    op = make_operation(alice, Status.DRAFT)
    make_operation(make_wallet(), Status.DRAFT)

    assert found(operator, UserOperation, alice.user.name) == [op]
    assert op in found(operator, UserOperation, str(op.pk))


GARBAGE = [
    "0x",
    "0xzz",
    "0x" + "f" * 65,
    "a " * 1_500,
    "%" * 60_000,
    "…",
    "9" * 19,
    "²",
    "'",
]


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(["9" * 19], id="one"),
        pytest.param(GARBAGE, id="every", marks=pytest.mark.thorough),
    ],
)
@pytest.mark.parametrize("model", MODELS, ids=label)
def test_garbage_is_answered(model, garbage, operator, alice):
    Block.objects.create(chain=alice.safe.chain, number=1, hash=HASH, timestamp=1)

    for query in garbage:
        found(operator, model, query)


def test_every_kind_of_garbage_is_answered_by_one_list(operator, alice):
    for query in GARBAGE:
        found(operator, UserOperation, query)


# --- Nudging ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "failed"}, "Nudged: 1. Put back into the queue: 1."),
        ({"status": "broadcast"}, "Nudged: 1. Given to a worker again: 1."),
        ({"status": "queued"}, "Nudged: 1. Given to a worker again: 1."),
        ({"status": "deployed"}, "Nudged: 1. Nothing was waiting for a worker: 1."),
        (
            {"status": "queued", "deployment_requested_at": None},
            "Nudged: 1. Nothing was waiting for a worker: 1.",
        ),
    ],
)
def test_a_nudge_says_what_happened(fields, words, operator, alice):
    Safe.objects.update(**{"deployment_requested_at": timezone.now()} | fields)

    response = operator.post(
        list_url(Safe),
        {"action": "nudge_again", "_selected_action": [alice.safe.pk]},
        follow=True,
    )

    assert words in Page(response).words
    assert JournalEntry.objects.get().detail in words


# --- Style -----------------------------------------------------------------------------


class Inline(HTMLParser):
    """What a content policy without 'unsafe-inline' refuses."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        kind = attributes.get("type", "")
        if tag == "style" or (
            tag == "script" and "src" not in attributes and kind != "application/json"
        ):
            self.refused.append(tag)
        self.refused += [
            f"{tag} {name}"
            for name in attributes
            if name == "style" or name.startswith("on")
        ]


def test_no_page_of_the_console_holds_inline_style_or_script(operator, alice):
    make_operation(alice, Status.INCLUDED)
    key_proofs.open_proof(**key_of(alice.safe.owners.get()))
    transaction(alice)
    urls = [reverse("admin:index"), *map(list_url, MODELS)]
    urls += [row_url(row) for model in WORK for row in model.objects.all()]

    for url in urls:
        html = operator.get(url).content.decode()
        assert "css/admin.css" in html
        assert Inline(html).refused == [], url


def test_inline_style_would_be_found():
    html = '<p style="a"><style></style><script>1</script><b onclick="x">'

    assert Inline(html).refused == ["p style", "style", "script", "b onclick"]


def test_the_consoles_colours_are_the_sites():
    def themes(css: str, pattern: str) -> list[dict[str, str]]:
        blocks = re.findall(pattern, css, re.DOTALL)
        return [
            dict(re.findall(r"(--color-[\w-]+): ([^;]+);", block)) for block in blocks
        ]

    source = (STATIC / "css" / "source.css").read_text()
    console = (STATIC / "css" / "admin.css").read_text()
    light, dark = themes(source, r'daisyui/theme[^"]*" \{(.*?)\n\}')
    blocks = [block for block in themes(console, r"\{([^{}]*)\}") if block]

    assert len(blocks) == 3
    for block, theme in zip(blocks, (light, dark, dark), strict=True):
        assert len(block) == 10
        assert block.items() <= theme.items()


def test_the_consoles_style_asks_for_nothing_from_elsewhere():
    css = (STATIC / "css" / "admin.css").read_text()

    assert "@import" not in css
    assert "url(" not in css
