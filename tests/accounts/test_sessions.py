"""Sessions that are over are not kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts import sessions
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def signed_in() -> Client:
    client = Client()
    client.force_login(make_user())
    return client


def test_only_expired_sessions_are_swept():
    over, running = signed_in(), signed_in()
    Session.objects.filter(pk=over.session.session_key).update(
        expire_date=timezone.now() - timedelta(seconds=1)
    )

    for _ in range(2):
        sessions.sweep_expired()

    assert Session.objects.get().pk == running.session.session_key


def test_it_is_the_configured_engine_that_is_swept(settings, tmp_path):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.file"
    settings.SESSION_FILE_PATH = str(tmp_path)
    settings.SESSION_COOKIE_AGE = -1
    signed_in()
    assert len(list(tmp_path.iterdir())) == 1

    sessions.sweep_expired()

    assert list(tmp_path.iterdir()) == []
