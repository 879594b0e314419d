"""What the page of a claim shows of one of its accounts: how far, and what next."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from onchain.claim_forms import LostAccountForm, NewOwnersForm
from onchain.models import AccountClaim, KeyProof, RecoveryClaim, Safe, WalletProof
from onchain.protocol.types import Address, checksum_address
from onchain.recovery_words import stop_of
from onchain.services import (
    claim_accounts,
    claim_contents,
    key_proofs,
    module_codes,
    recovery_claims,
    wallet_proofs,
)
from onchain.services.claim_accounts import Subject
from onchain.services.recovery_stand_in import in_words

FIELD = "account"
Status = AccountClaim.Status


def card(subject: Subject) -> dict[str, Any]:
    """Return the context of the card."""
    claim, safe, row = subject.claim, subject.safe, subject.row
    context: dict[str, Any] = {
        "claim": claim,
        "card_id": f"claim-{claim.pk}",
        "account": safe,
        "lookup": subject.lookup,
        "query": f"?{urlencode({FIELD: subject.lookup.address_text})}",
        "accounts": _accounts(subject),
    }
    if row is not None:
        return context | _progress(row)
    if claim.withdrawn_at is not None:
        return context | {"step": "stopped", "stop": stop_of("withdrawn")}
    if safe is None:
        step = "refused" if subject.refusal else "reading"
        return context | {"step": step, "refusal": subject.refusal}
    if recovery_claims.is_proven(claim=claim, safe=safe):
        new = recovery_claims.new_signer(claim=claim, safe=safe)
        return context | {
            "step": "ask",
            "new_signer": checksum_address(new),
            "form": owners_form(subject),
        }
    return context | _proof(claim, safe)


def owners_form(subject: Subject, data: Any = None) -> NewOwnersForm:
    """Return the form of the owners to be, with the modules that can be asked."""
    setups = claim_accounts.shared_setups(claim=subject.claim, lookup=subject.lookup)
    return NewOwnersForm(data, lookup=subject.lookup, setups=setups)


def _accounts(subject: Subject) -> list[dict[str, Any]]:
    """Return the claim's accounts with their states, where there are several."""
    rows = subject.claim.accounts.select_related("safe").order_by("pk")
    # Of an account that was asked for again, the last time counts.
    states = {row.safe.address_text: row.get_status_display() for row in rows}
    for lookup in (claim_accounts.first_lookup(subject.claim), subject.lookup):
        states.setdefault(lookup.address_text, "Not asked for yet")
    shown = subject.lookup.address_text
    found = [
        {
            "address_text": text,
            "state": state,
            "is_shown": text == shown,
            "query": f"?{urlencode({FIELD: text})}",
        }
        for text, state in states.items()
    ]
    return found if len(found) > 1 else []


def _proof(claim: RecoveryClaim, safe: Safe) -> dict[str, Any]:
    """Return what lets the new key show that it signs for exactly this account."""
    if claim.credential is None:
        return _wallet_proof(claim, safe, Address(claim.wallet or b""))
    proof = key_proofs.latest(credential=claim.credential, safe=safe)
    # Proven by now: the worker was faster than the reads of this request.
    if proof is not None and proof.status != KeyProof.Status.REFUSED:
        return {"step": "proving"}
    asked = key_proofs.open_proof(credential=claim.credential, safe=safe)
    return {
        "step": "prove",
        "is_refused": proof is not None,
        "signing_request": key_proofs.signing_request(proof=asked),
    }


def _wallet_proof(claim: RecoveryClaim, safe: Safe, wallet: Address) -> dict[str, Any]:
    proof = wallet_proofs.latest(user=claim.user, safe=safe, address=wallet)
    if proof is not None and proof.status != WalletProof.Status.REFUSED:
        return {"step": "proving"}
    return {
        "step": "prove-wallet",
        "is_refused": proof is not None,
        "wallet_text": checksum_address(wallet),
        "proof": wallet_proofs.open_proof(user=claim.user, safe=safe, address=wallet),
    }


def _progress(row: AccountClaim) -> dict[str, Any]:
    """Return what the card shows of a claim that was asked for."""
    context: dict[str, Any] = {
        "row": row,
        "step": row.status,
        "is_held": Address(row.module) in module_codes.changed(row.safe.chain),
        "delay_words": in_words(row.delay_seconds or 0),
        "is_delay_over": (row.safe.chain.head_timestamp or 0)
        > (row.execute_after or 0),
        "new_owners": claim_contents.new_owners_of(row),
        "leaving": claim_contents.leaving_owners_of(row),
        "guardians": claim_contents.guardians_of(row),
        "may_add": row.claim.is_open and row.status != Status.STOPPED,
        "add_form": LostAccountForm(),
    }
    if row.status == Status.DONE:
        seen = Safe.objects.visible_to(row.claim.user).filter(pk=row.safe_id).exists()
        context["is_visible"] = seen
        # The follower reads the owners once more after the recovery.
        context["is_arriving"] = not seen and not row.is_settled
    elif row.status == Status.STOPPED:
        context["stop"] = stop_of(row.failure_code)
    elif row.nonce is not None and not row.is_over:
        context["message"] = claim_contents.message_of(row)
    return context
