"""The report of a run: ``internal.html`` with everything, ``public.html`` with what may leave the building.

Each is one file without addresses outside itself: style, script and pictures are inside, and its own policy forbids the
browser to fetch anything. The internal page links the executed notebooks, in ``notebooks/`` beside it.
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
from lib.report.stage_view import StageView
from lib.stage.finished import Run

LIMIT = 5_000_000  # bytes of a page: it has to pass through mail, and open on a phone
TEMPLATES = Path(__file__).with_name("templates")

_pages = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def write(run: Run, scorecard: Mapping, public_scorecard: Mapping, figures: Sequence[Figure], out: Path) -> list[Path]:
    """Write both pages, and a page for the notebook of each finished stage.

    Args:
        run: whose finished stages are shown.
        scorecard: the whole one.
        public_scorecard: the part of it that may be public.
        figures: pictures of the frontier; the public page has only those marked ``public``.
        out: a folder inside that of the stage which makes the report.

    Returns:
        The paths written, the two pages first.

    Raises:
        DoppelError: the public scorecard has figures of real text, or a page is over `LIMIT`.
    """
    checked = public_check.checked(public_scorecard)
    own = out.relative_to(run.folder).parts[0] if out.is_relative_to(run.folder) else ""
    stages = {name: stage for name, stage in run.finished().items() if name != own}
    views = [stage_view.view(stage) for stage in stages.values()]
    unfinished = stage_view.unfinished(run, but=own)
    certificates = certificate_view.read(stages, scorecard)
    pages = {
        "internal.html": lambda album: _internal(scorecard, certificates, figures, views, unfinished, album),
        "public.html": lambda album: _public(checked, certificates, figures, album),
    }
    for name, make in pages.items():
        write_atomic(out / name, _fitting(name, make))
    return [out / name for name in pages] + [_notebook(view, run.name, out) for view in views if view.notebook]


def _internal(
    scorecard: Mapping,
    certificates: Sequence[Certificate],
    figures: Sequence[Figure],
    views: Sequence[StageView],
    unfinished: Sequence[str],
    album: Album,
) -> str:
    missing = list(scorecard.get("missing") or ())
    missing += [{"arm": stage, "what": "the stage", "because": "it is not done"} for stage in unfinished]
    return _render(
        sections.content(dict(scorecard) | {"missing": missing}, internal=True),
        certificates=certificates,
        pictures=[album.embed(figure) for figure in figures],
        stages=[
            stage_view.shown(view) | {"pictures": [album.embed(figure) for figure in view.figures]} for view in views
        ],
        verify=f"results/{scorecard.get('run')}/STAGE",
    )


def _public(scorecard: Mapping, certificates: Sequence[Certificate], figures: Sequence[Figure], album: Album) -> str:
    private = {arm["stage"] for arm in scorecard["arms"] if arm["privacy"]["epsilon"] is not None}
    return _render(
        sections.content(scorecard, internal=False),
        certificates=[certificate for certificate in certificates if certificate.stage in private],
        pictures=[album.embed(figure) for figure in figures if figure.public],
        stages=[],
        verify="FOLDER",
    )


def _fitting(name: str, make: Callable[[Album], str]) -> str:
    """The page with as many pictures as it may hold; they come in the order of their importance."""
    bare = len(make(Album(0)).encode())
    if bare > LIMIT:
        raise DoppelError(
            "report.page_too_large",
            f"{name}: {bare / 1e6:.1f} MB without a picture, at most {LIMIT / 1e6:g} are allowed",
            name=name,
            value=bare,
            remedy="compare fewer arms",
        )
    return make(Album(LIMIT - bare))


def _render(content: Mapping[str, object], *, pictures: Sequence[Embedded], **values: object) -> str:
    values |= {"pictures": pictures, "contents": sections.contents(content, pictures=bool(pictures))}
    css, script = _css(), Markup((TEMPLATES / "report.js").read_text("utf-8"))
    policy = f"default-src 'none'; img-src data:; style-src {_hash(css)}; script-src {_hash(script)}; base-uri 'none'"
    page = _pages.get_template("report.html")
    return page.render(**content, **values, policy=policy, css=css, script=script)


def _notebook(view: StageView, run: str, out: Path) -> Path:
    """A stage's executed notebook as a page."""
    pictures = {figure.path.stem: figure.alt for figure in view.figures}
    page = _pages.get_template("notebook.html").render(
        run=run,
        stage=view.id,
        css=_css(),
        colours_of_code=notebook_html.colours_of_code(),
        policy="default-src 'none'; img-src data:; style-src 'unsafe-inline'",  # pandas writes styles into its tables
        body=notebook_html.body(view.notebook, pictures),
    )
    path = out / "notebooks" / f"{view.id}.html"
    write_atomic(path, page)
    return path


def _css() -> Markup:
    colours = {"private": style.PRIVATE, "dp": style.DP, "public": style.PUBLIC}
    return Markup(_pages.get_template("report.css").render(colours))


def _hash(text: str) -> str:
    """What allows a style or script in a policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
