"""./run_all.sh new FILE: a preset for a file of one's own, by options, by answers, or not at all."""

import builtins
import json
import random
import sys
from collections.abc import Callable, Iterator

import pytest
import yaml
from support.errors import codes
from support.project import Project
from support.source_files import WRITERS, write_csv, write_jsonl

from lib.cli import __main__, new
from lib.common.errors import DoppelError
from lib.pipeline import preflight as checked

pytestmark = pytest.mark.usefixtures("unfingerprinted")

MARK = "zqjxv"  # stands in every text, and in nothing else
WORDS = ["camera", "battery", "screen", "light", "heavy", "cheap", "strong", "menu", "photo", "sound"]


def rows(count: int = 120, words: int = 12) -> list[dict]:
    draw = random.Random(0)
    return [
        {
            "Review": f"{MARK}{i} " + " ".join(draw.choices(WORDS, k=words - 1)),
            "Mood": ("bad", "good")[i % 2],
            "Stars": float(i % 3 + 1),
            "Author": f"u{i % 40}",
        }
        for i in range(count)
    ]


Shown = tuple[int, str, str]  # exit code, output, errors


@pytest.fixture
def run(house: Project, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Shown]]:
    """Runs the command. No text may be in what it prints, and a refusal leaves no trace."""
    written = {path for folder in ("params", "prompts") for path in (house.root / folder).rglob("*")}

    def run(*arguments: object) -> Shown:
        code = __main__.main(["new", *map(str, arguments)])
        shown = capsys.readouterr()
        assert MARK not in shown.out + shown.err
        if code != 0:
            assert {p for folder in ("params", "prompts") for p in (house.root / folder).rglob("*")} == written
            assert shown.err.endswith("nothing was written\n")
        return code, shown.out, shown.err

    return run


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Puts somebody at the terminal who gives these answers, and lists what was asked."""

    def give(*lines: str | BaseException) -> list[str]:
        left, asked = list(lines), []

        def answer(question: str = "") -> str:
            asked.append(question)
            if not left:
                raise EOFError
            if isinstance(line := left.pop(0), BaseException):
                raise line
            return line

        monkeypatch.setattr(builtins, "input", answer)
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
        return asked

    return give


def values(project: Project, preset: str, stage: str) -> dict:
    return yaml.safe_load((project.root / "params" / preset / f"{stage}.yaml").read_text("utf-8"))


@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_of_any_kind_becomes_a_preset_that_passes_preflight(kind: str, house: Project, run: Callable) -> None:
    path = WRITERS[kind](house.root / f"my reviews.{kind}", rows())
    code, out, _ = run(path, "--yes", "--what", "customer review")
    assert code == 0 and "./run_all.sh my-reviews --dry-run" in out
    assert "Mood has the values\n  bad\n  good\n" in out and "become public" in out
    corpus = values(house, "my-reviews", "00_process_data")
    assert corpus["source"] == f"{kind}:{path}"  # the path as it was given
    assert corpus["columns"] == {"text": "Review", "labels.Mood": "Mood", "labels.Stars": "Stars", "user": "Author"}
    assert corpus["label_domain"] == {"Mood": ["bad", "good"], "Stars": ["1", "2", "3"]}
    assert (corpus["min_words"], corpus["max_words"], corpus["unit"]) == (4, 20, "record")
    graph = checked.preflight("my-reviews", "my-reviews")
    assert set(graph.nodes) == {path.stem for path in (house.root / "params" / "quick").glob("*.yaml")}


def test_everything_by_options_with_nobody_at_the_terminal(house: Project, run: Callable) -> None:
    path = write_csv(house.root / "x.csv", rows())
    options = ["--text", "Review", "--label", "rating=Stars", "--labels", "rating=1,2,3", "--user", "Author"]
    options += ["--unit", "user", "--what", "note", "--max-words", "30", "--name", "mine", "--epsilon", "4"]
    code, out, _ = run(path, *options, "--samples", "60")
    assert code == 0 and "has the values" not in out  # they were declared without looking
    corpus = values(house, "mine", "00_process_data")
    assert (corpus["label_domain"], corpus["unit"], corpus["max_words"]) == ({"rating": ["1", "2", "3"]}, "user", 30)
    trained = values(house, "mine", "10_finetune_dp_lora.eps4")
    assert trained["target_epsilon"] == 4.0 and "{rating}" in trained["prompt"]
    assert values(house, "mine", "11_generate.base")["samples"] == 60
    assert values(house, "mine", "30_compare")["inputs"]["eps4"] == "11_generate.eps4"


def test_what_is_missing_is_listed_where_nobody_can_be_asked(house: Project, run: Callable) -> None:
    path = write_csv(house.root / "x.csv", rows())
    code, _, err = run(path, "--text", "Review", "--label", "Mood")
    assert code == 2
    for option in ("--labels NAME=A,B,C", "--user", "--what", "--max-words", "--yes"):
        assert option in err
    assert "--text" not in err and "--no-labels" not in err


def test_questions_and_answers(house: Project, run: Callable, answers: Callable) -> None:
    path = write_csv(house.root / "x.csv", rows())
    asked = answers("9", "Revew", "1", "mood=2", "", "user", "customer review", "perhaps", "yes", "100")
    code, out, _ = run(path)
    assert code == 0 and "did you mean Review?" in out  # asked again after what is no column
    assert [question.partition(" [")[0] for question in asked[:3]] == ["column of the text"] * 3
    assert "[Author]" in asked[4] and asked[7] == asked[8]  # only yes and no are taken
    corpus = values(house, "x", "00_process_data")
    assert corpus["columns"] == {"text": "Review", "labels.mood": "Mood", "user": "Author"}
    assert (corpus["unit"], corpus["max_words"]) == ("user", 100)
    assert "Write one customer review (mood: {mood})." in values(house, "x", "10_finetune_dp_lora.eps8")["prompt"]


@pytest.mark.parametrize(
    ("given", "code", "fault"),
    [
        (["1", "Mood", "-", "text", "no"], 2, "cli.not_declared"),
        (["1", "Mood", "-"], 2, "cli.input_ended"),
        ([], 2, "cli.input_ended"),
        (["1", KeyboardInterrupt()], 130, None),
        (["1", "Mood", "-", "text", KeyboardInterrupt()], 130, None),
    ],
)
def test_whoever_says_no_or_stops_leaves_nothing_behind(
    given: list, code: int, fault: str | None, house: Project, run: Callable, answers: Callable, refusals: list
) -> None:
    answers(*given)
    assert run(write_csv(house.root / "x.csv", rows()))[0] == code
    assert refusals == ([fault] if fault else [])


@pytest.fixture
def refusals(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The codes of what the command refused."""
    seen: list[str] = []
    describe = new._describe

    def watched(options: object) -> object:
        try:
            return describe(options)
        except DoppelError as error:
            seen.extend(codes(error))
            raise

    monkeypatch.setattr(new, "_describe", watched)
    return seen


def changed(**cells: object) -> list[dict]:
    """The rows with the first one's cells changed, or all of a column by a function of the row's number."""
    made = rows()
    for name, value in cells.items():
        for number, row in enumerate(made):
            if callable(value) or number == 0:
                row[name] = value(number) if callable(value) else value
    return made


BAD = {  # what the file holds, more options, and the code
    "empty": (b"", [], "data.empty_file"),
    "no row": (b"Review,Mood\n", [], "data.no_record"),
    "latin-1": (f"Review,Mood\n{MARK} caf\u00e9,good\n".encode("latin-1"), [], "common.not_utf8"),
    "semicolons": (f"Review;Mood\n{MARK}, good;1\n".encode(), [], "data.other_delimiter"),
    "no header": (f"{MARK} one,good\n{MARK} two,good\n".encode(), [], "data.no_header"),
    "no header, a number": (f"{MARK} one,5\n{MARK} two,4\n".encode(), [], "data.no_header"),
    "no header, short texts": ("".join(f"{MARK} {i}\n" for i in range(200)).encode(), [], "data.no_header"),
    "an archive": (b"PK\x03\x04" + MARK.encode(), [], "data.other_format"),
    "no such column": (rows(), ["--text", "Revew"], "cli.no_such_column"),
    "no such label": (rows(), ["--label", "stars=Sterne"], "cli.no_such_column"),
    "a column twice": (rows(), ["--text", "Review", "--label", "x=Review"], "cli.column_twice"),
    "a label's name": (rows(), ["--label", "a b=Mood"], "cli.label_name"),
    "a label called text": (rows(), ["--label", "text=Mood"], "cli.label_name"),
    "one value": (changed(Mood=lambda i: "good"), ["--label", "Mood"], "data.not_a_label"),
    "many values": (rows(), ["--label", "Review", "--text", "Mood"], "data.not_a_label"),
    "a long value": (changed(Mood=MARK * 40), ["--label", "Mood"], "data.not_a_label"),
    "a control character": (changed(Mood=f"{MARK}\x1b[31m"), ["--label", "Mood"], "data.not_a_label"),
    "a value is missing": (changed(Mood=""), ["--label", "Mood"], "data.label_incomplete"),
    "a value not declared": (changed(Mood=MARK), ["--labels", "Mood=good,bad"], "data.label_outside_domain"),
    "values twice": (rows(), ["--labels", "Stars=1,1.0,2,3"], "data.domain_values"),
    "values in no form": (rows(), ["--labels", "Stars"], "cli.labels_form"),
    "labels and none": (rows(), ["--label", "Mood", "--no-labels"], "cli.labels_or_none"),
    "few records": (rows(60), [], "cli.too_few_records"),
    "few short records": (rows(), ["--max-words", "3"], "cli.too_few_records"),
    "no words": (rows(), ["--max-words", "0"], "cli.words"),
    "all empty": (changed(Review=lambda i: " "), ["--text", "Review"], "data.no_text"),
    "users unknown": (rows(), ["--unit", "user", "--user", "-"], "cli.no_user_column"),
    "a user missing": (changed(Author=""), ["--unit", "user"], "data.user_missing"),
    "braces": (rows(), ["--what", "a {note}"], "pipeline.what"),
    "a slash": (rows(), ["--name", "a/b"], "pipeline.preset_name"),
    "a leading dot": (rows(), ["--name", ".."], "pipeline.preset_name"),
    "an option": (rows(), ["--name=-x"], "pipeline.preset_name"),
    "a command": (rows(), ["--name", "test"], "pipeline.preset_is_command"),
    "a preset": (rows(), ["--name", "yelp"], "pipeline.preset_exists"),
    "not ours": (rows(), ["--name", "quick", "--force"], "pipeline.preset_exists"),
    "a prompt file": (rows(), ["--name", "generic", "--force"], "pipeline.preset_exists"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_refused_and_shows_no_cell(
    case: str, house: Project, run: Callable, refusals: list[str]
) -> None:
    content, options, fault = BAD[case]
    path = house.root / "x.csv"
    path.write_bytes(content) if isinstance(content, bytes) else write_csv(path, content)
    assert run(path, "--yes", *options)[0] == 2
    assert refusals == [fault]


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        ("nowhere.csv", "data.no_file"),
        ("params", "data.folder"),
        ("yelp:x.csv", "data.not_own_columns"),
        ("amazon-snippets:", "data.source_form"),
        ("hub:", "data.source_form"),
    ],
)
def test_what_is_no_file_of_ones_own_is_refused(file: str, fault: str, run: Callable, refusals: list[str]) -> None:
    assert run(file, "--yes")[0] == 2 and refusals == [fault]


@pytest.mark.parametrize(("option", "value"), [("--epsilon", "0"), ("--epsilon", "nan"), ("--samples", "0")])
def test_sizes_that_no_notebook_takes_are_refused_before_anything_is_written(
    option: str, value: str, house: Project, run: Callable
) -> None:
    code, _, err = run(write_csv(house.root / "x.csv", rows()), "--yes", option, value)
    assert code == 2 and "params/x/" in err


def test_a_preset_is_written_again_by_force_alone(house: Project, run: Callable, refusals: list[str]) -> None:
    path = write_csv(house.root / "x.csv", rows())
    assert run(path, "--yes", "--epsilon", "4")[0] == 0
    (house.root / "params" / "x" / "extra.yaml").write_text("")  # somebody's own
    for options in (["--yes"], ["--yes", "--force"]):
        assert __main__.main(["new", str(path), *options]) == 2
    (house.root / "params" / "x" / "extra.yaml").unlink()
    assert refusals == ["pipeline.preset_exists"] * 2
    assert run(path, "--yes", "--force")[0] == 0
    assert not (house.root / "params" / "x" / "10_finetune_dp_lora.eps4.yaml").exists()
    assert not list((house.root / "params").glob(".*"))


def test_a_corpus_without_labels(house: Project, run: Callable) -> None:
    path = write_csv(house.root / "x.csv", [{"Review": row["Review"]} for row in rows()])
    assert run(path, "--yes")[0] == 0
    corpus = values(house, "x", "00_process_data")
    assert corpus["label_domain"] == {} and corpus["label_histogram_scale"] is None
    assert values(house, "x", "11_generate.base")["prompt"] == "Write one text."


def test_a_file_in_the_record_schema_is_read_as_it_is(house: Project, run: Callable, refusals: list[str]) -> None:
    lines = [{"id": str(i), "text": row["Review"], "labels": {"mood": row["Mood"]}} for i, row in enumerate(rows())]
    path = write_jsonl(house.root / "x.jsonl", lines)
    assert run(path, "--yes", "--text", "text")[0] == 2 and refusals == ["cli.record_schema"]
    assert run(path, "--yes")[0] == 0
    corpus = values(house, "x", "00_process_data")
    assert corpus["columns"] is None and corpus["label_domain"] == {"mood": ["bad", "good"]}


def test_values_that_yaml_would_misread_come_back_as_they_are(house: Project, run: Callable) -> None:
    traps = ["yes", "null", "1.5", "1e-4", "None", "2024-01-31", "0o17", "- a", "a: b", "#1", "~", "caf\u00e9 \u4e2d"]
    path = write_csv(house.root / "x.csv", changed(Mood=lambda i: traps[i % len(traps)]))
    assert run(path, "--yes", "--label", "Mood")[0] == 0
    node = checked.preflight("x", "x").nodes["00_process_data"]
    assert sorted(node.parameters["label_domain"]["Mood"]) == sorted(traps)


def test_chinese_text_is_counted_by_character(house: Project, run: Callable) -> None:
    made = [
        {"\u8bc4\u8bba": "\u597d\u5403\u7684\u5348\u9910" * 4 + str(i), "\u60c5\u611f": "\u597d\u574f"[i % 2]}
        for i in range(120)
    ]
    code, out, _ = run(write_csv(house.root / "\u8bc4\u8bba.csv", made), "--yes")
    assert code == 0 and "each character counts as a word" in out
    corpus = values(house, "mine", "00_process_data")
    assert (
        corpus["columns"] == {"text": "\u8bc4\u8bba", "labels.\u60c5\u611f": "\u60c5\u611f"}
        and corpus["max_words"] == 30
    )
    assert "{\u60c5\u611f}" in values(house, "mine", "11_generate.base")["prompt"]


def test_a_trial_takes_the_small_preset_and_a_part_of_the_file(house: Project, run: Callable) -> None:
    path = write_csv(house.root / "x.csv", rows(1000))
    code, out, _ = run(path, "--yes", "--small")
    assert code == 0 and "This is a trial" in out
    assert values(house, "x-small", "00_process_data")["share"] == 0.4
    trained = values(house, "x-small", "10_finetune_dp_lora.eps8")
    assert trained["model"] == "bundled:tiny-random" and "{Mood}" in trained["prompt"]
    beside = values(house, "x-small", "14_private_prediction.eps8")
    assert beside["prompt_with_record"] == "{text}\n" + beside["prompt"] and "{Mood}" in beside["prompt"]
    assert values(house, "x-small", "30_compare")["release"] == []


def test_a_value_of_few_records_is_pointed_out(house: Project, run: Callable) -> None:
    path = write_csv(house.root / "x.csv", changed(Mood="rare"))
    assert "fewer than 10 records" in run(path, "--yes", "--label", "Mood")[1]


def test_a_preset_that_preflight_refuses_stays_to_be_mended(
    house: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_MODE", "onlin")
    assert __main__.main(["new", str(write_csv(house.root / "x.csv", rows())), "--yes"]) == 2
    assert "the preset is written" in capsys.readouterr().err and (house.root / "params" / "x").is_dir()


def test_no_preset_is_called_like_a_command() -> None:
    usage = [line.split()[1:] for line in __main__._USAGE.splitlines() if line.split()[:1] == ["./run_all.sh"]]
    assert sorted(new.COMMANDS) == sorted(
        {words[0] for words in usage if words and words[0].islower()} - {"the", "set"}
    )


def test_lines_of_json_may_lack_keys(house: Project, run: Callable) -> None:
    made = rows()
    made[3]["extra"] = MARK
    path = house.root / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    assert run(path, "--yes")[0] == 0
