"""Finds the user of a session. Signing in itself is a ceremony, never a form."""

from __future__ import annotations

from django.contrib.auth.backends import BaseBackend

from accounts.models import User


class PasskeyBackend(BaseBackend):
    """Loads the user of a session; ``authenticate`` stays unsupported on purpose."""

    def get_user(self, user_id: int) -> User | None:
        """Return the active user with that primary key, if there is one."""
        return User.objects.filter(pk=user_id, is_active=True).first()
