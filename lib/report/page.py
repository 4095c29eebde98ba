"""The report of a run: ``internal.html`` with everything, ``public.html`` with what may leave the building.

Each is one file without an address in it: style, script and pictures are inside, and its own policy forbids the browser
to fetch a thing. The internal one links the notebooks as they ran, in ``notebooks/`` beside it.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lib.common.errors import DoppelError
from lib.common.files import write_atomic
from lib.plots import style
from lib.report import certificate_view, notebook_html, public_check, sections, stage_view
from lib.report.certificate_view import Certificate
from lib.report.images import Album, Embedded, Figure
from lib.report.stage_view import Finished

LIMIT = 5_000_000  # bytes of a page: it has to pass through mail, and open on a phone
TEMPLATES = Path(__file__).with_name("templates")

_pages = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def write(
    run_folder: Path, scorecard: Mapping, public_scorecard: Mapping, figures: Sequence[Figure], out: Path
) -> list[Path]:
    """Write both pages and the notebooks into ``out``. The paths written, the pages first.

    Args:
        run_folder: ``results/<run>``, whose finished stages are told.
        scorecard: all figures (`lib.scorecard`). public_scorecard: those of them that may be public.
        figures: pictures of the frontier; the public page has those marked ``public`` alone.
        out: a folder inside that of the stage which makes the report.

    Raises DoppelError for a public scorecard with figures of real text, and for a page over `LIMIT`.
    """
    shown = public_check.checked(public_scorecard)
    own = out.relative_to(run_folder).parts[0] if out.is_relative_to(run_folder) else ""
    done, waiting = stage_view.finished(run_folder, but=own)
    certified = certificate_view.read(run_folder, scorecard.get("arms") or ())
    pages = {
        "internal.html": lambda album: _internal(scorecard, certified, figures, done, waiting, album),
        "public.html": lambda album: _public(shown, certified, figures, album),
    }
    for name, make in pages.items():
        write_atomic(out / name, _fitting(name, make))
    return [out / name for name in pages] + [_notebook(stage, run_folder.name, out) for stage in done if stage.notebook]


def _internal(
    scorecard: Mapping,
    certified: Sequence[Certificate],
    figures: Sequence[Figure],
    done: Sequence[Finished],
    waiting: Sequence[str],
    album: Album,
) -> str:
    told = list(scorecard.get("missing") or ())
    known = {one.get("arm") for one in told}
    told += [{"arm": id, "what": "the stage", "because": "it is not done"} for id in waiting if id not in known]
    return _render(
        sections.content(dict(scorecard) | {"missing": told}, internal=True),
        certificates=certified,
        pictures=[album.embed(figure) for figure in figures],
        stages=[stage_view.told(stage) | {"pictures": [album.embed(one) for one in stage.figures]} for stage in done],
        verify=f"results/{scorecard.get('run')}/STAGE",
    )


def _public(scorecard: Mapping, certified: Sequence[Certificate], figures: Sequence[Figure], album: Album) -> str:
    private = {arm["name"] for arm in scorecard["arms"] if arm["privacy"]["epsilon"] is not None}
    return _render(
        sections.content(scorecard, internal=False),
        certificates=[one for one in certified if one.arm in private],
        pictures=[album.embed(figure) for figure in figures if figure.public],
        stages=[],
        verify="FOLDER",
    )


def _fitting(name: str, make: Callable[[Album], str]) -> str:
    """The page with as many pictures as it may hold, which stand in the order of their importance."""
    bare = len(make(Album(0)).encode())
    if bare > LIMIT:
        raise DoppelError(
            f"{name}: {bare / 1e6:.1f} MB without a picture, at most {LIMIT / 1e6:g} are allowed; compare fewer arms"
        )
    return make(Album(LIMIT - bare))


def _render(content: Mapping[str, object], *, pictures: Sequence[Embedded], **parts: object) -> str:
    parts |= {"pictures": pictures, "contents": sections.contents(content, pictures=bool(pictures))}
    css, script = _css(), Markup((TEMPLATES / "report.js").read_text("utf-8"))
    policy = f"default-src 'none'; img-src data:; style-src {_hash(css)}; script-src {_hash(script)}; base-uri 'none'"
    page = _pages.get_template("report.html")
    return page.render(**content, **parts, policy=policy, css=css, script=script)


def _notebook(stage: Finished, run: str, out: Path) -> Path:
    """A stage's notebook as it ran, as a page."""
    pictures = {figure.path.stem: figure.alt for figure in stage.figures}
    page = _pages.get_template("notebook.html").render(
        run=run,
        stage=stage.id,
        css=_css(),
        colours_of_code=notebook_html.colours_of_code(),
        policy="default-src 'none'; img-src data:; style-src 'unsafe-inline'",  # pandas writes styles into its tables
        body=notebook_html.body(stage.notebook, pictures),
    )
    path = out / "notebooks" / f"{stage.id}.html"
    write_atomic(path, page)
    return path


def _css() -> Markup:
    colours = {"private": style.PRIVATE, "dp": style.DP, "public": style.PUBLIC}
    return Markup(_pages.get_template("report.css").render(colours))


def _hash(text: str) -> str:
    """What allows a style or script in a policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
