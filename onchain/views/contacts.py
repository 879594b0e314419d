"""The address book of an account, and the account's own name."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from onchain import contact_files
from onchain.contact_forms import (
    ContactForm,
    ContactsFileForm,
    NameForm,
    OwnContactForm,
)
from onchain.errors import ContactRefused
from onchain.models import Contact, Safe
from onchain.services import contacts as book
from onchain.views.access import (
    account_context,
    button_login_required,
    own_safe,
    person,
    proposing_safe,
)


@login_required
@require_GET
def contacts(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """The addresses that have a name in this account."""
    return _page(request, own_safe(request, chain_id, address))


@button_login_required
@require_POST
def contact_add(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Give an address a name."""
    safe = proposing_safe(request, chain_id, address)
    form = ContactForm(request.POST)
    if form.is_valid():
        try:
            book.add(safe=safe, user=person(request), **form.cleaned_data)
        except ContactRefused as error:
            form.add_error("address", str(error))
        else:
            messages.success(request, f"Added {form.cleaned_data['name']}.")
            return _to_contacts(safe)
    return _page(request, safe, status=422, form=form)


@button_login_required
@require_POST
def contact_rename(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Give an address another name."""
    safe = proposing_safe(request, chain_id, address)
    contact = _posted_contact(request, safe)
    if contact is None:
        return HttpResponse("This form is incomplete.", status=400)
    form = NameForm(request.POST)
    if not form.is_valid():
        renamed = {"form": form, "contact": contact}
        return _page(request, safe, status=422, renamed=renamed)
    book.rename(contact=contact, name=form.cleaned_data["name"])
    return _to_contacts(safe)


@button_login_required
@require_POST
def contact_remove(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Forget a name."""
    safe = proposing_safe(request, chain_id, address)
    contact = _posted_contact(request, safe)
    if contact is None:
        return HttpResponse("This form is incomplete.", status=400)
    book.remove(contact=contact)
    messages.success(request, f"Removed {contact.name}. What was sent stays as it was.")
    return _to_contacts(safe)


@button_login_required
@require_POST
def contacts_import(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Take a CSV file, all of it or nothing."""
    safe = proposing_safe(request, chain_id, address)
    form = ContactsFileForm(request.POST, request.FILES)
    if form.is_valid():
        parsed = form.cleaned_data["file"]
        try:
            added = book.add_all(safe=safe, user=person(request), names=parsed.names)
        except ContactRefused as error:
            form.add_error("file", str(error))
        else:
            known = len(parsed.names) - added + parsed.duplicates
            messages.success(request, f"{added} added, {known} known already.")
            return _to_contacts(safe)
    return _page(request, safe, status=422, file_form=form)


@login_required
@require_GET
def contacts_export(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """The address book as a file."""
    safe = own_safe(request, chain_id, address)
    response = HttpResponse(
        contact_files.written(safe.contacts.all()), content_type="text/csv"
    )
    response["Content-Disposition"] = 'attachment; filename="addresses.csv"'
    return response


@button_login_required
@require_POST
def account_rename(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Give the account another name, for all of its people."""
    safe = proposing_safe(request, chain_id, address)
    form = NameForm(request.POST)
    if form.is_valid():
        book.rename_account(safe=safe, name=form.cleaned_data["name"])
        messages.success(request, f"This account is now {form.cleaned_data['name']}.")
    else:
        messages.error(request, f"Not renamed. {form.errors['name'][0]}")
    return redirect("onchain:settings", chain_id, safe.address_text)


def _posted_contact(request: HttpRequest, safe: Safe) -> Contact | None:
    """Return the line of this account that the form names; None if there is none."""
    form = OwnContactForm(request.POST, safe=safe)
    return form.cleaned_data["contact"] if form.is_valid() else None


def _to_contacts(safe: Safe) -> HttpResponse:
    return redirect("onchain:contacts", safe.chain.chain_id, safe.address_text)


def _page(
    request: HttpRequest, safe: Safe, *, status: int = 200, **forms: Any
) -> HttpResponse:
    context = account_context(request, safe, "settings") | {
        "contacts": list(safe.contacts.all()),
        "form": ContactForm(),
        "file_form": ContactsFileForm(),
    }
    context |= forms
    return render(request, "onchain/contacts.html", context, status=status)
