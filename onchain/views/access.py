"""Who may see what: every object is loaded through the signed-in person."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from accounts.models import User
from onchain.models import Safe, UserOperation
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import Address, to_address

View: TypeAlias = Callable[..., HttpResponse]


def fragment_login_required(view: View) -> View:
    """Answer 401 with HX-Redirect where a page would redirect to sign in."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            answer = HttpResponse(status=401)
            answer["HX-Redirect"] = reverse("home")
            return answer
        return view(request, *args, **kwargs)

    return wrapper


def button_login_required(view: View) -> View:
    """Lead who signs in back to the page of the button, which takes no GET itself."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            page, _slash, _button = request.path.rpartition("/")
            return redirect_to_login(f"{page}/")
        return view(request, *args, **kwargs)

    return wrapper


def person(request: HttpRequest) -> User:
    """Return the signed-in person of a view behind a login check."""
    if not isinstance(request.user, User):
        raise TypeError("the view lacks its login check")
    return request.user


def own_safes(request: HttpRequest) -> list[Safe]:
    """Return the person's accounts, oldest first, with what is foreign in them."""
    safes = Safe.objects.visible_to(person(request))
    return list(safes.select_related("chain", "foreign_configuration").order_by("pk"))


def own_safe(request: HttpRequest, chain_id: int, address: str) -> Safe:
    """Return the person's account, or 404 as for one that does not exist."""
    safes = Safe.objects.visible_to(person(request)).select_related("chain")
    return get_object_or_404(safes, chain__chain_id=chain_id, address=_raw(address))


def own_safe_page(
    request: HttpRequest, chain_id: int, address: str, page: str
) -> dict[str, Any]:
    """Return ``account_context`` of the person's account, in one query, or 404."""
    raw = _raw(address)
    safes = own_safes(request)
    for safe in safes:
        if safe.chain.chain_id == chain_id and safe.address == raw:
            return {"safe": safe, "safes": safes, "page": page}
    raise Http404


def _raw(address: str) -> Address:
    try:
        return to_address(address)
    except EncodingError:
        raise Http404 from None


def own_operation(request: HttpRequest, pk: int) -> UserOperation:
    """Return an operation of one of the person's accounts, or 404."""
    operations = UserOperation.objects.visible_to(person(request))
    return get_object_or_404(
        operations.select_related(
            "safe__chain", "predecessor", "new_credential", "sponsorship"
        ),
        pk=pk,
    )


def posted(request: HttpRequest) -> QueryDict:
    """Return the posted fields; the header Idempotency-Key counts as one (R50)."""
    data = request.POST.copy()
    header = request.headers.get("Idempotency-Key")
    if header and not data.get("idempotency_key"):
        data["idempotency_key"] = header
    return data


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx asks, so that a fragment is wanted rather than a page."""
    return bool(getattr(request, "htmx", False))


def render_card(
    request: HttpRequest, name: str, context: dict[str, Any], *, page: str, status: int
) -> HttpResponse:
    """Answer a posted card: the fragment for htmx, else the page around it."""
    if is_htmx(request):
        return render(request, f"onchain/_{name}_card.html", context, status=status)
    context = account_context(request, context["safe"], page) | context
    return render(request, f"onchain/{name}.html", context, status=status)


def frame_context(request: HttpRequest) -> dict[str, Any]:
    """Return what a page of the person's passkeys shows around its content.

    Whoever has one account keeps its frame; with several, none would be the right one.
    """
    safes = own_safes(request)
    context: dict[str, Any] = {"safes": safes, "page": "passkeys"}
    return context | ({"safe": safes[0]} if len(safes) == 1 else {})


def account_context(request: HttpRequest, safe: Safe, page: str) -> dict[str, Any]:
    """Return what every page of an account shows around its content."""
    return {"safe": safe, "safes": own_safes(request), "page": page}
