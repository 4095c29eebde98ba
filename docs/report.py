"""Draws docs/report.png, the picture of the README, from a report: ``python docs/report.py [results/quick]``.

Its first screen by day, and the same page on a phone by night. Needs Chromium.
"""

import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))  # the browser that the tests drive

from support import browser  # noqa: E402

DESK, PHONE = (1240, 880), (390, 880)  # width and height in pixels of the page
GAP, EDGE = 28, (200, 200, 196)


def main() -> None:
    run = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "results" / "quick"
    (page,) = run.glob("30_compare*/report/internal.html")
    with tempfile.TemporaryDirectory() as folder, browser.opened(Path(folder)) as tab:
        shots = [
            framed(tab.open(page, width=width, height=height, dark=dark).picture(Path(folder) / f"{dark}.png"), height)
            for (width, height), dark in ((DESK, False), (PHONE, True))
        ]
    both = Image.new("RGB", (sum(one.width for one in shots) + GAP, shots[0].height), "white")
    both.paste(shots[0], (0, 0))
    both.paste(shots[1], (shots[0].width + GAP, 0))
    both.quantize(256, dither=Image.Dither.NONE).save(Path(__file__).with_name("report.png"), optimize=True)


def framed(path: Path, height: int) -> Image.Image:
    """A screenshot at one pixel a pixel of the page, with a thin edge."""
    with Image.open(path) as shot:
        flat = shot.convert("RGB").resize((round(shot.width * height / shot.height), height), Image.Resampling.LANCZOS)
    framed = Image.new("RGB", (flat.width + 2, flat.height + 2), EDGE)
    framed.paste(flat, (1, 1))
    return framed


if __name__ == "__main__":
    main()
