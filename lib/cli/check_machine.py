"""``./run_all.sh check-machine``: each path in small on this machine, and whether it passed, failed or is absent."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from lib.common.files import write_json
from lib.common.formatting import duration, number

_ABOUT = """Does each path of Doppel in small on this machine, beside an oracle: a private training step, its noise and
its masks, votes, embeddings, each engine that writes. The first command to run on a machine with a GPU."""


def main(arguments: Sequence[str]) -> int:
    """Run the command.

    Args:
        arguments: of the command line.

    Returns:
        0, or 1 where a check failed. A check that is absent has not failed.
    """
    parser = argparse.ArgumentParser(prog="./run_all.sh check-machine", description=_ABOUT, allow_abbrev=False)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: a GPU, if any")
    parser.add_argument("--only", metavar="CHECK", action="append", default=[], help="this check alone; repeatable")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write machine and outcomes to a file, too")
    parser.add_argument("--list", action="store_true", help="print the checks and stop")
    options = parser.parse_args(arguments)

    from lib.machine import checks, inventory  # late: --help needs no library
    from lib.models.loading import resolve_device

    chosen = checks.chosen(options.only)
    if options.list:
        print("\n".join(f"{check.name:<20} {check.title}" for check in chosen))
        return 0
    device = resolve_device(options.device)
    machine = inventory.found(device)
    print("\n".join(inventory.told(machine)), end="\n\n", flush=True)
    done = []
    for outcome in checks.outcomes(chosen, device):
        done.append(outcome)
        told = outcome.because or ", ".join(f"{name} {number(value)}" for name, value in outcome.figures.items())
        time = "" if outcome.outcome == "absent" else duration(outcome.seconds)
        print(f"{outcome.outcome:<7} {outcome.name:<20} {time:>8}  {told}", flush=True)
    counts = {kind: sum(one.outcome == kind for one in done) for kind in ("pass", "fail", "absent")}
    print(f"\n{counts['pass']} passed, {counts['fail']} failed, {counts['absent']} absent, on {device.type}")
    if options.json:
        write_json(options.json, {"machine": machine, "checks": [asdict(one) for one in done]})
    return 1 if counts["fail"] else 0
