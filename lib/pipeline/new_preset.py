"""Writes a preset for a user's own corpus: the files of another preset, with what depends on the corpus replaced.

Nothing about the other preset is known here but what a parameter is called: whatever files and parameters it has or
gets are taken over.
"""

import math
import os
import re
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from lib.common import system
from lib.common.errors import DoppelError, Faults
from lib.common.files import remove_folder, write_atomic
from lib.common.printable import printable
from lib.pipeline import new_prompts
from lib.pipeline.preset import read
from lib.stage import parameters, strict_yaml
from lib.stage.notebook_roles import CORPUS, MADE_BY, notebook_of
from lib.stage.stage import NAME

TEMPLATE, SMALL = "quick", "test"  # the presets that a new one is made from
MARK = "# Written by ./run_all.sh new"  # the first words of each file: what has them may be written again
MOST_SAMPLED = 0.5  # of the units, in a step on average: with more, sampling hides next to nothing
SMALL_RECORDS = 400  # about so many are read for a trial
LONGEST_NAME = 60  # characters
_STR, _MAP = "tag:yaml.org,2002:str", "tag:yaml.org,2002:map"
_DESCRIBING = (  # parameters of the corpus stage
    "source", "columns", "share", "unit", "label_domain", "min_words", "max_words", "max_characters",
)  # fmt: skip

_NOTES = {  # by parameter of the corpus stage, what whoever reads the file has to know
    "label_domain": "# Declared, and so public: a release names these values.",
    "min_words": "# By the lengths of the texts, in coarse steps; public as well.",
    "label_histogram_scale": "# Without labels the counts are one, the number of units, which is public.",
}


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a preset says of a corpus, and what its user wants of it.

    Attributes:
        source: as a parameter writes it.
        columns: field -> column; None for a file in the record schema.
        label_domain: label name -> declared values; empty where records have no label.
        what: a record is, in a word or two: ``customer review``.
        unit: of the guarantee, ``record`` or ``user``.
        min_words: least number of words of a text.
        max_words: greatest number of words.
        max_characters: greatest number of characters.
        tokens: of a record, its end counted.
        one_line: whether a record has one line.
        records: how many there are within these limits.
        units: how many units of the guarantee these are.
        epsilon: of each private arm; None: that of the template.
        samples: of each arm; None: those of the template.
        small: whether this is a trial, made from preset `SMALL` and not from `TEMPLATE`.
    """

    source: str
    columns: Mapping[str, str] | None
    label_domain: Mapping[str, list[str]]
    what: str
    unit: str
    min_words: int
    max_words: int
    max_characters: int
    tokens: int
    one_line: bool
    records: int
    units: int
    epsilon: float | None = None
    samples: int | None = None
    small: bool = False

    @property
    def template(self) -> str:
        """The preset that a new one is made from."""
        return SMALL if self.small else TEMPLATE

    @property
    def share(self) -> float:
        """The part of the corpus that is read."""
        return min(1.0, float(f"{SMALL_RECORDS / self.records:.1g}")) if self.small else 1.0


def check_name(name: str, root: Path, commands: Collection[str], *, again: bool) -> None:
    """Refuse a name that is none, or taken.

    Args:
        name: of the new preset.
        root: the project's folder.
        commands: words that mean something else where a preset is named.
        again: whether a preset that `write` wrote may be written again.

    Raises:
        DoppelError: for each of these.
    """
    if not NAME.fullmatch(name) or name.startswith("-") or len(name) > LONGEST_NAME:
        raise DoppelError(
            "pipeline.preset_name",
            f"{printable(name, LONGEST_NAME)!r} is no name of a preset",
            name="--name",
            value=name,
            remedy=f"use at most {LONGEST_NAME} letters, digits, '_', '-' and '.', with '-' and '.' not first",
        )
    if name in commands:
        raise DoppelError(
            "pipeline.preset_is_command",
            f"--name {name}: is a command of ./run_all.sh",
            name="--name",
            value=name,
            remedy="give another",
        )
    there = [path for path in (root / "params" / name, root / "prompts" / f"{name}.yaml") if path.exists()]
    ours = all(map(_is_ours, there))
    if there and not (again and ours):
        raise DoppelError(
            "pipeline.preset_exists",
            f"{there[0].relative_to(root)} exists" + ("" if ours else ", and was not written by this command"),
            name="--name",
            value=name,
            remedy="give another --name" + (", or --force to write it again" if ours else ""),
        )


def _is_ours(path: Path) -> bool:
    """Whether a file, or every file of a folder, was written by `write`."""
    files = path.iterdir() if path.is_dir() else [path]
    return all(file.is_file() and file.read_bytes().startswith(MARK.encode()) for file in files)


def training(root: Path) -> dict[str, object]:
    """The parameters of a stage of `TEMPLATE` that trains a model; empty where none does.

    Args:
        root: the project's folder.
    """
    faults = Faults()
    template = read(TEMPLATE, root, faults)
    faults.raise_any()
    trained = (id for id in template.stages if notebook_of(id) in MADE_BY["model"])
    return next((template.defaults(id) | template.stages[id].values for id in trained), {})


def files(description: Description, name: str, root: Path) -> dict[str, str]:
    """The parameter files of a new preset.

    Args:
        description: of the corpus.
        name: of the preset, whose prompt file is ``prompts/NAME.yaml``.
        root: the project's folder.

    Returns:
        content by file name, for `write`.

    Raises:
        DoppelError: a value that no notebook takes: an epsilon of 0, say.
    """
    faults = Faults()
    template = read(description.template, root, faults)
    faults.raise_any()
    resolved = {id: template.defaults(id) | given.values for id, given in template.stages.items()}
    renamed = _arms(resolved, description.epsilon)
    least = min((values["samples"] for values in resolved.values() if "samples" in values), default=1)
    made = {}
    for id, given in template.stages.items():
        if notebook_of(id) == CORPUS:
            values = _corpus(description) | {n: v for n, v in given.values.items() if n not in _corpus(description)}
        else:
            values = given.values | _changes(description, name, resolved[id], least)
        file = f"{renamed.get(id, id)}.yaml"
        with faults:
            parameters.check(template.spec(id), values, f"params/{name}/{file}")
        made[file] = f"{MARK}, from {given.where}.\n" + as_yaml(_with_names(values, renamed))
    faults.raise_any()
    return made


def _corpus(description: Description) -> dict[str, object]:
    """The parameters that describe a corpus."""
    values = {name: getattr(description, name) for name in _DESCRIBING}
    return values if description.label_domain else values | {"label_histogram_scale": None}


def _changes(description: Description, name: str, resolved: Mapping[str, object], least: int) -> dict[str, object]:
    """What a corpus changes of a stage's parameters; ``least`` is the smallest number of samples of any arm."""
    changes: dict[str, object] = {}
    if resolved.get("prompt") is not None:
        build = new_prompts.request if resolved.get("chat") else new_prompts.opening
        changes["prompt"] = build(description.what, description.label_domain)
    if resolved.get("prompt_with_record") is not None:
        changes["prompt_with_record"] = new_prompts.with_record(changes["prompt"], chat=bool(resolved.get("chat")))
    if resolved.get("prompts") is not None:
        changes["prompts"] = f"prompts/{name}.yaml"
    if "one_line" in resolved:
        changes["one_line"] = description.one_line
    if resolved.get("guidance") and not description.label_domain:  # there is no label to guide by
        changes["guidance"] = 0.0
    if not description.small:  # whose model has few tokens, and takes what is longer cut
        changes |= {limit: description.tokens for limit in ("max_tokens", "max_new_tokens") if limit in resolved}
    most = MOST_SAMPLED * description.units * description.share
    if "prompt_with_record" in resolved:  # no unit is behind two texts
        most = min(most, description.units * description.share / resolved["samples"])
    if "expected_batch" in resolved and resolved["expected_batch"] > most:
        step = 10.0 ** math.floor(math.log10(most))
        changes["expected_batch"] = max(1.0, math.floor(most / step) * step)  # a round number that is not above it
    if resolved.get("target_epsilon") is not None and description.epsilon is not None:
        changes["target_epsilon"] = description.epsilon
    if "samples" in resolved and description.samples is not None:
        changes["samples"] = round(resolved["samples"] * description.samples / least)
    if "release" in resolved:  # nobody asked for a pack
        changes["release"] = []
    return changes


def _arms(resolved: Mapping[str, Mapping[str, object]], epsilon: float | None) -> dict[str, str]:
    """New names of the stages and inputs that are called by an epsilon (eps8), where another one is chosen."""
    old = {values["target_epsilon"] for values in resolved.values() if values.get("target_epsilon") is not None}
    if epsilon is None or len(old) != 1:
        return {}
    tag = re.compile(rf"(?<![A-Za-z0-9])eps{re.escape(f'{old.pop():g}')}(?![A-Za-z0-9.])")
    names = {*resolved, *(name for values in resolved.values() for name in values.get("inputs", {}))}
    return {name: tag.sub(f"eps{epsilon:g}", name) for name in names if tag.search(name)}


def _with_names(value: object, renamed: Mapping[str, str]) -> object:
    """A value in which every string that is a renamed stage or input has its new name."""
    if isinstance(value, Mapping):
        return {renamed.get(name, name): _with_names(item, renamed) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_names(item, renamed) for item in value]
    return renamed.get(value, value) if isinstance(value, str) else value


def write(description: Description, name: str, root: Path) -> list[Path]:
    """Write a preset and its prompt file, whole or not at all.

    Args:
        description: of the corpus.
        name: of the preset, as `check_name` takes it.
        root: the project's folder.

    Returns:
        what was written: the preset's folder and the prompt file.

    Raises:
        DoppelError: the operating system refuses it.
    """
    folder, prompts = root / "params" / name, root / "prompts" / f"{name}.yaml"
    made = files(description, name, root)
    content = new_prompts.prompt_file(description.what, root, one_line=description.one_line)
    head = (
        f"{MARK}, from {new_prompts.GENERIC}.\n# Topics, writers and tones are drawn for each text: make them yours.\n"
    )
    had_prompts, part = prompts.exists(), folder.with_name(f".{name}.new.{os.getpid()}.part")
    try:
        write_atomic(prompts, head + as_yaml(content, wide=True))
        for file, text in made.items():
            write_atomic(part / file, text)
        with system.refusals(folder):
            remove_folder(folder)
            part.rename(folder)
    except BaseException:  # Ctrl-C too
        shutil.rmtree(part, ignore_errors=True)
        if not had_prompts:
            prompts.unlink(missing_ok=True)
        raise
    return [folder, prompts]


def as_yaml(values: Mapping[str, object], *, wide: bool = False) -> str:
    """Values as YAML that `lib.stage.strict_yaml` reads as they are: text that would be misread is in quotes.

    Args:
        values: by key, of strings, numbers, true, false and null, in lists and mappings.
        wide: whether each item of a list has a line to itself, however long; else lists fill lines.
    """
    style = {"default_flow_style": False if wide else None, "width": 100_000 if wide else 110}
    lines = []
    for key, value in values.items():
        lines += [f"{note}\n"] if (note := _NOTES.get(key)) else []
        lines.append(yaml.dump(_Lines({key: value}), Dumper=_Quoting, sort_keys=False, allow_unicode=True, **style))
    return "".join(lines)


class _Lines(dict):
    """A mapping that is written with a key a line."""


class _Quoting(yaml.SafeDumper):
    """Quotes text unless it is read as itself without quotes: yes, 1.0, 1e-4, none and dates are not."""

    def ignore_aliases(self, data: object) -> bool:
        """Write a value that stands twice twice."""
        return True


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    try:
        is_plain = strict_yaml.parse(text, "") == text
    except DoppelError:
        is_plain = False
    return dumper.represent_scalar(_STR, text, style=None if is_plain else '"')


_Quoting.add_representer(str, _represent)
_Quoting.add_representer(_Lines, lambda dumper, lines: dumper.represent_mapping(_MAP, lines.items(), flow_style=False))
