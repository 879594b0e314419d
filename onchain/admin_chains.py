"""The console's page of a chain, with where its recovery modules are."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.utils.html import format_html, format_html_join

from accounts.admin_display import badge
from onchain import tasks
from onchain.admin_base import NudgeAdmin
from onchain.admin_pauses import pause_actions
from onchain.models import Chain
from onchain.protocol.deployments import RECOVERY_MODULES, TEST_RECOVERY_DELAY
from onchain.protocol.types import checksum_address
from onchain.services import module_codes
from onchain.services.pauses import Switch
from onchain.services.recovery_stand_in import in_words

LOCAL_MODULES = "Code of our own in the modules' places, for this local chain only."
CANONICAL_MODULES = (
    "Candide's released module 0.0.1, where an operator confirmed its code."
)


@admin.register(Chain)
class ChainAdmin(NudgeAdmin):
    """Chains; nudging one runs its relayer, and switches pause what is paid for."""

    actions = ["nudge_again", *pause_actions()]

    list_display = [
        "name",
        "chain_id",
        "submissions",
        "paused",
        "head_number",
        "head_timestamp",
        "base_fee_wei",
        "follower_name",
    ]
    list_filter = ["has_p256_precompile"]
    search_fields = ["name", "chain_id"]
    readonly_fields = ["recovery_modules"]

    @admin.display(description="Submissions")
    def submissions(self, row: Chain) -> object:
        """Say whether payments are sent to this chain."""
        return badge("Stopped", "bad") if row.problem else badge("Running", "good")

    @admin.display(description="Paused")
    def paused(self, row: Chain) -> object:
        """Say which of the operators' switches are on."""
        names = [s.label.capitalize() for s in Switch if getattr(row, s.value)]
        return badge(", ".join(names), "bad") if names else badge("Nothing", "quiet")

    @admin.display(description="Recovery modules")
    def recovery_modules(self, row: Chain) -> object:
        """List where they are, and say that those of a local chain are stand-ins."""
        is_local = settings.LOCAL_CHAIN and row.chain_id == settings.CHAIN_ID
        kind = badge("Stand-ins", "bad") if is_local else badge("Canonical", "quiet")
        words = LOCAL_MODULES if is_local else CANONICAL_MODULES
        usable = module_codes.usable_delays(row)
        listed = format_html_join(
            "",
            "<br>{}: {}{}",
            [
                (
                    in_words(delay),
                    checksum_address(module),
                    "" if delay in usable else ", not confirmed",
                )
                for delay, module in RECOVERY_MODULES.items()
                if is_local or delay != TEST_RECOVERY_DELAY
            ],
        )
        return format_html("{} {}{}", kind, words, listed)

    def nudge(self, row: Chain) -> None:
        tasks.run_relayer.delay_on_commit(row.pk)
