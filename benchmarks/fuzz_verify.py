"""Thousands of damaged and forged packs through verify: ``python benchmarks/fuzz_verify.py [COUNT] [SEED]``.

It starts from a new pack and from those in tests/release/packs, stops at the first one that breaks a rule of
`support.pack_fuzz`, and prints counts as its last line.
"""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support import pack_fuzz, release_world  # noqa: E402


def main(count: int = 5000, seed: int = 0) -> None:
    """Check ``count`` changed packs, drawn from a ``seed``."""
    with tempfile.TemporaryDirectory() as root:
        packs = [release_world.packed(Path(root)), *sorted((ROOT / "tests" / "release" / "packs").iterdir())]
        for good in packs:
            share = count // len(packs)
            for number, counts in enumerate(pack_fuzz.run(good, Path(root) / "pack", share, seed), 1):
                if number % 100 == 0 or number == share:
                    shown = ", ".join(f"{counted:,} {name}" for name, counted in counts.items())
                    print(f"{good.name}: {number:,} of {share:,}: {shown}", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
