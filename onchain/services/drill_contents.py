"""What the pages of a rehearsal show and hand to scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from accounts.models import User
from onchain.models import RecoveryDrill, Safe
from onchain.protocol.typed_data import DRILL_NOTICE
from onchain.protocol.types import checksum_address, to_hex
from onchain.services import (
    drill_answers,
    drill_reminders,
    drill_results,
    passkeys,
    recovery_drills,
    recovery_setups,
)
from onchain.services.drill_results import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillCard:
    """How an account's rehearsals stand, for its recovery page."""

    drill: RecoveryDrill | None  # under way, or the last one; None: never
    standing: Standing | None
    can_start: bool
    is_due: bool  # nobody tried for half a year

    @property
    def is_running(self) -> bool:
        """Whether guardians are being asked."""
        return self.drill is not None and self.drill.is_running

    @property
    def is_enough(self) -> bool:
        """Whether those who answered could recover the account, or could then."""
        if self.drill is None or self.standing is None:
            return False
        return (
            self.standing.tally.is_enough if self.is_running else self.drill.was_enough
        )

    @property
    def words(self) -> str:
        """Whether it would be, or was, enough."""
        if self.drill is None or self.standing is None:
            return ""
        if self.is_running:
            return drill_results.words_of(self.standing.tally, is_over=False)
        kept = drill_results.kept_tally_of(self.drill)
        return drill_results.words_of(kept, is_over=True)


def card_of(safe: Safe) -> DrillCard | None:
    """Return an account's rehearsals; None where nobody guards it, and nobody did."""
    drill = recovery_drills.newest(safe)
    is_guarded = recovery_setups.active(safe) is not None
    if drill is None and not is_guarded:
        return None
    return DrillCard(
        drill=drill,
        standing=None if drill is None else drill_results.standing_of(drill),
        can_start=is_guarded and (drill is None or not drill.is_running),
        is_due=drill_reminders.is_due(safe),
    )


def message_of(drill: RecoveryDrill) -> dict[str, str]:
    """Return the fields that guardians sign, which static/js/signing.js hashes."""
    return {
        "chainId": str(drill.safe.chain.chain_id),
        "account": drill.safe.address_text,
        "nonce": to_hex(drill.nonce),
        "askedAt": str(int(drill.asked_at.timestamp())),
    }


def signing_request(*, drill: RecoveryDrill, user: User) -> dict[str, Any]:
    """Return what static/js/signing.js needs to have a guardian answer."""
    keys = drill_answers.own_keys(drill=drill, user=user)
    answered = drill_answers.answered_by_anybody(drill)
    own = {checksum_address(signer) for signer in keys}
    asked = [key for signer, key in keys.items() if signer not in answered]
    done = {checksum_address(address) for address in answered} | own
    return {
        "kind": "RecoveryDrill",
        "rpId": settings.WEBAUTHN_RP_ID,
        "allowCredentials": passkeys.allow_credentials(asked),
        "wallets": [text for text in drill.guardians if text not in done],
        "hash": to_hex(drill.hash_to_sign),
        "message": message_of(drill),
    }


def guardian_card_of(*, drill: RecoveryDrill, user: User) -> dict[str, Any]:
    """Return what a guardian's page shows of a rehearsal."""
    mine = drill.answers.filter(user=user).order_by("-pk").first()
    is_checking = mine is not None and mine.status == mine.Status.SIGNED
    context: dict[str, Any] = {
        "drill": drill,
        "account": drill.safe,
        "notice": DRILL_NOTICE,
        "mine": mine,
        "is_checking": is_checking,
        "is_open": drill_answers.is_open(drill),
        "may_sign": not is_checking and drill_answers.is_asked(drill=drill, user=user),
    }
    if context["may_sign"]:
        asked = signing_request(drill=drill, user=user)
        context["signing_request"] = asked
        context["has_passkey"] = bool(asked["allowCredentials"])
    return context
