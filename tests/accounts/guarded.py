"""The site with three actions that do nothing but say who confirmed them."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.http import require_POST

from accounts.decorators import confirmed_with, step_up_required


@login_required
@require_POST
@step_up_required("add-passkey")
def add(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(confirmed_with(request).pk))


@login_required
@require_POST
@step_up_required("remove-passkey", target="pk")
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse(str(confirmed_with(request).pk))


@login_required
@require_POST
@step_up_required("change-email", target="post:email", is_settled=True)
def change(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(confirmed_with(request).pk))


urlpatterns = [
    path("guarded/add", add, name="guarded-add"),
    path("guarded/remove/<int:pk>", remove, name="guarded-remove"),
    path("guarded/change", change, name="guarded-change"),
    path("", include("wallet_site.urls")),
]
