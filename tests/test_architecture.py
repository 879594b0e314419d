"""The rules of the code's shape: who may import whom, and what may stand where.

Each rule is a function that names what breaks it. Every rule is run over the whole
tree, and over a few lines that break it, so that none of them can fall silent.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("accounts", "onchain", "wallet_site")
MODULE_LINES = 300

DJANGO_WEB = (
    "django.http",
    "django.shortcuts",
    "django.urls",
    "django.contrib.messages",
)
# What a layer may not import: the layers above it, and what belongs to them. The
# first folder or module that fits a file is its layer.
FORBIDDEN = {
    "onchain/protocol": ("django", "celery", "web3", "requests", "accounts"),
    "onchain/clients": (
        *("celery", "django.db", "accounts", *DJANGO_WEB),
        *("onchain.models", "onchain.services", "onchain.tasks", "onchain.views"),
        "onchain.forms",
    ),
    "onchain/fields.py": ("celery", "accounts", "onchain.models", "onchain.services"),
    "onchain/models": (
        *("celery", *DJANGO_WEB),
        *("onchain.clients", "onchain.services", "onchain.tasks", "onchain.views"),
        "onchain.forms",
    ),
    "onchain/services": (
        *("celery", *DJANGO_WEB),
        *("onchain.tasks", "onchain.views", "onchain.forms", "onchain.admin"),
    ),
    "onchain/tasks.py": (*DJANGO_WEB, "onchain.views", "onchain.forms"),
    "onchain/recovery_tasks.py": (
        *(*DJANGO_WEB, "onchain.views", "onchain.forms", "onchain.tasks"),
    ),
    "onchain/forms.py": ("celery", "onchain.clients", "onchain.tasks", "onchain.views"),
    "onchain/views": ("celery", "onchain.clients", "onchain.admin", "requests", "web3"),
    "onchain/templatetags": (
        *("celery", "onchain.clients", "onchain.services", "onchain.tasks"),
        "onchain.views",
    ),
    "accounts/webauthn.py": ("django", "accounts.models", "accounts.services"),
    "accounts": (),
    "onchain": (),
    "wallet_site": (),
}
# Whatever the layer: accounts knows no chain, and apps read settings through Django.
FORBIDDEN_EVERYWHERE = {
    "accounts": ("onchain", "wallet_site"),
    "onchain": ("wallet_site",),
    "wallet_site": (),
}
# The whole of what the pure layer may lean on, besides the standard library.
PROTOCOL_IMPORTS = {
    *("eth_abi", "eth_utils", "eth_keys", "eth_account", "cbor2", "cryptography"),
    "onchain.protocol",
}
NO_FLOATS = (
    "onchain/protocol",
    "onchain/services",
    "onchain/models",
    "onchain/forms.py",
)
MAY_ENQUEUE = (
    *("onchain/tasks.py", "onchain/recovery_tasks.py", "accounts/tasks.py"),
    "wallet_site/celery.py",
)
CLIENT_PARAMETERS = {"node", "bundler", "client", "rpc"}


@dataclass(frozen=True, slots=True)
class Module:
    """One file of the tree, parsed."""

    path: str  # from the root, with slashes
    source: str

    @property
    def tree(self) -> ast.Module:
        return parse(self.source)

    def is_in(self, *places: str) -> bool:
        return any(self.path == p or self.path.startswith(f"{p}/") for p in places)


@cache
def parse(source: str) -> ast.Module:
    return ast.parse(source)


Rule = Callable[[Module], Iterator[str]]


def read_tree() -> list[Module]:
    return [
        Module(path.relative_to(ROOT).as_posix(), path.read_text())
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "migrations" not in path.parts
    ]


TREE = read_tree()


def imported_names(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_within(name: str, *packages: str) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def names_in(node: ast.AST) -> set[str]:
    """Every name and attribute that stands anywhere below a node."""
    found = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
    return found | {
        item.attr for item in ast.walk(node) if isinstance(item, ast.Attribute)
    }


# --- The rules -------------------------------------------------------------------------


def a_layer_imports_only_what_is_below_it(module: Module) -> Iterator[str]:
    layer = next(layer for layer in FORBIDDEN if module.is_in(layer))
    top = module.path.split("/")[0]
    banned = (*FORBIDDEN[layer], *FORBIDDEN_EVERYWHERE[top])
    for name in imported_names(module):
        if is_within(name, *banned):
            yield f"imports {name}"


def the_protocol_is_pure(module: Module) -> Iterator[str]:
    if not module.is_in("onchain/protocol"):
        return
    for name in imported_names(module):
        is_standard = name.split(".")[0] in sys.stdlib_module_names
        if not is_standard and not is_within(name, *PROTOCOL_IMPORTS):
            yield f"imports {name}"


def imports_are_absolute_and_at_the_top(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"line {node.lineno}: relative import"
    for function in functions(module):
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield f"line {node.lineno}: import inside {function.name}"


def work_is_enqueued_after_commit_by_entry_points(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Attribute) or module.is_in(*MAY_ENQUEUE):
            continue
        if node.attr in {"delay", "apply_async", "send_task"}:
            yield f"line {node.lineno}: .{node.attr}"
        if node.attr == "delay_on_commit" and module.is_in("onchain/services"):
            yield f"line {node.lineno}: a service enqueues"


def money_is_never_a_float(module: Module) -> Iterator[str]:
    if not module.is_in(*NO_FLOATS):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"line {node.lineno}: {node.value}"
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "float":
            yield f"line {node.lineno}: float()"


def nothing_happens_by_signal(module: Module) -> Iterator[str]:
    for name in imported_names(module):
        if (
            is_within(name, "django.dispatch", "django.core.signals")
            or name.startswith("django.")
            and ".signals" in f"{name}."
        ):
            yield f"imports {name}"
    for function in functions(module):
        for decorator in function.decorator_list:
            if "receiver" in names_in(decorator):
                yield f"line {decorator.lineno}: @receiver on {function.name}"


def no_transaction_is_open_during_network_calls(module: Module) -> Iterator[str]:
    for function in functions(module):
        arguments = function.args
        parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        takes_client = any(item.arg in CLIENT_PARAMETERS for item in parameters)
        makes_client = names_in(function) & {"node_for", "bundler_for", "JsonRpc"}
        if (takes_client or makes_client) and "atomic" in names_in(function):
            yield f"line {function.lineno}: {function.name} is atomic and has a client"


SETTINGS = {"wallet_site/settings.py", "wallet_site/chain_settings.py"}


def only_settings_read_the_environment(module: Module) -> Iterator[str]:
    """Handing the whole environment to a child, or naming the settings, is no read."""
    if module.path == "wallet_site/environment.py":
        return
    for name in imported_names(module):
        if module.path not in SETTINGS and is_within(name, "wallet_site.environment"):
            yield f"imports {name}"
        if is_within(name, "environs", "os.environ", "os.getenv", "os.environb"):
            yield f"imports {name}"
    handed_on = {
        id(value)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if key is None
    } | {
        id(node.value)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr == "setdefault"
    }
    for node in ast.walk(module.tree):
        if (
            ast.unparse(node) in {"os.environ", "os.getenv"}
            and id(node) not in handed_on
        ):
            yield f"line {node.lineno}: reads the environment"


def modules_are_short(module: Module) -> Iterator[str]:
    lines = len(module.source.splitlines())
    if lines > MODULE_LINES:
        yield f"{lines} lines"


BROKEN: list[tuple[Rule, str, str]] = [
    (a_layer_imports_only_what_is_below_it, path, source)
    for path, source in [
        ("onchain/protocol/safe.py", "from django.conf import settings"),
        ("onchain/clients/node.py", "from onchain.models import Safe"),
        ("onchain/clients/node.py", "import onchain.services.safes"),
        ("onchain/models/safe.py", "from onchain.services import safes"),
        ("onchain/models/safe.py", "from onchain import clients"),
        ("onchain/services/safes.py", "from onchain import tasks"),
        ("onchain/services/safes.py", "from onchain.tasks import run"),
        ("onchain/services/safes.py", "from celery import shared_task"),
        ("onchain/services/safes.py", "from django.http import HttpResponse"),
        ("onchain/tasks.py", "from onchain.views import safes"),
        ("onchain/views/safes.py", "from onchain.clients.node import Node"),
        ("onchain/forms.py", "from onchain.clients.node import Node"),
        ("onchain/templatetags/display.py", "from onchain.services import safes"),
        ("onchain/apps.py", "from wallet_site import settings"),
        ("accounts/webauthn.py", "from django.db import models"),
        ("accounts/webauthn.py", "from onchain.errors import OnchainError"),
        ("accounts/views.py", "from onchain.models import Safe"),
        ("accounts/views.py", "import wallet_site.settings"),
        ("accounts/views.py", "def view():\n    from onchain import models"),
    ]
]
BROKEN += [
    (the_protocol_is_pure, "onchain/protocol/safe.py", "import web3"),
    (the_protocol_is_pure, "onchain/protocol/safe.py", "from onchain import errors"),
    (the_protocol_is_pure, "onchain/protocol/safe.py", "import eth_abi_other"),
]
BROKEN += [
    (imports_are_absolute_and_at_the_top, "onchain/apps.py", source)
    for source in ["from . import x", "from .x import y", "def f():\n    import os"]
]
BROKEN += [
    (work_is_enqueued_after_commit_by_entry_points, path, source)
    for path, source in [
        ("onchain/views/safes.py", "deploy.delay(1)"),
        ("onchain/views/safes.py", "tasks.deploy.apply_async([1])"),
        ("onchain/services/safes.py", "app.send_task('deploy')"),
        ("onchain/services/safes.py", "deploy.delay_on_commit(1)"),
        ("accounts/admin.py", "send.delay(1)"),
    ]
]
BROKEN += [
    (money_is_never_a_float, path, source)
    for path, source in [
        ("onchain/services/gas.py", "LIMIT = 1.3 * table"),
        ("onchain/models/safe.py", "value = float(text)"),
        ("onchain/forms.py", "wei = int(amount * 1e18)"),
        ("onchain/protocol/types.py", "ETHER = 1e18"),
    ]
]
BROKEN += [
    (nothing_happens_by_signal, "onchain/models/safe.py", source)
    for source in [
        "from django.db.models.signals import post_save",
        "from django.db.models import signals",
        "from django.dispatch import Signal",
        "@receiver(post_save)\ndef saved(): ...",
        "@dispatch.receiver(saved)\ndef after(): ...",
    ]
]
BROKEN += [
    (no_transaction_is_open_during_network_calls, path, source)
    for path, source in [
        ("onchain/services/x.py", "@transaction.atomic\ndef f(*, node): ..."),
        (
            "onchain/services/x.py",
            "def f(*, bundler):\n    with atomic():\n        pass",
        ),
        ("onchain/tasks.py", "def f():\n    with atomic():\n        g(node_for(1))"),
    ]
]
BROKEN += [
    (only_settings_read_the_environment, path, source)
    for path, source in [
        ("onchain/clients/node.py", "URL = os.environ['NODE_URL']"),
        ("onchain/clients/node.py", "URL = os.environ.get('NODE_URL')"),
        ("accounts/views.py", "KEY = os.getenv('KEY')"),
        ("accounts/views.py", "from os import environ"),
        ("wallet_site/celery.py", "from environs import Env"),
        ("wallet_site/settings.py", "from environs import Env"),
        ("wallet_site/celery.py", "from wallet_site.environment import env"),
    ]
]
BROKEN += [(modules_are_short, "onchain/apps.py", "x = 1\n" * (MODULE_LINES + 1))]

RULES = list(dict.fromkeys(rule for rule, _, _ in BROKEN))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_obeys(rule):
    problems = [f"{module.path}: {text}" for module in TREE for text in rule(module)]

    assert problems == []


@pytest.mark.parametrize(
    ("rule", "path", "source"),
    BROKEN,
    ids=[f"{rule.__name__}-{source[:40]!r}" for rule, _, source in BROKEN],
)
def test_a_broken_rule_is_noticed(rule, path, source):
    assert list(rule(Module(path, source)))


@pytest.mark.parametrize(
    ("rule", "path", "source"),
    [
        (
            only_settings_read_the_environment,
            "a.py",
            "run(env={**os.environ, 'A': '1'})",
        ),
        (only_settings_read_the_environment, "a.py", "os.environ.setdefault('A', 'b')"),
        (nothing_happens_by_signal, "a.py", "from celery.signals import worker_init"),
        (
            work_is_enqueued_after_commit_by_entry_points,
            "onchain/tasks.py",
            "f.delay(1)",
        ),
        (
            the_protocol_is_pure,
            "onchain/protocol/a.py",
            "from eth_abi.abi import encode",
        ),
        (money_is_never_a_float, "onchain/clients/a.py", "TIMEOUT = 0.5"),
    ],
)
def test_what_is_allowed_is_not_reported(rule, path, source):
    assert list(rule(Module(path, source))) == []


def test_every_layer_has_files_to_look_at():
    folders = {module.path.split("/")[0] for module in TREE}
    layers = {layer for module in TREE for layer in FORBIDDEN if module.is_in(layer)}

    assert folders == set(FOLDERS)
    assert layers == set(FORBIDDEN)
