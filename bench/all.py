"""Run every bench but the cold start, and print the report; --write keeps it.

The README's figures stand between two markers, which nothing else moves.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field

from bench import environment, report, stack, start

README = environment.ROOT / "bench" / "README.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
POSTGRESQL = "postgres://postgres@127.0.0.1:5432/postgres"
REDIS = "redis://127.0.0.1:6379/13"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One module to run."""

    title: str
    module: str
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


SERVICES = {
    environment.DATABASE_SERVER: os.environ.get(
        environment.DATABASE_SERVER, POSTGRESQL
    ),
    environment.BROKER: os.environ.get(environment.BROKER, REDIS),
}
BENCHES = (
    Bench(title="Verify an answer of a passkey", module="verification"),
    Bench(title="Register a thousand", module="registrations", environment=SERVICES),
    Bench(title="Deploy a thousand", module="deployments", environment=SERVICES),
    Bench(title="Two hundred at once", module="crowd", environment=SERVICES),
    Bench(title="Follow the chain", module="follower"),
    Bench(title="Prepare an operation", module="preparation"),
    Bench(title="Side by side with AbstractionKit", module="abstractionkit"),
    Bench(title="Changes of owners beside AbstractionKit", module="owner_changes"),
    Bench(title="Recovery on the stand-in module", module="recovery_gas"),
    Bench(title="From the touch to Included", module="inclusion"),
    Bench(title="The same on services", module="inclusion", environment=SERVICES),
    Bench(title="The account's page", module="account_page"),
    Bench(title="Gas", module="gas"),
    Bench(
        title="Verification gas limits",
        module="verification_gas",
        arguments=("--keys", "3"),
    ),
    Bench(title="Start and memory", module="start"),
)


def main() -> None:
    """Run them one after another; one that fails stops all, and nothing is written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="into bench/README.md")
    parser.add_argument("--cold", action="store_true", help="start from nothing, too")
    arguments = parser.parse_args()
    stack.end_on_sigterm()
    if not arguments.cold:
        start.require_installed()
    began = time.monotonic()
    parts = [f"Measured on {report.machine()}."]
    report.show(parts[0])
    for bench in BENCHES:
        report.progress(bench.title)
        extra = ("--cold",) if arguments.cold and bench.module == "start" else ()
        command = " ".join(f"{name}=..." for name in bench.environment)
        command = f"{command} python -m bench.{bench.module} {' '.join(extra)}".strip()
        parts.append(f"### {bench.title}\n\n`{command}`\n\n{output_of(bench, extra)}")
        report.show(f"\n{parts[-1]}")
    text = "\n\n".join(parts)
    report.progress(f"done in {time.monotonic() - began:.0f} s")
    if arguments.write:
        before, _, rest = README.read_text().partition(BEGIN)
        after = rest.partition(END)[2]
        README.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def output_of(bench: Bench, extra: tuple[str, ...]) -> str:
    """Run one bench in a process with settings of its own; return what it printed."""
    command = [sys.executable, "-m", f"bench.{bench.module}", *bench.arguments, *extra]
    names = {name: os.environ[name] for name in os.environ.keys() - SERVICES.keys()}
    process = subprocess.Popen(  # noqa: S603 - our own command line
        command,
        cwd=environment.ROOT,
        env=names | bench.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches it through us, as SIGTERM
        text=True,
    )
    try:
        out, errors = process.communicate()
    finally:
        process.terminate()
        process.wait()
    if process.returncode:
        raise SystemExit(f"{out}\nbench.{bench.module}: {errors[-4000:]}")
    return out.strip()


if __name__ == "__main__":
    main()
