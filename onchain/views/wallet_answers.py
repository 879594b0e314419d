"""Taking what a wallet signed to show that it can, on whatever page that was."""

from __future__ import annotations

from onchain import tasks
from onchain.errors import SignatureRefused
from onchain.models import WalletProof
from onchain.services import wallet_proofs
from onchain.wallet_forms import WalletProofForm


def take(proof: WalletProof, form: WalletProofForm) -> WalletProof | None:
    """Hand a valid form's answer on; None where it is refused, and the form says why.

    A contract is asked by a worker.
    """
    try:
        proof = wallet_proofs.answer(
            proof=proof,
            signature=form.cleaned_data["signature"],
            account=form.cleaned_data["account"],
        )
    except SignatureRefused as error:
        form.add_error(None, str(error))
        return None
    if proof.status == WalletProof.Status.SIGNED:
        tasks.check_wallet_proof.delay_on_commit(proof.pk)
    return proof
