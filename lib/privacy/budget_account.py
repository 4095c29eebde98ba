"""Accounts: what was charged to each corpus, and the terms set by whoever answers for it.

Each source has an account, two files of one name in ``data/budgets/``: ``NAME.yaml`` holds its terms, to be edited;
``NAME.jsonl`` has a line for each charge, and only grows.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import yaml

from lib.common import jsonl, paths, system
from lib.common.errors import DoppelError
from lib.common.files import remove_parts, write_atomic
from lib.common.lock import hold
from lib.privacy import budget_terms
from lib.privacy.budget_terms import Terms
from lib.privacy.ledger import Event
from lib.privacy.neighbours import NEIGHBOURS, Unit
from lib.stage import strict_yaml
from lib.stage.fingerprint import text_hash
from lib.stage.original import original, parameters

FOLDER = "DOPPEL_BUDGETS"  # environment variable: where accounts are kept, for checkouts or machines that share them

_PATIENCE = 120.0  # seconds for others at the same account; each composes for a second or so


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of an account: an event about to happen, and the corpus that it happens to.

    Args:
        time: in UTC, ISO 8601.
        run: name of the run that the stage is part of.
        event: with the stage and its mechanism.
        unit: ``record`` or ``user``.
        units: n >= 1, the number of units of the corpus.
        delta: in (0, 1), of the stage's own ledger.
        token: names the charge in the stage's checkpoints.
        named: whether the arm was named for release before it was made (`lib.privacy.guarantee`).
    """

    time: str
    run: str
    event: Event
    unit: Unit
    units: int
    delta: float
    token: str
    named: bool = False

    def as_json(self) -> dict:
        """The line of the account."""
        own = {"unit": self.unit, "units": self.units, "delta": self.delta, "token": self.token}
        own |= {"named": True} if self.named else {}
        return {"time": self.time, "run": self.run, **self.event.as_json(), **own}

    @classmethod
    def from_json(cls, line: Mapping) -> "Charge":
        """The charge of a ``line``, an object that `as_json` made; every figure is checked.

        Raises:
            DoppelError: the event cannot be read, or a value is out of its range.
            KeyError: a field is missing.
            TypeError: a field is of another type.
        """
        own = {name: line[name] for name in ("time", "run", "unit", "units", "delta", "token")}
        own["named"] = line.get("named", False)
        event = Event.from_json({name: value for name, value in line.items() if name not in own})
        charge = cls(event=event, **own)
        event.mechanism.validate()
        if event.mechanism.unbounded:
            raise DoppelError("privacy.charge_not_private", "what is not private is never charged", name="mechanism")
        if charge.unit not in NEIGHBOURS or not charge.units > 0 or not 0 < charge.delta < 1:
            raise DoppelError("privacy.charge_range", "unit, units or delta is out of its range")
        if type(charge.named) is not bool:
            raise DoppelError("privacy.charge_range", "named is neither true nor false")
        return charge


@dataclass(frozen=True, slots=True)
class Account:
    """The account of a source.

    Args:
        source: the source in its canonical form: the same file is the same account under any kind.
        name: of its two files, without their endings.
    """

    source: str
    name: str

    @classmethod
    def of(cls, source: str) -> "Account":
        """The account of a source as `00_process_data` takes it.

        A file is known by its path (inside the project, from its root: a project that moves takes its accounts
        along), a dataset of the hub by its name alone: splits may overlap. A copy of a file under another name has
        another account; nothing here can detect that.

        Args:
            source: as the parameter of that name, e.g. ``csv:reviews.csv``; also the ``source`` of an account.
        """
        kind, _, argument = source.partition(":")
        entry = _entry(kind)
        if entry is not None and entry.takes_path and entry.default_path is not None and not argument:
            argument = f"data/{entry.default_path}"
        if not argument:
            return cls(kind, _slug(kind))
        if entry is not None and not entry.takes_path:
            source = f"{kind}:{entry.corpus_name(argument)}".rstrip(":")
            return cls(source, _slug(source))
        root = paths.ROOT.resolve()
        path = (root / Path(argument).expanduser()).resolve()
        shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
        name = f"{Path(shown).parent.name}-{path.stem}"
        return cls(f"file:{shown}", f"{_slug(name)}-{text_hash(shown)[:8]}")

    @property
    def path(self) -> Path:
        """The file of the terms; the charges are beside it, with the ending .jsonl."""
        return folder() / f"{self.name}.yaml"

    @property
    def open(self) -> bool:
        """Whether terms or charges were written."""
        return self.path.is_file() or self._lines.is_file()

    @property
    def shown(self) -> str:
        """The path of the terms in text for people."""
        return _shown(self.path)

    @property
    def _is_public(self) -> bool:
        """Whether anybody can read the text of the source."""
        entry = _entry(self.source)
        return entry is not None and entry.public_text

    @property
    def _lines(self) -> Path:
        return self.path.with_suffix(".jsonl")

    def lock(self) -> IO[str]:
        """The open lock file: nobody else charges until it is closed.

        Raises:
            DoppelError: another process holds the lock for two minutes.
        """
        return hold(folder() / f".{self.name}.lock", f"the budget {self.shown}", patience=_PATIENCE)

    def read(self) -> tuple[Terms, list[Charge]]:
        """Terms and charges, oldest first; terms that nobody has written yet are those that the account opens with.

        Raises:
            DoppelError: the terms or a charge cannot be read, or there are terms and no file of charges. No line is
                ever skipped, since each paid for something.
        """
        charges = self._charges()
        if self.path.is_file():
            return budget_terms.read(self.path, self.shown, self.source), charges
        if self._is_public:
            return Terms(self.source, None, None, None), charges
        return Terms(self.source, charges[0].unit if charges else None, budget_terms.DEFAULT_LIMIT, None), charges

    def _charges(self) -> list[Charge]:
        if not self._lines.is_file():
            if not self.path.is_file():
                return []
            raise DoppelError(
                "privacy.journal_missing",
                f"there are terms, but no {self._lines.name} with what was spent",
                name=self._lines.name,
                remedy="bring it back from a copy; where nothing was ever charged to this corpus, make an empty one",
                where=self.shown,
            )
        try:
            if (written := self._lines.read_bytes()) and not written.endswith(b"\n"):
                raise DoppelError("privacy.account_cut_off", "its last line was cut off", where=str(self._lines))
            return [_charge(where, line) for where, line in jsonl.read(self._lines)]
        except DoppelError as error:
            raise DoppelError(
                "privacy.account_unreadable",
                str(error),
                name=self._lines.name,
                remedy="bring the file back from a copy; a last line that was cut off may be removed, as noise is "
                "drawn only when the whole line is on the disk",
            ) from error

    def add(self, charge: Charge) -> None:
        """Write a ``charge``, and the terms unless somebody wrote them. The charge is on the disk when this returns.

        Raises:
            DoppelError: the operating system refuses it, for want of room say. Then the account is as it was.
        """
        self._lines.touch()  # first: terms without charges beside them are read as a loss
        if not self.path.is_file():
            remove_parts(folder(), self.path.name)
            text = budget_terms.text(self.source, lines=self._lines.name, unit=charge.unit, public_text=self._is_public)
            write_atomic(self.path, text)
        line = json.dumps(charge.as_json(), allow_nan=False) + "\n"
        with system.refusals(self._lines), self._lines.open("ab", buffering=0) as file:
            before = file.tell()
            try:
                left = line.encode()
                while left:  # a disk that fills up takes a part, says so, and refuses the rest
                    left = left[file.write(left) :]
                os.fsync(file.fileno())
            except OSError:  # half a line would make the account unreadable
                file.truncate(before)
                raise


def account_of(corpus: Path) -> Account:
    """The account of a corpus; its params.yaml names the source, or the stage that was scrubbed.

    Scrubbed records have the account of those that they were made from: scrubbing them again, or otherwise, gives no
    budget back.

    Args:
        corpus: folder of a stage of 00_process_data or 01_scrub.

    Raises:
        DoppelError: there is no such file, or it names no source.
    """
    path = corpus / "params.yaml"
    try:
        return Account.of(parameters(original(corpus))["source"])
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        raise DoppelError(
            "privacy.no_source",
            "names no source",
            name="source",
            remedy="give the folder of a stage of 00_process_data or 01_scrub",
            where=str(path),
        ) from None


def accounts() -> list[Account]:
    """The accounts that are open, by name.

    Raises:
        DoppelError: the terms of one cannot be read, or name no source.
    """
    sources = {}
    for path in sorted(folder().glob("*.yaml")):
        values = strict_yaml.read(path, _shown(path))
        sources[path] = values.get("source") if isinstance(values, dict) else None
    if broken := [path for path, source in sources.items() if not isinstance(source, str)]:
        raise DoppelError(
            "privacy.term_missing",
            "has no source",
            name="source",
            remedy="name the source whose budget this is",
            where=_shown(broken[0]),
        )
    return [Account(source, path.stem) for path, source in sources.items()]


def folder() -> Path:
    """Where accounts are kept."""
    return paths.ROOT / Path(os.environ.get(FOLDER) or "data/budgets").expanduser()


def _entry(kind: str) -> Any:
    """The entry (`Source`) of a kind of source; None for ``file``, which only accounts are called, and a mistyped kind.

    It is imported by name, because a stage's fingerprint follows import statements: a new source must not make a stage
    run again that only charges this account.
    """
    return import_module("lib.data.sources").SOURCES.get(kind)


def _charge(where: str, line: Mapping) -> Charge:
    try:
        return Charge.from_json(line)
    except (DoppelError, KeyError, TypeError, ValueError) as error:
        raise DoppelError(
            "privacy.charge_unreadable", f"no charge ({type(error).__name__}: {error})", where=where
        ) from None


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text.replace("/", "__")).strip("-.") or "corpus"


def _shown(path: Path) -> str:
    return path.relative_to(paths.ROOT).as_posix() if path.is_relative_to(paths.ROOT) else str(path)
