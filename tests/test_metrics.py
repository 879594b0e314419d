"""/metrics counts, and tells operators and the monitor only."""

from __future__ import annotations

import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import Client

from tests.factories import make_operator
from tests.wallets import make_wallet

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-the-monitor"


@pytest.fixture
def with_token(settings):
    settings.METRICS_TOKEN = TOKEN


def ask(authorization: str = "", *, client: Client | None = None) -> HttpResponse:
    headers = {"Authorization": authorization} if authorization else {}
    return (client or Client()).get("/metrics", headers=headers)


def signed_in(**fields) -> Client:
    client = Client()
    client.force_login(make_operator(**fields))
    return client


def test_the_token_is_empty_by_default(settings):
    assert settings.METRICS_TOKEN == ""


@pytest.mark.parametrize("token", ["", TOKEN], ids=["without token", "with token"])
def test_an_operator_reads_them(token, settings):
    settings.METRICS_TOKEN = token

    response = ask(client=signed_in())

    assert response.status_code == 200
    assert b"django_http_requests_total_by_method_total" in response.content


@pytest.mark.parametrize("token", ["", TOKEN], ids=["without token", "with token"])
def test_a_stranger_and_a_person_see_404(token, settings):
    settings.METRICS_TOKEN = token

    assert ask().status_code == 404
    assert ask(client=make_wallet().client).status_code == 404
    assert ask(client=signed_in(is_active=False)).status_code == 404


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}"])
def test_the_monitor_reads_them_with_its_token(header, with_token):
    response = ask(header)

    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    "header",
    [
        *("Bearer", "Bearer ", "Bearer x", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"),
        *(f"Basic {TOKEN}", TOKEN, f"Bearer  {TOKEN}", "Bearer \u00e9"),
    ],
)
def test_another_token_sees_404(header, with_token):
    assert ask(header).status_code == 404


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer x"])
def test_no_token_opens_them_when_none_is_set(header):
    assert ask(header).status_code == 404


def test_they_count_requests_and_know_no_person(with_token):
    wallet = make_wallet()
    wallet.get("safe-detail")

    text = ask(f"Bearer {TOKEN}").content.decode()

    assert "django_http_requests_total_by_method_total" in text
    assert "onchain:safe-detail" in text
    assert wallet.safe.address_text not in text
    assert wallet.user.name not in text
    assert TOKEN not in text
    assert django_settings.SECRET_KEY not in text
