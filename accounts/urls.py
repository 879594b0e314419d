"""Addresses of the ceremonies; no trailing slash, no namespace."""

from __future__ import annotations

from django.urls import path

from accounts import views

urlpatterns = [
    path(
        "passkeys/registration/begin",
        views.registration_begin,
        name="registration-begin",
    ),
    path(
        "passkeys/registration/finish",
        views.registration_finish,
        name="registration-finish",
    ),
    path(
        "passkeys/authentication/begin",
        views.authentication_begin,
        name="authentication-begin",
    ),
    path(
        "passkeys/authentication/finish",
        views.authentication_finish,
        name="authentication-finish",
    ),
    path("sign-out", views.sign_out, name="sign-out"),
    path("admin/enrol", views.enrolment, name="enrolment"),
    path("admin/enrol/begin", views.enrolment_begin, name="enrolment-begin"),
    path("admin/enrol/finish", views.enrolment_finish, name="enrolment-finish"),
]
