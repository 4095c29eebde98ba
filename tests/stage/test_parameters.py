"""Strict parameters: what a parameters cell may hold, and what is refused of a value, by name and with the remedy."""

import json
import math
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support.errors import codes, refused
from support.project import Project

from lib.common.errors import DoppelError
from lib.stage import strict_yaml
from lib.stage.parameters import Parameter, check, read_spec

CELL = """\
target_epsilon: float | None = 8.0  # (0, 1e6] null trains without privacy
samples: int = 300  # [1, inf) records to write
engine: Literal["auto", "transformers"] = "auto"  # which library generates (or, on a GPU, vllm)
resume: bool = True
labels: dict[str, list[str] | str] = {"rating": ["1", "5"]}  # name: values
quantiles: list[float] = [0.1, 0.9]  # [0, 1]
inputs: dict[str, str] = {
    "corpus": "00_process_data",
}  # stages
"""


@pytest.fixture
def spec(project: Project) -> dict[str, Parameter]:
    return read_spec(project.notebook("11_generate", CELL))


WHERE = "params/quick/11_generate.yaml"


def test_a_cell_is_read_without_being_run(spec: dict[str, Parameter]) -> None:
    assert list(spec)[2:] == ["target_epsilon", "samples", "engine", "resume", "labels", "quantiles", "inputs"]
    epsilon = spec["target_epsilon"]
    assert (epsilon.annotation, epsilon.default, epsilon.low, epsilon.high) == ("float | None", 8.0, 0.0, 1e6)
    assert epsilon.brackets == "(]" and epsilon.help == "null trains without privacy"
    assert spec["engine"].help.startswith("which library") and spec["engine"].low == -math.inf
    assert spec["inputs"].default == {"corpus": "00_process_data"} and spec["inputs"].help == "stages"


@pytest.mark.parametrize(
    ("line", "code", "name"),
    [
        ("steps = 10", "stage.cell_line", None),
        ("steps: int", "stage.cell_line", None),
        ("import os", "stage.cell_line", None),
        ("steps: int = 5 * 2", "stage.no_literal", "steps"),
        ("steps: int = __import__('os').system('true')", "stage.no_literal", "steps"),
        ("steps: __import__('os').getcwd() = 1", "stage.unknown_type", "steps"),
        ("steps: set[int] = 1", "stage.unknown_type", "steps"),
        ("steps: int = 0  # [1, 10]", "stage.out_of_range", "steps"),
        ("steps: int = 2.5", "stage.wrong_type", "steps"),
        ("steps: int = 1\nsteps: int = 2", "stage.declared_twice", "steps"),
        ("steps: int = (", "stage.cell_not_python", None),
    ],
)
def test_a_cell_that_is_not_flat_literals_is_refused_with_its_place(
    project: Project, line: str, code: str, name: str | None
) -> None:
    path = project.notebook("nb", line)
    with refused(code, name=name) as error:
        read_spec(path)
    assert error.value.where.startswith("notebooks/nb.ipynb: the parameters cell")
    if code not in ("stage.out_of_range", "stage.wrong_type"):  # which are refused of the whole cell
        last = 2 + len(line.splitlines())  # after the two that all notebooks declare
        assert error.value.where.endswith(f"line {last}")


def test_two_parameters_cells_are_refused(project: Project) -> None:
    path = project.notebook("nb", "steps: int = 1")
    notebook = json.loads(path.read_text())
    notebook["cells"].append(notebook["cells"][2])
    path.write_text(json.dumps(notebook))
    with refused("stage.parameters_cells", name="nb.ipynb", value=2):
        read_spec(path)


def test_values_go_over_defaults_and_an_int_widens(spec: dict[str, Parameter]) -> None:
    resolved = check(spec, {"target_epsilon": 4, "labels": {"rating": "catalogue"}}, "here")
    assert resolved["target_epsilon"] == 4.0 and isinstance(resolved["target_epsilon"], float)
    assert resolved["samples"] == 300 and resolved["labels"] == {"rating": "catalogue"}
    assert check(spec, {"target_epsilon": None}, "here")["target_epsilon"] is None


@pytest.mark.parametrize(
    ("name", "value", "code", "allowed"),
    [
        ("sampels", 3, "stage.unknown_parameter", "did you mean samples?"),
        ("samples", "300", "stage.wrong_type", "must be int"),
        ("samples", 300.0, "stage.wrong_type", "must be int"),
        ("samples", True, "stage.wrong_type", "must be int"),
        ("samples", None, "stage.wrong_type", "must be int"),
        ("samples", 0, "stage.out_of_range", "must be in [1, inf)"),
        ("target_epsilon", 0, "stage.out_of_range", "must be in (0, 1e+06]"),
        ("target_epsilon", True, "stage.wrong_type", "must be float | None"),
        ("target_epsilon", math.nan, "stage.not_finite", "must be a finite number"),
        ("target_epsilon", math.inf, "stage.not_finite", "must be a finite number"),
        ("engine", "vlm", "stage.wrong_type", "must be Literal['auto', 'transformers']"),
        ("resume", 1, "stage.wrong_type", "must be bool"),
        (
            "labels",
            {"rating": [1, True]},
            "stage.wrong_type",
            "must be dict[str, list[str] | str], with text in quotes: '1'",
        ),
        ("labels", ["rating"], "stage.wrong_type", "must be dict[str, list[str] | str]"),
        ("quantiles", [0.5, 1.5], "stage.out_of_range", "must be in [0, 1]"),
        ("quantiles", (0.5,), "stage.wrong_type", "must be list[float]"),
    ],
)
def test_a_wrong_value_is_refused_by_name(
    spec: dict[str, Parameter], name: str, value: object, code: str, allowed: str
) -> None:
    with refused(code, name=name) as error:
        check(spec, {name: value}, WHERE)
    assert (error.value.where, error.value.remedy) == (WHERE, allowed)
    if code != "stage.unknown_parameter":
        assert error.value.value is value and str(value) in error.value.sentence


def test_all_faults_of_a_file_are_reported_at_once(spec: dict[str, Parameter]) -> None:
    with pytest.raises(DoppelError) as error:
        check(spec, {"samples": 0, "engine": "x", "sampels": 1}, WHERE)
    assert codes(error.value) == ["stage.out_of_range", "stage.wrong_type", "stage.unknown_parameter"]
    assert {fault.where for fault in error.value.faults} == {WHERE} and len(str(error.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("name", "value", "where"),
    [
        ("engine", "sk-abcdEFGH1234ijklMNOP", "engine"),
        ("engine", "hf_abcdefghijklmnopqrstuvwx", "engine"),
        ("engine", "AKIAIOSFODNN7EXAMPLE", "engine"),
        ("engine", "https://me:pass1234@host/data", "engine"),
        ("engine", "q8Zr2LmX9vTb4NwYc7KdP1sGhJ5fUe3A", "engine"),
        ("api_key", "anything-long", "api_key"),
        ("labels", {"token": "anything-long"}, "labels.token"),
        ("labels", {"rating": ["hf_abcdefghijklmnopqrstuvwx"]}, "labels.rating[0]"),
    ],
)
def test_a_secret_is_refused_and_not_shown(spec: dict[str, Parameter], name: str, value: object, where: str) -> None:
    with refused("stage.secret", name=where, value=None) as error:
        check(spec, {name: value}, WHERE)
    secret = value if isinstance(value, str) else re.findall(r"'([^']{9,})'", str(value))[0]
    assert secret not in str(error.value)


@pytest.mark.parametrize(
    "harmless",
    [
        "hub:meta-llama/Llama-3.1-8B-Instruct",
        "csv:data/raw/Cell_Phones_and_Accessories_2023_reviews.csv",
        "0123456789abcdef0123456789abcdef01234567",  # a commit
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",  # a checksum
        "DeepSeek-R1-Distill-Qwen-7B-Instruct-Finetuned-v2",
        "Review of a product, four stars out of five, by someone who bought it in 2023",
    ],
)
def test_names_paths_and_hashes_are_no_secrets(project: Project, harmless: str) -> None:
    spec = read_spec(project.notebook("nb", 'model: str = "x"'))
    assert check(spec, {"model": harmless}, "here")["model"] == harmless


@pytest.mark.parametrize(
    ("text", "code", "remedy"),
    [
        ("a: 1e-4", "stage.yaml_trap", "write 1.0e-4"),
        ("a: 2e3", "stage.yaml_trap", "write 2.0e+3"),
        ("a: 1.5e4", "stage.yaml_trap", "write 1.5e+4"),
        ("a: 1_000.5", "stage.yaml_trap", "write 1000.5"),
        ("a: 1_000", "stage.yaml_trap", "decimal digits"),
        ("a: 010", "stage.yaml_trap", "decimal digits"),
        ("a: 0o17", "stage.yaml_trap", "decimal digits"),
        ("a: 0x1f", "stage.yaml_trap", "decimal digits"),
        ("a: 12:30:45", "stage.yaml_trap", "decimal digits"),
        ("a: 1:30.5", "stage.yaml_trap", "put it in quotes"),
        ("a: yes", "stage.yaml_trap", "write true or false"),
        ("a: [1, off]", "stage.yaml_trap", "write true or false"),
        ("no: 1", "stage.yaml_trap", "write true or false"),
        ("a: 2024-01-01", "stage.yaml_trap", "put it in quotes"),
        ("a: .nan", "stage.yaml_trap", "null for none"),
        ("a: -.inf", "stage.yaml_trap", "null for none"),
        ("a: nan", "stage.yaml_trap", "null for none"),
        ("a: None", "stage.yaml_trap", "write null"),
        ("a: 1\nb: 2\na: 3", "stage.yaml_key_twice", "keep one"),
        ("a: {b: 1, b: 2}", "stage.yaml_key_twice", "keep one"),
        ("a: !!python/name:os.system", "stage.not_yaml", ""),
        ("a: 'x", "stage.not_yaml", ""),
        ("a:\n\t- 1", "stage.not_yaml", ""),
        ("[a, b]: 1", "stage.yaml_key", "a key is one word"),
        ("a: &a [*a]", "stage.not_yaml", ""),
        ("a: \x00", "stage.not_yaml", ""),
    ],
)
def test_yaml_traps(text: str, code: str, remedy: str) -> None:
    with refused(code) as error:
        strict_yaml.parse(text, "here.yaml")
    assert error.value.where.startswith("here.yaml") and remedy in error.value.remedy


def test_a_trap_has_its_line_its_key_and_what_is_written_there() -> None:
    with refused("stage.yaml_key_twice", name="a") as error:
        strict_yaml.parse("a: 1\nb: 2\na: 3", "here.yaml")
    assert error.value.where == "here.yaml, line 3"
    with refused("stage.yaml_trap", name="b", value="1e-4") as error:
        strict_yaml.parse("a: 1\nb: 1e-4", "here.yaml")
    assert error.value.where == "here.yaml, line 2"


@given(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_plain_values_as_yaml_writes_them_are_read(value: object) -> None:
    assert strict_yaml.parse(yaml.safe_dump({"a": value}), "here") == {"a": value}


@given(st.text())
def test_any_text_in_quotes_is_read(text: str) -> None:
    assert strict_yaml.parse(yaml.safe_dump({"a": text}, default_style='"'), "here") == {"a": text}


def test_a_yaml_error_does_not_quote_the_file() -> None:
    with refused("stage.not_yaml") as error:
        strict_yaml.parse("a: 'sk-abcdefghijklmnopqrst", "here")
    assert "sk-abc" not in str(error.value)


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("a: café\n", "utf-8")
    assert strict_yaml.read(tmp_path / "good.yaml", "good.yaml") == {"a": "café"}
    (tmp_path / "bad.yaml").write_text("a: café\n", "latin-1")
    with refused("stage.yaml_not_utf8") as error:
        strict_yaml.read(tmp_path / "bad.yaml", "bad.yaml")
    assert str(error.value) == "bad.yaml: not UTF-8; save it as UTF-8"
    with refused("stage.yaml_unreadable") as error:
        strict_yaml.read(tmp_path, "folder")
    assert error.value.where == "folder" and "Is a directory" in error.value.sentence
