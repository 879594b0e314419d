"""R15: what the server renders is what static/js/signing.js agrees to sign.

The two are written apart, in a template and in a script. Here the rendered pages go
through the script, in Node.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from onchain.models import Safe, UserOperation
from onchain.models.owner import public_key_of
from onchain.protocol.types import checksum_address
from onchain.services import recovery_claims, recovery_drills, signers
from tests import claims, drills
from tests.factories import make_world
from tests.onchain.additions import make_addition, make_owner, newcomer, prepared
from tests.onchain.services.changes import NAMES, one_of_each
from tests.onchain.services.guarding import ASKS
from tests.onchain.services.self_paid import make_self_paid_world
from tests.pages import Page
from tests.signing_requests import with_private_keys
from tests.wallets import ETH, make_review, make_wallet, operation_url

pytestmark = pytest.mark.django_db
SCRIPT = Path(__file__).parent / "js" / "rendered.mjs"
MODULE = Path(__file__).parent.parent / "static" / "js" / "signing.js"


def rendered(page: Page) -> dict[str, Any]:
    return {"request": page.json["signing-request"], "shown": page.signed}


def pages() -> dict[str, Any]:
    """Return every page that asks for 32 bytes, rendered for somebody real."""
    alice = make_wallet()
    new = newcomer(alice)
    found = {"proof": Page(alice.get("receive")), "proof of another": Page(new.get())}
    for payer in (True, False):
        op = make_review(alice, is_sponsored=payer, lane=int(payer))
        found[f"payment, sponsored: {payer}"] = Page(
            alice.client.get(operation_url(op))
        )
    op = make_review(alice, is_sponsored=False, lane=2)
    UserOperation.objects.filter(pk=op.pk).update(unsponsored_reason="used-up")
    found["payment, not sponsored any more"] = Page(alice.client.get(operation_url(op)))
    op = prepared(make_addition(new))
    found["addition"] = Page(alice.client.get(operation_url(op)))

    bob = make_wallet()
    Safe.objects.filter(pk=bob.safe.pk).update(threshold=2)
    bob.safe.refresh_from_db()
    make_owner(newcomer(bob))
    op = prepared(make_addition(newcomer(bob, name="")))
    found["addition under a threshold"] = Page(bob.client.get(operation_url(op)))

    found |= {"recovery": recovery(), "rehearsal": rehearsal()}
    reviews, keys = first_payments()
    found |= reviews | changes() | changes_of_guardians()
    cases = {name: rendered(page) for name, page in found.items()}
    return with_private_keys(cases, keys)


def recovery() -> Page:
    """Return the page on which a guardian with a passkey is asked for an account."""
    guardian, lost = make_wallet(), make_wallet()
    row = claims.approved_by(guardian.user, safe=lost.safe).account_claim
    row.approvals.all().delete()
    signer = signers.signer_for(
        public_key=public_key_of(guardian.user.credentials.get()), safe=lost.safe
    )
    row.guardians = [checksum_address(signer)]
    row.save(update_fields=["guardians"])
    guardian.client.post(
        reverse("onchain:guardian-open"),
        {"token": recovery_claims.renew_link(claim=row.claim)},
    )
    return Page(guardian.client.get(reverse("onchain:guardian-claim", args=[row.pk])))


def rehearsal() -> Page:
    """Return the page on which a guardian with a passkey is asked for an answer."""
    guardian, lost = make_wallet(), make_wallet()
    signer = signers.signer_for(
        public_key=public_key_of(guardian.user.credentials.get()), safe=lost.safe
    )
    drill = drills.recovery_drill(lost.safe, guardians=[checksum_address(signer)])
    guardian.client.post(
        reverse("onchain:guardian-drill-open"),
        {"token": recovery_drills.renew_link(drill=drill)},
    )
    return Page(guardian.client.get(reverse("onchain:guardian-drill", args=[drill.pk])))


def changes() -> dict[str, Page]:
    """Return the review of each other change of an account."""
    found = {}
    for name in NAMES:
        world = make_world()
        op = world.prepare(one_of_each(world)[name]())
        client = Client()
        client.force_login(world.wallet.user)
        found[name] = Page(client.get(operation_url(op)))
    return found


def changes_of_guardians() -> dict[str, Page]:
    """Return the review of each change of guardians."""
    found = {}
    for name, ask in ASKS.items():
        world = make_world()
        op = world.prepare(ask(world))
        client = Client()
        client.force_login(world.wallet.user)
        found[f"guardians: {name}"] = Page(client.get(operation_url(op)))
    return found


def first_payments() -> tuple[dict[str, Page], list[Any]]:
    """Return the reviews that set an account up, and the private keys that they install.

    One account is not on chain yet, the other was left half done.
    """
    found, keys = {}, []
    for name, fields in {
        "first payment": {},
        "repair": {"status": Safe.Status.DEPLOYED, "owners_synced_block": 90},
    }.items():
        world = make_self_paid_world()
        Safe.objects.filter(pk=world.wallet.safe.pk).update(**fields)
        world.wallet.safe.refresh_from_db()
        op = world.prepare(world.draft(value_wei=ETH // 3))
        client = Client()
        client.force_login(world.wallet.user)
        found[name] = Page(client.get(operation_url(op)))
        keys.append(world.wallet.passkey.private_key)
    return found, keys


def test_every_rendered_page_is_what_it_asks_to_be_signed(tmp_path):
    node = shutil.which("node")
    assert node, "Node 20 or newer is needed"
    shutil.copy(MODULE, tmp_path / "signing.mjs")
    found = pages()
    (tmp_path / "answers.json").write_text(json.dumps(found))

    run = subprocess.run(
        [node, "--test", "--test-reporter=tap", str(SCRIPT)],
        env=os.environ | {"SIGNING_FOLDER": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert f"\n# pass {len(found)}\n" in run.stdout
