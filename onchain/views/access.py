"""Who may see what: every object is loaded through the signed-in person."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.models import User
from onchain.models import Formation, Guardian, Role, Safe, UserOperation
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import Address, to_address
from onchain.services import queue, recovered_accounts, roles

View: TypeAlias = Callable[..., HttpResponse]

# Words for who may see an account, and not do this with it.
NOT_YOURS_TO_ASK = {
    Role.APPROVER: "You approve what the owners of this account ask for. Only an owner "
    "sends, or changes anything. Nothing was changed.",
    Role.VIEWER: "You may look at this account. Only an owner sends, or changes "
    "anything. Nothing was changed.",
}
NOT_YOURS_TO_SIGN = (
    "You may look at this account. None of your keys signs for it. Nothing was changed."
)


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
    """Return the person's accounts, oldest first, with what is foreign in them.

    Each says in ``guards_somebody`` whether the person guards any account at all, which
    is a query less for every page.
    """
    guarded = Exists(Guardian.objects.of(person(request)))
    safes = _visible(request).annotate(**{"guards_somebody": guarded})
    safes = safes.select_related("chain", "foreign_configuration")
    safes = recovered_accounts.with_recovered(safes, user=person(request))
    return list(queue.with_waiting(safes).order_by("pk"))


def own_safe(request: HttpRequest, chain_id: int, address: str) -> Safe:
    """Return an account that the person may look at, or 404 as for no account.

    Like every account loaded here it says in ``role`` what the person may do with it.
    """
    safes = _visible(request).select_related("chain")
    return get_object_or_404(safes, chain__chain_id=chain_id, address=_raw(address))


def proposing_safe(request: HttpRequest, chain_id: int, address: str) -> Safe:
    """Return an account on which the person may ask for something, else 403 or 404."""
    safe = own_safe(request, chain_id, address)
    require_formed(safe)
    _require_owner(safe)
    return safe


def proposers_only(view: View) -> View:
    """Answer 403 or 404 as ``proposing_safe`` does, before any touch is asked for."""

    @wraps(view)
    def wrapper(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
        proposing_safe(request, chain_id, address)
        return view(request, chain_id=chain_id, address=address)

    return wrapper


def signing_safe(request: HttpRequest, chain_id: int, address: str) -> Safe:
    """Return an account that a key of the person's signs for, else 403 or 404."""
    safe = own_safe(request, chain_id, address)
    require_formed(safe)
    _require_key(safe)
    return safe


class StillForming(PermissionDenied):
    """The first owners have yet to confirm each other: nothing is sent, or paid in."""

    def __init__(self, safe: Safe) -> None:
        self.formation = Formation.objects.filter(safe=safe).first()
        super().__init__(
            "The first owners of this account have yet to confirm each other. Nothing "
            "can be done with it before that."
        )


def leads_to_forming(view: View) -> View:
    """Lead to the list of owners where the account is forming still."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except StillForming as error:
            if error.formation is None:
                return redirect("home")  # its list was changed a moment ago
            return redirect("onchain:formation", error.formation.pk)

    return wrapper


def require_formed(safe: Safe) -> None:
    """Stop where nobody should use the account's address yet.

    Raises:
        StillForming: its first owners have yet to confirm each other.
    """
    if not safe.is_formed:
        raise StillForming(safe)


def _visible(request: HttpRequest) -> QuerySet[Safe]:
    user = person(request)
    return roles.with_role(Safe.objects.visible_to(user), user=user)


def _require_owner(safe: Safe) -> None:
    if safe.role != Role.OWNER:
        raise PermissionDenied(NOT_YOURS_TO_ASK[Role(safe.role)])


def _require_key(safe: Safe) -> None:
    if safe.role not in {Role.OWNER, Role.APPROVER}:
        raise PermissionDenied(NOT_YOURS_TO_SIGN)


def own_safe_page(
    request: HttpRequest, chain_id: int, address: str, page: str
) -> dict[str, Any]:
    """Return ``account_context`` of the person's account, in one query, or 404."""
    raw = _raw(address)
    safes = own_safes(request)
    for safe in safes:
        if safe.chain.chain_id == chain_id and safe.address == raw:
            return _guarding(safes) | {"safe": safe, "safes": safes, "page": page}
    raise Http404


def _raw(address: str) -> Address:
    try:
        return to_address(address)
    except EncodingError:
        raise Http404 from None


def own_operation(request: HttpRequest, pk: int) -> UserOperation:
    """Return an operation of an account that the person may look at, or 404.

    Its account says in ``role`` what the person may do with it.
    """
    user = person(request)
    operations = UserOperation.objects.visible_to(user).annotate(
        role=roles.role_expression(user=user, safe="safe")
    )
    op = get_object_or_404(
        operations.select_related(
            "safe__chain",
            "predecessor",
            "cancels",
            "new_credential",
            "invitation",
            "sponsorship",
        ),
        pk=pk,
    )
    op.safe.role = vars(op)["role"]
    return op


def proposing_operation(request: HttpRequest, pk: int) -> UserOperation:
    """Return an operation that the person may change or give up, else 403 or 404."""
    op = own_operation(request, pk)
    _require_owner(op.safe)
    return op


def signing_operation(request: HttpRequest, pk: int) -> UserOperation:
    """Return an operation that a key of the person's may sign, else 403 or 404."""
    op = own_operation(request, pk)
    _require_key(op.safe)
    return op


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
    context: dict[str, Any] = _guarding(safes) | {"safes": safes, "page": "passkeys"}
    return context | ({"safe": safes[0]} if len(safes) == 1 else {})


def account_context(request: HttpRequest, safe: Safe, page: str) -> dict[str, Any]:
    """Return what every page of an account shows around its content."""
    safes = own_safes(request)
    return _guarding(safes) | {"safe": safe, "safes": safes, "page": page}


def _guarding(safes: list[Safe]) -> dict[str, Any]:
    """Return what the accounts said; without any, the context processor asks."""
    return {"guards_somebody": safes[0].guards_somebody} if safes else {}
