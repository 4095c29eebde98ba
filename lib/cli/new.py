"""``./run_all.sh new FILE``: a preset for records of your own (CSV, JSONL, Parquet, or hub:OWNER/NAME), in one command.

What no option says is asked for at the terminal. Columns, label values and lengths are guessed from the file.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lib.cli.dialog import NONE, Dialog
from lib.cli.new_columns import LEAST_IN_A_CELL, choose_columns, declared_label, label_of
from lib.common.errors import DoppelError

if TYPE_CHECKING:
    from lib.data.fitting import Lengths
    from lib.data.records import Record
    from lib.pipeline.new_preset import Description

# no names of presets
COMMANDS = ("budget", "check-machine", "compare", "lab", "new", "release", "setup", "sweep", "test", "verify")
LEAST_RECORDS = 100  # with fewer, noise leaves nothing to learn
INTERRUPTED = 130  # exit code, as shells have it

_PUBLIC = """These values become public once they are written: parameter files, certificates and cards of releases name
them. A value that points at somebody does not belong there."""
_LENGTHS = (
    """These limits come from the lengths of the texts, in coarse steps. They are written, and public from now on."""
)
_UNSPACED = "each character counts as a word; the bundled model knows English alone: name another model in the files"
_TRIAL = """This is a trial: its model is random and writes nonsense, but every stage meets your file. It charges the
corpus as any run does. For the preset itself, give the same command without --small."""


def main(arguments: Sequence[str]) -> int:
    """Run the command.

    Args:
        arguments: of the command line, after ``new``.

    Returns:
        Exit code: 0 written and checked, 2 refused, 130 interrupted at a question.
    """
    options = _parser().parse_args(arguments)
    from lib.common import paths  # late, as the others: --help needs no library

    try:
        from lib.pipeline import new_preset

        name, description = _describe(options)
        written = new_preset.write(description, name, paths.ROOT)
    except (DoppelError, KeyboardInterrupt) as error:
        print(f"{error if isinstance(error, DoppelError) else ''}\nnothing was written", file=sys.stderr)
        return 2 if isinstance(error, DoppelError) else INTERRUPTED
    print("\nwrote " + " and ".join(str(path.relative_to(paths.ROOT)) for path in written))
    return _check(name, description)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run_all.sh new", description=__doc__, allow_abbrev=False)
    parser.add_argument("file", metavar="FILE", help="path of a file, from the project or in full, or hub:OWNER/NAME")
    parser.add_argument("--name", metavar="NAME", help="of the preset (default: the file's name; with --small, -small)")
    parser.add_argument("--force", action="store_true", help="write a preset again that this command wrote")
    what_it_holds = parser.add_argument_group("what the file holds")
    what_it_holds.add_argument("--text", metavar="COLUMN", help="the column of the text (guess: the longest)")
    what_it_holds.add_argument(
        "--label",
        metavar="NAME[=COLUMN]",
        action="append",
        help="a label, and the column that it is read from; repeatable (guess: columns of few different values)",
    )
    what_it_holds.add_argument("--no-labels", action="store_true", help="the records have no labels")
    what_it_holds.add_argument(
        "--labels",
        metavar="NAME=A,B,C",
        action="append",
        default=[],
        help="declare the values of a label, without looking at the file; repeatable",
    )
    what_it_holds.add_argument(
        "--user", metavar="COLUMN", help=f"the column that says who wrote a record; {NONE}: none"
    )
    what_it_holds.add_argument("--what", metavar="WORDS", help="what a record is, as 'customer review' (default: text)")
    what_it_holds.add_argument("--max-words", metavar="N", type=int, help="longest text (default: 9 of 10 are kept)")
    what_is_made = parser.add_argument_group("what is made of it")
    what_is_made.add_argument(
        "--unit", choices=["record", "user"], help="what the guarantee protects (default: record)"
    )
    what_is_made.add_argument("--epsilon", metavar="E", type=float, help="of each private arm (default: quick's, 8)")
    what_is_made.add_argument("--samples", metavar="N", type=int, help="records of each arm (default: as quick has it)")
    what_is_made.add_argument(
        "--small", action="store_true", help="a trial in minutes: few records, and a random model that writes nonsense"
    )
    parser.add_argument(
        "--yes", action="store_true", help="ask nothing: take every guess, and make label values and lengths public"
    )
    return parser


def _describe(options: argparse.Namespace) -> tuple[str, "Description"]:
    """The name of the new preset, and what it says of the corpus. Nothing is written."""
    from lib.common import paths
    from lib.data import labels, records, sources
    from lib.data.sources.survey import source_of, survey
    from lib.pipeline.new_preset import Description, check_name
    from lib.pipeline.new_prompts import check_what

    dialog, declared = Dialog(accepts=options.yes), dict(map(declared_label, options.labels))
    if options.what is not None:
        check_what(options.what)
    source = source_of(options.file)
    name = options.name or _name_of(source, small=options.small)
    check_name(name, paths.ROOT, COMMANDS, again=options.force)
    columns = survey(source, options.text)
    _check_options(options, declared, has_columns=columns is not None)
    mapping = None if columns is None else choose_columns(columns, options, declared, dialog)
    unit = options.unit or "record"
    if options.unit is None and (mapping is None or "user" in mapping):
        unit = dialog.ask("what the guarantee is for, record or user", unit, _unit)
    _check_users(unit, mapping)
    what = options.what or dialog.ask("what is one record, in a word or two", "text", check_what)

    found = sources.load(source, columns=mapping, label_domain=declared, unit=unit).records
    records.check_users(found, unit)
    domain = _domain(found, declared, dialog)
    records.check_labels(found, domain)
    _warn_of_cells(len(labels.cells(domain)), len(found))
    lengths = _lengths([record.text.reveal() for record in found], options, dialog)
    limits = {field: getattr(lengths, field) for field in lengths.__dataclass_fields__ if field != "unspaced"}
    return name, Description(
        source=source, columns=mapping, label_domain=domain, what=check_what(what), unit=unit, **limits,
        units=lengths.records if unit == "record" else len({record.owner for record in found}),
        epsilon=options.epsilon, samples=options.samples, small=options.small,
    )  # fmt: skip


def _check_options(options: argparse.Namespace, declared: Mapping[str, list[str]], *, has_columns: bool) -> None:
    """Refuse options that contradict each other, and missing ones where nobody can be asked."""
    if options.no_labels and (options.label or declared):
        raise DoppelError(
            "cli.labels_or_none",
            "--no-labels: labels are given too",
            name="--no-labels",
            remedy="leave one of them out",
        )
    if not has_columns and (given := [o for o in ("text", "label", "user", "no_labels") if getattr(options, o)]):
        option = f"--{given[0].replace('_', '-')}"
        raise DoppelError(
            "cli.record_schema",
            f"{option}: the file is in Doppel's own record schema (id, text, labels, user), which is read as it is",
            name=option,
            remedy="leave it out",
        )
    if options.yes or sys.stdin.isatty():
        return
    named = {name or column for name, column in map(label_of, options.label or [])} | set(declared)
    wanted = {
        "--text COLUMN": has_columns and options.text is None,
        "--label NAME or --no-labels": has_columns and not (named or options.no_labels),
        "--labels NAME=A,B,C": not options.no_labels and (not named or bool(named - set(declared))),
        f"--user COLUMN or --user {NONE}": has_columns and options.user is None,
        "--unit record or user": options.unit is None and options.user != NONE,
        "--what WORDS": options.what is None,
        "--max-words N": options.max_words is None,
    }
    if missing := [option for option, is_missing in wanted.items() if is_missing]:
        raise DoppelError(
            "cli.nobody_to_ask",
            "the input is no terminal, so nothing can be asked",
            name=missing[0].partition(" ")[0],
            remedy=f"give --yes, which takes every guess, or {', '.join(missing)}",
        )


def _unit(given: str) -> str:
    if given not in ("record", "user"):
        raise DoppelError("cli.unit", "it is record or user", name="--unit", value=given, remedy="answer one of them")
    return given


def _check_users(unit: str, mapping: Mapping[str, str] | None) -> None:
    if unit == "user" and mapping is not None and "user" not in mapping:
        raise DoppelError(
            "cli.no_user_column",
            "--unit user, but no column says who wrote a record",
            name="--unit",
            value=unit,
            remedy="name it: --user COLUMN",
        )


def _domain(found: Sequence["Record"], declared: Mapping[str, list[str]], dialog: Dialog) -> dict[str, list[str]]:
    """The declared values of each label: given ones, and those of the records after a yes."""
    from lib.common.printable import printable
    from lib.data.fitting import label_values
    from lib.data.sources.survey import RARE

    names = list(dict.fromkeys(name for record in found for name in record.labels))
    seen = {name: label_values(found, name) for name in names if name not in declared}
    for name, values in seen.items():
        print(f"\nlabel {name} has the values")
        for value in values:
            print(f"  {printable(value)}")
    if seen:
        print(f"\n{_PUBLIC}")
        if any(min(Counter(record.labels[name] for record in found).values()) < RARE for name in seen):
            print(f"Of these, at least one stands in fewer than {RARE} records.")
        if not dialog.agrees("Make them public as the declared domain"):
            raise DoppelError(
                "cli.not_declared",
                "the values were not declared",
                name=next(iter(seen)),
                remedy="declare others with --labels NAME=A,B,C, or leave the label out",
            )
    return seen | dict(declared)


def _warn_of_cells(cells: int, count: int) -> None:
    if cells > 1 and count / cells < LEAST_IN_A_CELL:
        print(f"{cells:,} combinations of labels are many for this file: their noisy counts will be mostly noise")


def _lengths(texts: Sequence[str], options: argparse.Namespace, dialog: Dialog) -> "Lengths":
    """The limits of length, by the option or the answer."""
    from lib.common import paths
    from lib.data.fitting import TOKENS_A_WORD, fitting_lengths, tokenizer_file
    from lib.pipeline.new_preset import training

    def words(given: str) -> int:
        if not (given.isdecimal() and int(given)):
            raise DoppelError("cli.words", "it is a whole number from 1", name="--max-words", remedy="write digits")
        return int(given)

    trained, given = training(paths.ROOT), options.max_words
    tokenizer = tokenizer_file(str(trained.get("model", "")))
    lengths = fitting_lengths(texts, tokenizer, None if given is None else words(str(given)))
    if given is None:
        most = dialog.ask("\nlongest text, in words; 9 of 10 have at most", str(lengths.max_words), words)
        lengths = lengths if most == lengths.max_words else fitting_lengths(texts, tokenizer, most)
    print(f"\ntexts of {lengths.min_words} to {lengths.max_words} words are kept")
    if not options.small:  # whose model has a token for each byte, and cuts what is longer
        how = f"estimated, {TOKENS_A_WORD} a word" if tokenizer is None else "counted by the model's own tokenizer"
        print(f"a record has up to {lengths.tokens} tokens ({how}); what is longer is cut")
        if lengths.tokens > trained.get("max_tokens", lengths.tokens):
            print(f"a run takes longer than quick, whose records have {trained['max_tokens']}: --max-words shortens it")
    print(_LENGTHS)
    if lengths.unspaced:
        print(_UNSPACED)
    if lengths.records < LEAST_RECORDS:
        raise DoppelError(
            "cli.too_few_records",
            f"{lengths.records} records are within these lengths, at least {LEAST_RECORDS} are needed",
            name="FILE",
            value=lengths.records,
            remedy="give a file of more, or raise --max-words",
        )
    return lengths


def _name_of(source: str, *, small: bool) -> str:
    """A preset's name after that of a file or dataset."""
    argument = source.partition(":")[2]
    file = (argument.partition(":")[0] if source.startswith("hub:") else argument).rpartition("/")[2]
    stem = re.sub(r"(\.(csv|tsv|txt|jsonl|ndjson|json|parquet|gz))+$", "", file, flags=re.IGNORECASE)
    return (re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-.")[:40] or "mine") + ("-small" if small else "")


def _check(name: str, description: "Description") -> int:
    """Pre-flight of the new preset, and what to do next."""
    from lib.pipeline.preflight import preflight

    try:
        graph = preflight(name, name)
    except DoppelError as error:
        print(f"{error}\nthe preset is written: mend it there, or run this again with --force", file=sys.stderr)
        return 2
    print(f"checked: {len(graph.nodes)} stages can start")
    if description.small:
        print(_TRIAL)
    print(f"""
next:
  ./run_all.sh {name} --dry-run    check it, and see what would run
  ./run_all.sh {name}
params/{name} holds a small file for each stage; prompts/{name}.yaml what the model is asked to write about""")
    return 0
