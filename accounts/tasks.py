"""Celery entry points of accounts: call one service, nothing else."""

from __future__ import annotations

from celery import shared_task

from accounts import emails, mails


@shared_task
def send_mails() -> None:
    """Send the mails that wait. Views nudge it, and beat runs it every few seconds."""
    mails.send_due()


@shared_task
def change_addresses() -> None:
    """Let changes of e-mail addresses take effect. Beat runs this every minute."""
    if emails.apply_due():
        send_mails.delay()


@shared_task
def clean_up() -> None:
    """Delete what only piles up. Beat runs this every hour."""
    emails.forget_old()
