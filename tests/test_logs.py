"""What is logged of a request and a payment, and what never is (R40)."""

from __future__ import annotations

import json
import logging
import re
import uuid

import pytest
from celery.signals import setup_logging
from django.test import Client
from django.urls import reverse

from accounts.models import Ceremony
from onchain.models import KeyProof, OperationSignature, Safe, UserOperation
from tests.accounts.visitor import Visitor
from tests.pages import Page
from tests.processes import PRODUCTION, run
from tests.soft_authenticator import SoftAuthenticator, base64url
from tests.wallets import (
    RECIPIENT,
    Wallet,
    make_chain,
    make_review,
    make_wallet,
    operation_url,
)
from wallet_site import logs

pytestmark = pytest.mark.django_db

REQUESTS = "django_structlog.middlewares.request"


@pytest.fixture
def alice(db) -> Wallet:
    return make_wallet()


# --- Lines -----------------------------------------------------------------------------


def lines(caplog) -> list[dict]:
    """Return the request lines among what was logged."""
    return [record.msg for record in caplog.records if record.name == REQUESTS]


def test_a_request_leaves_one_line_with_who_what_and_how(alice, caplog):
    alice.get("settings")

    (line,) = lines(caplog)
    assert line["event"] == "request_finished"
    assert line["request"] == f"GET {alice.url('settings')}"
    assert line["code"] == 200
    assert line["user_id"] == alice.user.pk
    assert uuid.UUID(line["request_id"])


def test_what_stands_after_the_question_mark_is_not_logged(caplog):
    Client().get("/?next=/operations/1/&token=hunter2")

    assert lines(caplog)[0]["request"] == "GET /"
    assert "hunter2" not in caplog.text


def test_a_path_cannot_write_lines_of_its_own(caplog):
    Client().get("/a%0a2026-01-01%20operation%201%20signed%0d")

    (line,) = lines(caplog)
    assert "\n" not in line["request"]
    assert "\r" not in line["request"]


@pytest.mark.parametrize("name", ["safe-overview", "safe-activity", "receive-card"])
def test_polling_leaves_no_line(name, alice, caplog):
    assert alice.get(name).status_code == 200

    assert lines(caplog) == []


def test_polling_an_operation_leaves_no_line(alice, caplog):
    op = make_review(alice)

    assert alice.client.get(operation_url(op, "operation-card")).status_code == 200

    assert lines(caplog) == []


def test_polling_that_goes_wrong_leaves_a_line(alice, caplog):
    Client().get(alice.url("safe-overview"))

    assert [line["code"] for line in lines(caplog)] == [401]


def test_a_fault_is_logged_once_with_its_traceback(alice, caplog, monkeypatch):
    def fail(*_arguments, **_named):
        raise RuntimeError("a bug")

    monkeypatch.setattr("onchain.views.safes.safes.queue_place", fail)
    alice.client.raise_request_exception = False

    alice.get("safe-detail")

    handled = [
        record
        for record in caplog.records
        if record.levelno >= logging.ERROR and record.name != "django.request"
    ]
    assert [record.msg["event"] for record in handled] == ["request_failed"]
    assert handled[0].exc_info or "exc_info" in handled[0].msg


# --- How lines look --------------------------------------------------------------------

SCRIPT = """
import logging, django, structlog
django.setup()
logging.getLogger("onchain.services.safes").info("safe %s opened", 7)
structlog.get_logger("onchain").warning("two\\nlines", key=b"1")
logging.getLogger("onchain").debug("not at this level")
logging.getLogger("urllib3").debug("https://node.example/key")
logging.getLogger("celery.apps.worker").info("celery@host ready.")
logging.getLogger("django.request").error("said twice")
secret = "hunter2"
try:
    raise RuntimeError("a bug")
except RuntimeError:
    logging.getLogger("onchain").exception("failed")
"""


def test_on_ones_own_machine_lines_are_text(tmp_path):
    text = run(SCRIPT, SITE_MODE="local", VAR_DIR=str(tmp_path)).stderr

    assert re.search(r"info +\] safe 7 opened +\[onchain.services.safes\]", text)
    assert "not at this level" not in text
    assert "RuntimeError: a bug" in text
    assert "hunter2" not in text.replace('secret = "hunter2"', "")
    assert "\x1b" not in text


def test_in_production_each_line_is_one_json_object(tmp_path):
    text = run(SCRIPT, VAR_DIR=str(tmp_path), **PRODUCTION).stderr

    events = [json.loads(line) for line in text.splitlines()]
    assert [event["event"] for event in events] == [
        "safe 7 opened",
        "two\nlines",
        "celery@host ready.",
        "failed",
    ]
    assert {"timestamp", "level", "logger"} <= events[0].keys()
    assert "RuntimeError: a bug" in events[3]["exception"]
    assert "hunter2" not in text


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("level", "is_said"), [("ERROR", False), ("warning", True), ("DEBUG", True)]
)
def test_the_level_is_a_setting(level, is_said, tmp_path):
    text = run(SCRIPT, SITE_MODE="local", VAR_DIR=str(tmp_path), LOG_LEVEL=level).stderr

    assert ("lines" in text) is is_said
    assert ("not at this level" in text) is (level == "DEBUG")
    assert "node.example" not in text
    assert "celery@host ready." in text, "`manage.py up` waits for it"


def test_worker_and_beat_log_like_the_site():
    assert setup_logging.receivers


def test_sentry_is_silent_without_a_dsn():
    script = (
        "import django; django.setup()\n"
        "import sentry_sdk; print(sentry_sdk.get_client().is_active())"
    )

    assert run(script, SITE_MODE="local", SENTRY_DSN="").stdout.split() == ["False"]


def test_sentry_gets_no_bodies_no_people_and_no_variables():
    script = (
        "import django; django.setup()\n"
        "import json, sentry_sdk; options = sentry_sdk.get_client().options\n"
        "names = ('send_default_pii', 'max_request_body_size', "
        "'include_local_variables')\n"
        "print(json.dumps([options[name] for name in names]))"
    )

    output = run(script, SITE_MODE="local", SENTRY_DSN="http://k@127.0.0.1:1/1").stdout

    assert json.loads(output) == [False, "never", False]


@pytest.mark.parametrize("path", logs.POLLED)
def test_every_path_that_leaves_no_line_exists(path):
    wallet = make_wallet()
    known = [
        *(wallet.url(name) for name in ("safe-overview", "safe-activity")),
        wallet.url("receive-card"),
        *(reverse("health"), reverse("metrics")),
    ]

    assert [url for url in known if url.endswith(path)]


# --- What no line may hold -------------------------------------------------------------


def test_a_whole_sign_in_and_payment_leaves_no_secret_in_the_logs(caplog, settings, db):
    caplog.set_level(logging.DEBUG)
    make_chain()
    passkey = SoftAuthenticator()
    visitor = Visitor()
    visitor.register(passkey)
    visitor.client.post("/sign-out")
    options = visitor.begin("authentication")
    assertion = passkey.get(options)
    visitor.finish("authentication", assertion)
    visitor.finish("authentication", assertion)  # and once more, refused
    session = visitor.client.cookies["sessionid"].value
    said, secrets = walk(opened_wallet(visitor, passkey))
    secrets |= {
        options["challenge"],
        assertion["response"]["signature"],
        assertion["response"]["clientDataJSON"],
        assertion["response"]["authenticatorData"],
        base64url(passkey.user_handle or b""),
        passkey.credential_id.hex(),
        base64url(passkey.credential_id),
        session,
        visitor.client.cookies["csrftoken"].value,
        settings.SECRET_KEY,
        settings.RELAYER_PRIVATE_KEY,
        settings.SPONSOR_PRIVATE_KEY,
    }

    assert said == [302, 422, 302]
    assert "signed in" in caplog.text
    assert not {secret for secret in secrets if secret and secret in caplog.text}


def opened_wallet(visitor: Visitor, passkey: SoftAuthenticator) -> Wallet:
    """Return the account that the registration opened, live."""
    Safe.objects.update(status=Safe.Status.DEPLOYED, balance_wei=10**18)
    safe = Safe.objects.get()
    return Wallet(
        user=safe.created_by, passkey=passkey, safe=safe, client=visitor.client
    )


def walk(wallet: Wallet) -> tuple[list[int], set[str]]:
    """Prove, ask for a payment, sign one; return the answers and what is secret."""
    proof = Page(wallet.get("receive")).json["signing-request"]
    proved = wallet.answer(proof)
    answers = [wallet.post("prove", {"credential": proved}).status_code]
    wallet.post(
        "send",
        {
            "recipient": RECIPIENT,
            "amount": "0.1",
            "idempotency_key": str(uuid.uuid4()),
        },
    )
    op = make_review(wallet)
    request = Page(wallet.client.get(operation_url(op))).json["signing-request"]
    forged = wallet.answer(request, challenge=b"\7" * 32)
    signed = wallet.answer(request)
    for answer in (forged, signed):
        response = wallet.client.post(operation_url(op, "sign"), {"credential": answer})
        answers.append(response.status_code)
    assert UserOperation.objects.filter(status="signed").exists()
    assert not Ceremony.objects.exists()
    secrets = {request["hash"], request["hash"][2:], proof["hash"], proof["hash"][2:]}
    for row in (OperationSignature.objects.get(), KeyProof.objects.get()):
        secrets.add(bytes(row.signature).hex())
    for answer in (proved, forged, signed):
        response = json.loads(answer)["response"]
        secrets |= {response["signature"], response["clientDataJSON"]}
    secrets.add(request["message"]["callData"])
    return answers, secrets
