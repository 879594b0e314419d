"""Answers to rehearsals, checked by the real chain: a passkey's, a wallet's, a Safe's.

And that none of them is worth anything in a recovery, nor the reverse.
"""

from __future__ import annotations

import pytest
from django.utils import timezone

from onchain.errors import SignatureRefused
from onchain.models import DrillAnswer, Guardian, RecoveryDrill, RecoverySetup
from onchain.protocol import recovery
from onchain.protocol.recovery import GuardianSignature
from onchain.protocol.types import Address
from onchain.services import (
    drill_answers,
    drill_results,
    guardian_approvals,
    recovery_drills,
)
from tests.factories import assertion_text
from tests.onchain.protocol.test_recovery_on_chain import address_of
from tests.onchain.services.test_recovery_claims_on_chain import (  # noqa: F401
    MODULE,
    Scene,
    chain,
    scene,
)
from tests.wallet_keys import safe_message_hash

pytestmark = [pytest.mark.chain, pytest.mark.django_db]


def started(ground: Scene) -> RecoveryDrill:
    setup = RecoverySetup.objects.get_or_create(safe=ground.safe, module=MODULE)[0]
    RecoverySetup.objects.filter(pk=setup.pk).update(is_enabled=True, threshold=2)
    setup.guardians.all().delete()
    for position, guardian in enumerate(ground.guardians):
        Guardian.objects.create(
            setup=setup,
            address=guardian,
            position=position,
            holder=ground.guardian_key.user,
            proven_at=timezone.now(),
        )
    drill = recovery_drills.start(safe=ground.safe, user=ground.credential.user)
    return RecoveryDrill.objects.select_related("safe__chain").get(pk=drill.pk)


def checked(ground: Scene, answer: DrillAnswer) -> DrillAnswer:
    drill_answers.check(answer=answer, node=ground.chain.node)
    answer.refresh_from_db()
    return answer


def by_passkey(ground: Scene, drill: RecoveryDrill, digest: bytes) -> DrillAnswer:
    answer = drill_answers.sign_with_passkey(
        drill=drill,
        user=ground.guardian_key.user,
        response=assertion_text(ground.passkey, digest),
    )
    return checked(ground, answer)


def by_wallet(
    ground: Scene, drill: RecoveryDrill, guardian: Address, signature: bytes
) -> DrillAnswer:
    answer = drill_answers.sign_with_wallet(
        drill=drill,
        user=ground.guardian_key.user,
        guardian=guardian,
        signature=signature,
    )
    return checked(ground, answer)


def of_safe(ground: Scene, digest: bytes) -> bytes:
    """Return what the owner of the Safe that is a guardian signs for a hash."""
    hashed = safe_message_hash(ground.contract, digest)
    return bytes(ground.contract_owner.unsafe_sign_hash(hashed).signature)


def test_guardians_of_three_kinds_answer_a_rehearsal(scene: Scene):  # noqa: F811
    drill = started(scene)
    digest, wallet = bytes(drill.hash_to_sign), address_of(scene.wallet)

    other = by_wallet(scene, drill, scene.contract, of_safe(scene, b"\1" * 32))
    assert (other.kind, other.status) == ("contract", "refused")
    assert by_passkey(scene, drill, digest).status == "valid"
    signature = bytes(scene.wallet.unsafe_sign_hash(digest).signature)
    assert by_wallet(scene, drill, wallet, signature).status == "valid"
    assert drill_results.tally_of(drill).is_enough
    last = by_wallet(scene, drill, scene.contract, of_safe(scene, digest))
    assert (last.kind, last.status) == ("contract", "valid")

    drill.refresh_from_db()
    assert (drill.status, drill.answered) == ("complete", 3)
    # The module heard nothing of it.
    for guardian in scene.guardians:
        assert scene.account.listed().count(guardian) == 1


def test_an_answer_is_no_approval_and_an_approval_no_answer(scene: Scene):  # noqa: F811
    drill, row = started(scene), scene.claim()
    user, wallet = scene.guardian_key.user, address_of(scene.wallet)
    rehearsed, real = bytes(drill.hash_to_sign), bytes(row.hash_to_sign)
    # A passkey's is refused before it is stored: the challenge is another.
    with pytest.raises(SignatureRefused):
        by_passkey(scene, drill, real)
    with pytest.raises(SignatureRefused):
        guardian_approvals.sign_with_passkey(
            row=row, user=user, response=assertion_text(scene.passkey, rehearsed)
        )
    # A wallet's names another signer, so the chain is asked, and says no.
    for guardian, drilled, approved in (
        (
            wallet,
            bytes(scene.wallet.unsafe_sign_hash(real).signature),
            bytes(scene.wallet.unsafe_sign_hash(rehearsed).signature),
        ),
        (scene.contract, of_safe(scene, real), of_safe(scene, rehearsed)),
    ):
        assert by_wallet(scene, drill, guardian, drilled).status == "refused"
        approval = guardian_approvals.sign_with_wallet(
            row=row, user=user, guardian=guardian, account=guardian, signature=approved
        )
        guardian_approvals.check(approval=approval, node=scene.chain.node)
        approval.refresh_from_db()
        assert approval.status == "refused"
    assert drill_results.tally_of(drill).answered == 0


@pytest.mark.thorough
def test_the_module_itself_takes_no_answer_for_an_approval(scene: Scene):  # noqa: F811
    drill, row = started(scene), scene.claim()
    answers = {
        address_of(scene.wallet): bytes(
            scene.wallet.unsafe_sign_hash(bytes(drill.hash_to_sign)).signature
        ),
        scene.contract: of_safe(scene, bytes(drill.hash_to_sign)),
    }
    call = recovery.multi_confirm_recovery_call(
        row.recovery,
        signatures=[
            GuardianSignature(guardian=guardian, signature=signature)
            for guardian, signature in answers.items()
        ],
        execute=True,
    )

    with pytest.raises(Exception, match="revert"):
        scene.chain.node.call(call.to, call.data)

    approved = [scene.by_wallet(row), scene.by_contract(row)]
    call = recovery.multi_confirm_recovery_call(
        row.recovery,
        signatures=[guardian_approvals.signature_of(item) for item in approved],
        execute=True,
    )
    assert scene.chain.node.call(call.to, call.data) is not None
