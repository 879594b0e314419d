"""Settings of the chain: node, bundler, keys, ceilings and what the operator pays.

Part of ``wallet_site.settings``, which has all of these names; nothing else imports it.
URLs may hold keys: they are secrets, kept out of rows and logs.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from wallet_site.environment import LOCAL, env, secret

CHAIN_ID = env.int("CHAIN_ID", 31337)
CHAIN_NAME = env.str("CHAIN_NAME", "Local chain")
NODE_PORT = env.int("NODE_PORT", 8545)  # of the local chain that `manage.py up` starts
BUNDLER_PORT = env.int("BUNDLER_PORT", 4337)
NODE_URL = secret("NODE_URL", f"http://127.0.0.1:{NODE_PORT}")
BUNDLER_URL = secret("BUNDLER_URL", f"http://127.0.0.1:{BUNDLER_PORT}")
# Asked when the first is away, refuses without a reason, or does not get it included.
SECOND_BUNDLER_URL = secret("SECOND_BUNDLER_URL", is_required=False)
# Empty: one node alone is believed, and nobody would notice that it forges (R48).
SECOND_NODE_URL = secret("SECOND_NODE_URL", is_required=False)
HAS_PUBLIC_KEYS = LOCAL and CHAIN_ID == 31337  # everywhere else, own ones are required
LOCAL_CHAIN = HAS_PUBLIC_KEYS and urlsplit(NODE_URL).hostname in {
    *("127.0.0.1", "localhost", "::1"),
}
CLIENT_TIMEOUT = env.float("CLIENT_TIMEOUT", 10.0)  # seconds, node and bundler calls

# The local chain's well-known keys (anvil's public mnemonic); production refuses them.
LOCAL_RELAYER_KEY = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
LOCAL_SPONSOR_KEY = "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"
default_keys = (LOCAL_RELAYER_KEY, LOCAL_SPONSOR_KEY) if HAS_PUBLIC_KEYS else ("", "")
RELAYER_PRIVATE_KEY = secret("RELAYER_PRIVATE_KEY", default_keys[0])
SPONSOR_PRIVATE_KEY = secret("SPONSOR_PRIVATE_KEY", default_keys[1])
# An ERC-7677 paymaster service, used instead of a paymaster of one's own. The context
# is what the service's documents ask for, as JSON.
PAYMASTER_URL = secret("PAYMASTER_URL", is_required=False)
PAYMASTER_CONTEXT = env.json("PAYMASTER_CONTEXT", {})
# VerifyingPaymaster; empty: nobody is sponsored by us. `manage.py devchain` puts it at
# the first contract address of a key the site does not hold (R71).
PAYMASTER_ADDRESS = env.str(
    "PAYMASTER_ADDRESS",
    "0x700b6A60ce7EaaEA56F065753d8dcB9653dbAD35"
    if LOCAL_CHAIN and not PAYMASTER_URL
    else "",
)

CONFIRMATIONS = env.int("CONFIRMATIONS", 2 if LOCAL_CHAIN else 12)  # blocks
START_BLOCK = env.int("START_BLOCK", None)  # None: a new follower begins at the head
# eager: at once. on-demand: with the first payment that is prepared (R68).
DEPLOYMENT_POLICY = env.str(
    "DEPLOYMENT_POLICY", "eager" if LOCAL_CHAIN else "on-demand"
)
# A first deposit of this much deploys an account on demand; less is not worth the gas.
DEPLOYMENT_FLOOR_WEI = env.int("DEPLOYMENT_FLOOR_WEI", 10**15)  # wei
# Accounts in one transaction. A taken address burns a whole batch's gas, and on public
# chains anybody may take one: ten at most there.
PUBLIC_BATCH = 10
DEPLOYMENT_BATCH = env.int("DEPLOYMENT_BATCH", 30 if LOCAL_CHAIN else PUBLIC_BATCH)
if not 1 <= DEPLOYMENT_BATCH <= (80 if LOCAL_CHAIN else PUBLIC_BATCH):
    raise ValueError("DEPLOYMENT_BATCH must be 1 to 10, on the local chain 1 to 80.")
# What the relayer spends in a day of UTC (R68, R69): on new accounts (about a hundred
# at 10 gwei), on calls of others, and on what keeps accounts safe when all else is out.
LOCAL_DAILY_WEI = 100 * 10**18
DEPLOY_DAILY_WEI = env.int(
    "DEPLOY_DAILY_WEI", LOCAL_DAILY_WEI if LOCAL_CHAIN else 4 * 10**17
)
RELAY_DAILY_WEI = env.int("RELAY_DAILY_WEI", LOCAL_DAILY_WEI if LOCAL_CHAIN else 10**17)
SAFETY_RESERVE_WEI = env.int("SAFETY_RESERVE_WEI", 10**17)
# Accounts in a day that were opened from one /24 of IPv4 or /48 of IPv6.
DEPLOY_PREFIX_DAILY = env.int("DEPLOY_PREFIX_DAILY", 100_000 if LOCAL_CHAIN else 20)
# Whether people may choose accounts that their own first payment sets up and pays for.
# It costs the operator nothing, so it is offered everywhere.
USER_PAID_DEPLOYMENT = env.bool("USER_PAID_DEPLOYMENT", True)
MAX_FEE_PER_GAS = env.int("MAX_FEE_PER_GAS", 200 * 10**9)  # wei per gas, ceiling (R21)
# A relayer transaction that waits longer is signed again with higher fees.
RELAYER_STUCK_SECONDS = env.int("RELAYER_STUCK_SECONDS", 60)  # seconds
# Below this the console warns: about a hundred deployments at 10 gwei.
RELAYER_FLOOR_WEI = env.int("RELAYER_FLOOR_WEI", 4 * 10**17)  # wei
# What the sponsor pays for on a UTC day, of one account and of all, and for one
# operation. Accounts younger than a week without money have half of the total (R57).
SPONSOR_DAILY_OPERATIONS = env.int("SPONSOR_DAILY_OPERATIONS", 200)  # of one account
SPONSOR_DAILY_WEI = env.int("SPONSOR_DAILY_WEI", 10**17)  # wei, of one account
SPONSOR_DAILY_TOTAL = env.int("SPONSOR_DAILY_TOTAL", 10_000)  # operations, all accounts
SPONSOR_DAILY_TOTAL_WEI = env.int("SPONSOR_DAILY_TOTAL_WEI", 2 * 10**18)  # wei
SPONSOR_OPERATION_GAS = env.int("SPONSOR_OPERATION_GAS", 2_000_000)  # gas, most for one
SPONSOR_OPERATION_WEI = env.int("SPONSOR_OPERATION_WEI", 10**16)  # wei, most for one
# In a day for what keeps accounts safe, beside the limits and through a pause (R69).
SPONSOR_SAFETY_WEI = env.int("SPONSOR_SAFETY_WEI", 10**17)  # wei
SPONSOR_SAFETY_ACCOUNT_WEI = env.int(  # wei, of it for one account
    "SPONSOR_SAFETY_ACCOUNT_WEI", SPONSOR_SAFETY_WEI // 4
)
SPONSOR_PROPOSALS = env.bool("SPONSOR_PROPOSALS", True)  # what several have to sign
# Below this the console warns of the paymaster's deposit.
SPONSOR_DEPOSIT_FLOOR_WEI = env.int("SPONSOR_DEPOSIT_FLOOR_WEI", 5 * 10**17)  # wei
# The relayer sends an operation to the EntryPoint itself when no bundler gets it there.
RELAYER_CARRIES_OPERATIONS = env.bool("RELAYER_CARRIES_OPERATIONS", True)
# The EntryPoint pays it back; this much may be missing, for each operation.
RELAYER_CARRY_LOSS_WEI = env.int(  # wei
    "RELAYER_CARRY_LOSS_WEI", 10**15 if LOCAL_CHAIN else 0
)
FAUCET_WEI = 10**18  # one press of "Get test ETH"
