"""Addresses for who lost an account, and for the guardians whom they ask."""

from __future__ import annotations

from django.urls import path

from onchain.views import guardian_drills, guardians, recover, recovery_claims

CLAIM = "recover/claims/<int:pk>/"  # for the claimant
GUARDED = "guardian/<int:pk>/"  # for a guardian
DRILL = "guardian/rehearsals/<int:pk>/"  # for a guardian

urlpatterns = [
    path("recover/", recover.recover, name="recover"),
    path("recover/card", recover.recover_card, name="recover-card"),
    path("recover/begin", recover.recover_begin, name="recover-begin"),
    path("recover/wallet", recover.recover_wallet, name="recover-wallet"),
    path("recover/<slug:nickname>/", recover.recover_nickname, name="recover-nickname"),
    path(CLAIM, recovery_claims.recovery_claim, name="recovery-claim"),
    path(
        f"{CLAIM}card", recovery_claims.recovery_claim_card, name="recovery-claim-card"
    ),
    path(
        f"{CLAIM}prove",
        recovery_claims.recovery_claim_prove,
        name="recovery-claim-prove",
    ),
    path(
        f"{CLAIM}prove-wallet",
        recovery_claims.recovery_claim_prove_wallet,
        name="recovery-claim-prove-wallet",
    ),
    path(f"{CLAIM}ask", recovery_claims.recovery_claim_ask, name="recovery-claim-ask"),
    path(f"{CLAIM}add", recovery_claims.recovery_claim_add, name="recovery-claim-add"),
    path(
        f"{CLAIM}link", recovery_claims.recovery_claim_link, name="recovery-claim-link"
    ),
    path(
        f"{CLAIM}finish",
        recovery_claims.recovery_claim_finish,
        name="recovery-claim-finish",
    ),
    path(
        f"{CLAIM}withdraw",
        recovery_claims.recovery_claim_withdraw,
        name="recovery-claim-withdraw",
    ),
    path("guardian/", guardians.guardian_inbox_page, name="guardian-inbox"),
    path("guardian/link", guardians.guardian_link, name="guardian-link"),
    path("guardian/open", guardians.guardian_open, name="guardian-open"),
    path(GUARDED, guardians.guardian_claim, name="guardian-claim"),
    path(f"{GUARDED}card", guardians.guardian_claim_card, name="guardian-claim-card"),
    path(f"{GUARDED}approve", guardians.guardian_approve, name="guardian-approve"),
    path(
        f"{GUARDED}approve-wallet",
        guardians.guardian_approve_wallet,
        name="guardian-approve-wallet",
    ),
    path(
        "guardian/rehearsal",
        guardian_drills.guardian_drill_link,
        name="guardian-drill-link",
    ),
    path(
        "guardian/rehearsal/open",
        guardian_drills.guardian_drill_open,
        name="guardian-drill-open",
    ),
    path(DRILL, guardian_drills.guardian_drill, name="guardian-drill"),
    path(
        f"{DRILL}card", guardian_drills.guardian_drill_card, name="guardian-drill-card"
    ),
    path(
        f"{DRILL}answer",
        guardian_drills.guardian_drill_answer,
        name="guardian-drill-answer",
    ),
    path(
        f"{DRILL}answer-wallet",
        guardian_drills.guardian_drill_answer_wallet,
        name="guardian-drill-answer-wallet",
    ),
]
