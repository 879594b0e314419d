"""A person at a browser: HTTP to the running site, and a passkey in software."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.urls import reverse

from bench.stack import wait_for
from onchain.models import Safe, UserOperation
from onchain.protocol.types import to_address
from tests.soft_authenticator import SoftAuthenticator, base64url

SIGNING_REQUEST = re.compile(
    r'<script id="signing-request" type="application/json">(.*?)</script>', re.DOTALL
)
TIMEOUT = 30  # seconds
Status = UserOperation.Status


def _passkey() -> SoftAuthenticator:
    return SoftAuthenticator(origin=settings.SITE_ORIGIN)


@dataclass
class Visitor:
    """One person, signed in once they have a wallet."""

    passkey: SoftAuthenticator = field(default_factory=_passkey)
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str) -> requests.Response:
        """Open a page."""
        response = self.session.get(f"{settings.SITE_ORIGIN}{path}", timeout=TIMEOUT)
        response.raise_for_status()
        return response

    def post(self, path: str, *, is_htmx: bool = False, **data: str) -> Any:
        """Post a form as the browser does; redirects are not followed."""
        token = self.session.cookies.get(settings.CSRF_COOKIE_NAME)
        response = self.session.post(
            f"{settings.SITE_ORIGIN}{path}",
            data={"csrfmiddlewaretoken": token, **data},
            headers={"HX-Request": "true"} if is_htmx else {},
            allow_redirects=False,
            timeout=TIMEOUT,
        )
        response.raise_for_status()
        return response

    def create_wallet(self) -> Safe:
        """Press "Create a wallet" and return the account's row."""
        self.get("/")
        options = self.post(reverse("registration-begin")).json()
        answer = json.dumps(self.passkey.create(options))
        response = self.post(reverse("registration-finish"), credential=answer)
        address = urlsplit(response.headers["Location"]).path.split("/")[3]
        return Safe.objects.get(address=to_address(address))

    def ask_for_test_eth(self, safe: Safe) -> None:
        """Press "Get test ETH" and wait for it."""
        before = safe.balance_wei
        self.post(account_url(safe, "faucet"), idempotency_key=str(uuid.uuid4()))

        def has_come() -> bool:
            safe.refresh_from_db()
            return safe.balance_wei > before

        wait_for(has_come, "the test ETH")

    def prepared(self, safe: Safe, *, recipient: str, amount: str) -> UserOperation:
        """Fill in "Send" and wait for the review."""
        url = account_url(safe, "send")
        response = self.post(
            url,
            recipient=recipient,
            amount=amount,
            confirm_repeat="on",
            idempotency_key=str(uuid.uuid4()),
        )
        if response.status_code != requests.codes.found:
            raise RuntimeError(f"{url} answered {response.status_code}")
        pk = urlsplit(response.headers["Location"]).path.split("/")[2]
        op = UserOperation.objects.select_related("safe__chain").get(pk=pk)
        wait_until(op, Status.AWAITING_SIGNATURES)
        return op

    def authorization(self, op: UserOperation) -> str:
        """Open the review and touch the passkey; return what the form would post."""
        page = self.get(reverse("onchain:operation", args=[op.pk])).text
        found = SIGNING_REQUEST.search(page)
        if found is None:
            raise RuntimeError(f"the review of {op} asks for no signature")
        request = json.loads(unescape(found[1]))
        challenge = base64url(bytes.fromhex(request["hash"][2:]))
        return json.dumps(self.passkey.get({"challenge": challenge}))

    def authorize(self, op: UserOperation, answer: str) -> None:
        """Post the passkey's answer."""
        url = reverse("onchain:sign", args=[op.pk])
        self.post(url, is_htmx=True, credential=answer)


def account_url(safe: Safe, name: str) -> str:
    """Return the path of one of an account's pages."""
    arguments = [settings.CHAIN_ID, safe.address_text]
    return reverse(f"onchain:{name}", args=arguments)


def live_visitor() -> tuple[Visitor, Safe]:
    """Return a person whose account is live and has test ETH."""
    visitor = Visitor()
    safe = visitor.create_wallet()
    wait_until_live([safe])
    visitor.ask_for_test_eth(safe)
    return visitor, safe


def wait_until_live(safes: list[Safe]) -> None:
    """Wait until the follower has seen every account's code."""
    pks = [safe.pk for safe in safes]
    deployed = Safe.objects.filter(pk__in=pks, status=Safe.Status.DEPLOYED)
    wait_for(lambda: deployed.count() == len(pks), "the accounts", seconds=60)
    for safe in safes:
        safe.refresh_from_db()


def wait_until(op: UserOperation, status: str) -> None:
    """Wait until an operation is in a state; stop at once where it cannot get there."""
    ended = (Status.REJECTED, Status.EXPIRED, Status.REVERTED, Status.REPLACED)

    def has_come() -> bool:
        op.refresh_from_db()
        if op.status in ended and op.status != status:
            raise RuntimeError(f"{op} is {op.status}: {op.failure_code}")
        return op.status == status

    wait_for(has_come, f"{op} to be {status}")
