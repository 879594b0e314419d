"""A browser and its passkey, walking the ceremonies over HTTP."""

from __future__ import annotations

import json
import re
from typing import Any

from django.apps import apps
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import Ceremony, Credential, Enrolment, User
from tests.soft_authenticator import SoftAuthenticator


class Visitor:
    """One cookie jar; the passkey is an argument, as people have several."""

    def __init__(self, **client: Any) -> None:
        self.client = Client(**client)

    def begin(self, ceremony: str, **fields: str) -> dict[str, Any]:
        """Return the options of a ceremony."""
        response = self.client.post(reverse(f"{ceremony}-begin"), fields)
        assert response.status_code == 200, response.content
        return response.json()

    def finish(
        self, ceremony: str, credential: object, accept: str = "", **fields: str
    ) -> HttpResponse:
        """Post an answer; text goes as it is, anything else as JSON."""
        text = credential if isinstance(credential, str) else json.dumps(credential)
        headers = {"Accept": accept} if accept else {}
        return self.client.post(
            reverse(f"{ceremony}-finish"),
            {"credential": text, **fields},
            headers=headers,
        )

    def register(self, passkey: SoftAuthenticator, **changes: Any) -> HttpResponse:
        """Walk a whole registration."""
        options = self.begin("registration")
        return self.finish("registration", passkey.create(options, **changes))

    def sign_in(self, passkey: SoftAuthenticator, **changes: Any) -> HttpResponse:
        """Walk a whole authentication."""
        options = self.begin("authentication")
        return self.finish("authentication", passkey.get(options, **changes))

    def begin_addition(self, passkey: SoftAuthenticator) -> dict[str, Any]:
        """Confirm with a passkey; return the options for making another one."""
        options = self.begin("step-up", action="add-passkey")
        fields = {"credential": json.dumps(passkey.get(options))}
        page = self.client.post(reverse("passkey-add"), fields).content.decode()
        (text,) = re.findall(r'<script id="hybrid" type="[^"]*">(.*?)</script>', page)
        return json.loads(text)

    def user_pk(self) -> int | None:
        """Return who is signed in, by the session in the database."""
        value = self.client.session.get("_auth_user_id")
        return None if value is None else int(value)


def registered() -> tuple[SoftAuthenticator, User]:
    """Return a passkey and its person, made through the front door."""
    passkey = SoftAuthenticator()
    response = Visitor().register(passkey)
    assert response.status_code == 303, response.content
    return passkey, User.objects.get(user_handle=passkey.user_handle)


def rows() -> dict[str, list[dict[str, Any]]]:
    """Return everything that a refused ceremony must leave as it was."""
    models = (User, Credential, Enrolment)
    return {
        model.__name__: list(model.objects.order_by("pk").values()) for model in models
    }


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of accounts but open challenges, and sessions of nobody.

    The ORM would take most of the time of hundreds of refusals.
    """
    columns = {"accounts_session": "id, user_id"}  # the rest moves with each page
    wanted = {"accounts_session": "user_id IS NOT NULL"}
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_app_config("accounts").get_models():
            table = model._meta.db_table
            if model is not Ceremony:
                cursor.execute(
                    f"SELECT {columns.get(table, '*')} FROM {table}"  # noqa: S608
                    f" WHERE {wanted.get(table, '1 = 1')} ORDER BY 1"
                )
                found[table] = cursor.fetchall()
    return found
