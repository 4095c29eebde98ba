"""Strict parameters: what a parameters cell may hold, and what is refused of a value, by name and with the remedy."""

import json
import math
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
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


def refused(spec: dict[str, Parameter], **values: object) -> str:
    with pytest.raises(DoppelError) as error:
        check(spec, values, "params/quick/11_generate.yaml")
    return str(error.value)


def test_a_cell_is_read_without_being_run(spec: dict[str, Parameter]) -> None:
    assert list(spec)[2:] == ["target_epsilon", "samples", "engine", "resume", "labels", "quantiles", "inputs"]
    epsilon = spec["target_epsilon"]
    assert (epsilon.annotation, epsilon.default, epsilon.low, epsilon.high) == ("float | None", 8.0, 0.0, 1e6)
    assert epsilon.brackets == "(]" and epsilon.help == "null trains without privacy"
    assert spec["engine"].help.startswith("which library") and spec["engine"].low == -math.inf
    assert spec["inputs"].default == {"corpus": "00_process_data"} and spec["inputs"].help == "stages"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("steps = 10", "NAME: TYPE = LITERAL"),
        ("steps: int", "NAME: TYPE = LITERAL"),
        ("import os", "NAME: TYPE = LITERAL"),
        ("steps: int = 5 * 2", "must be a literal"),
        ("steps: int = __import__('os').system('true')", "must be a literal"),
        ("steps: __import__('os').getcwd() = 1", "is not supported"),
        ("steps: set[int] = 1", "is not supported"),
        ("steps: int = 0  # [1, 10]", "must be in [1, 10]"),
        ("steps: int = 2.5", "must be int"),
        ("steps: int = 1\nsteps: int = 2", "declared twice"),
        ("steps: int = (", "line 3"),
    ],
)
def test_a_cell_that_is_not_flat_literals_is_refused_with_its_line(project: Project, line: str, message: str) -> None:
    path = project.notebook("nb", line)
    with pytest.raises(DoppelError, match=re.escape(message)) as error:
        read_spec(path)
    assert str(error.value).startswith("notebooks/nb.ipynb: the parameters cell")


def test_two_parameters_cells_are_refused(project: Project) -> None:
    path = project.notebook("nb", "steps: int = 1")
    notebook = json.loads(path.read_text())
    notebook["cells"].append(notebook["cells"][2])
    path.write_text(json.dumps(notebook))
    with pytest.raises(DoppelError, match="2 cells are tagged"):
        read_spec(path)


def test_values_go_over_defaults_and_an_int_widens(spec: dict[str, Parameter]) -> None:
    resolved = check(spec, {"target_epsilon": 4, "labels": {"rating": "catalogue"}}, "here")
    assert resolved["target_epsilon"] == 4.0 and isinstance(resolved["target_epsilon"], float)
    assert resolved["samples"] == 300 and resolved["labels"] == {"rating": "catalogue"}
    assert check(spec, {"target_epsilon": None}, "here")["target_epsilon"] is None


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("sampels", 3, "unknown parameter 'sampels'; did you mean samples?"),
        ("samples", "300", "samples = '300' is str; must be int"),
        ("samples", 300.0, "samples = 300.0 is float; must be int"),
        ("samples", True, "samples = True is bool; must be int"),
        ("samples", None, "samples = None is NoneType; must be int"),
        ("samples", 0, "samples = 0; must be in [1, inf)"),
        ("target_epsilon", 0, "must be in (0, 1e+06]"),
        ("target_epsilon", True, "must be float | None"),
        ("target_epsilon", math.nan, "must be a finite number"),
        ("target_epsilon", math.inf, "must be a finite number"),
        ("engine", "vlm", "must be Literal['auto', 'transformers']"),
        ("resume", 1, "must be bool"),
        ("labels", {"rating": [1, 5]}, "must be dict[str, list[str] | str]"),
        ("labels", ["rating"], "must be dict"),
        ("quantiles", [0.5, 1.5], "must be in [0, 1]"),
        ("quantiles", (0.5,), "must be list[float]"),
    ],
)
def test_a_wrong_value_is_refused_by_name(spec: dict[str, Parameter], name: str, value: object, message: str) -> None:
    told = refused(spec, **{name: value})
    assert told.startswith("params/quick/11_generate.yaml: ") and message in told


def test_all_faults_of_a_file_are_told_at_once(spec: dict[str, Parameter]) -> None:
    assert len(refused(spec, samples=0, engine="x", sampels=1).splitlines()) == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("engine", "sk-abcdEFGH1234ijklMNOP"),
        ("engine", "hf_abcdefghijklmnopqrstuvwx"),
        ("engine", "AKIAIOSFODNN7EXAMPLE"),
        ("engine", "https://me:pass1234@host/data"),
        ("engine", "q8Zr2LmX9vTb4NwYc7KdP1sGhJ5fUe3A"),
        ("api_key", "anything-long"),
        ("labels", {"token": "anything-long"}),
        ("labels", {"rating": ["hf_abcdefghijklmnopqrstuvwx"]}),
    ],
)
def test_a_secret_is_refused_and_not_shown(spec: dict[str, Parameter], name: str, value: object) -> None:
    told = refused(spec, **{name: value})
    assert "looks like a secret; keys come from the environment" in told
    secret = value if isinstance(value, str) else re.findall(r"'([^']{9,})'", str(value))[0]
    assert secret not in told


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
    ("text", "remedy"),
    [
        ("a: 1e-4", "write 1.0e-4"),
        ("a: 2e3", "write 2.0e+3"),
        ("a: 1.5e4", "write 1.5e+4"),
        ("a: 1_000.5", "write 1000.5"),
        ("a: 1_000", "decimal digits"),
        ("a: 010", "decimal digits"),
        ("a: 0o17", "decimal digits"),
        ("a: 0x1f", "decimal digits"),
        ("a: 12:30:45", "decimal digits"),
        ("a: 1:30.5", "base 60"),
        ("a: yes", "write true or false"),
        ("a: [1, off]", "write true or false"),
        ("no: 1", "write true or false"),
        ("a: 2024-01-01", "reads this as a date"),
        ("a: .nan", "finite"),
        ("a: -.inf", "finite"),
        ("a: nan", "finite"),
        ("a: None", "write null"),
        ("a: 1\nb: 2\na: 3", "line 3: 'a' appears twice"),
        ("a: {b: 1, b: 2}", "'b' appears twice"),
        ("a: !!python/name:os.system", "not YAML"),
        ("a: 'x", "not YAML"),
        ("a:\n\t- 1", "not YAML"),
        ("[a, b]: 1", "a key is a list"),
        ("a: &a [*a]", "not YAML"),
        ("a: \x00", "not YAML"),
    ],
)
def test_yaml_traps(text: str, remedy: str) -> None:
    with pytest.raises(DoppelError, match=re.escape(remedy)) as error:
        strict_yaml.parse(text, "here.yaml")
    assert str(error.value).startswith("here.yaml")


@given(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_plain_values_as_yaml_writes_them_are_read(value: object) -> None:
    assert strict_yaml.parse(yaml.safe_dump({"a": value}), "here") == {"a": value}


@given(st.text())
def test_any_text_in_quotes_is_read(text: str) -> None:
    assert strict_yaml.parse(yaml.safe_dump({"a": text}, default_style='"'), "here") == {"a": text}


def test_a_yaml_error_does_not_quote_the_file() -> None:
    with pytest.raises(DoppelError) as error:
        strict_yaml.parse("a: 'sk-abcdefghijklmnopqrst", "here")
    assert "sk-abc" not in str(error.value)


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("a: café\n", "utf-8")
    assert strict_yaml.read(tmp_path / "good.yaml", "good.yaml") == {"a": "café"}
    (tmp_path / "bad.yaml").write_text("a: café\n", "latin-1")
    with pytest.raises(DoppelError, match=r"^bad.yaml: not UTF-8; save it as UTF-8"):
        strict_yaml.read(tmp_path / "bad.yaml", "bad.yaml")
    with pytest.raises(DoppelError, match=r"^folder: cannot be read \(Is a directory\)"):
        strict_yaml.read(tmp_path, "folder")
