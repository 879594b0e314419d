"""Addresses of the ceremonies; no trailing slash, no namespace."""

from __future__ import annotations

from django.urls import path

from accounts.views import (
    ceremonies,
    emails,
    enrolment,
    outsiders,
    passkeys,
    security_events,
    sessions,
)

urlpatterns = [
    path(
        "passkeys/registration/begin",
        ceremonies.registration_begin,
        name="registration-begin",
    ),
    path(
        "passkeys/registration/finish",
        ceremonies.registration_finish,
        name="registration-finish",
    ),
    path(
        "passkeys/authentication/begin",
        ceremonies.authentication_begin,
        name="authentication-begin",
    ),
    path(
        "passkeys/authentication/finish",
        ceremonies.authentication_finish,
        name="authentication-finish",
    ),
    path("passkeys/step-up/begin", passkeys.step_up_begin, name="step-up-begin"),
    path("passkeys/add", passkeys.passkey_add, name="passkey-add"),
    path("passkeys/addition/finish", passkeys.addition_finish, name="addition-finish"),
    path("passkeys/<int:pk>/name", passkeys.passkey_rename, name="passkey-rename"),
    path("session", sessions.session, name="session"),
    path("session/extend", sessions.session_extend, name="session-extend"),
    path("passkeys/sessions/end", sessions.session_end, name="session-end"),
    path(
        "passkeys/sessions/end-others",
        sessions.session_end_others,
        name="session-end-others",
    ),
    path("passkeys/email/change", emails.email_change, name="email-change"),
    path("passkeys/email/link", emails.email_link, name="email-link"),
    path("passkeys/email/cancel", emails.email_cancel, name="email-cancel"),
    path("passkeys/email/remove", emails.email_remove, name="email-remove"),
    path("passkeys/email/keep", emails.email_keep, name="email-keep"),
    path("passkeys/events/", security_events.security_events, name="security-events"),
    path("email/verify", emails.email_verify, name="email-verify"),
    path("email/confirm", emails.email_confirm, name="email-confirm"),
    path("alerts/answer", outsiders.alert_link, name="alert-link"),
    path("alerts/agree", outsiders.alert_agree, name="alert-agree"),
    path("alerts/decline", outsiders.alert_decline, name="alert-decline"),
    path("sign-out", ceremonies.sign_out, name="sign-out"),
    path("admin/enrol", enrolment.enrolment, name="enrolment"),
    path("admin/enrol/begin", enrolment.enrolment_begin, name="enrolment-begin"),
    path("admin/enrol/finish", enrolment.enrolment_finish, name="enrolment-finish"),
]
