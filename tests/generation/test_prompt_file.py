"""Prompt files load, templates fill for every label, draws differ, words are masked at their rate."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from support.errors import codes, refused
from support.project import ROOT

from lib.common.errors import DoppelError
from lib.data import labels
from lib.data.private_text import PrivateText
from lib.generation import prompt_file
from lib.generation.prompt_parts import Shown
from lib.models import templates
from lib.stage import strict_yaml

FILES = sorted((ROOT / "prompts").glob("*.yaml"))
CORPORA = {  # file: preset
    "rotten-tomatoes": "quick", "amazon-snippets": "test", "yelp": "yelp", "openreview": "openreview",
    "pubmed": "pubmed",
}  # fmt: skip
TEXT = "the clasp broke, so i sent it back."

SMALL = """
about: tickets of a help desk
labels: [mood]
one_line: true
random: ["Write a {mood} ticket about {subject}[ in {words} words]."]
rephrase: ["Say it {tone}: {text}"]
fill: ["Fill in {tone}: {text}"]
draws:
  subject: [a printer, a password, a cable, a screen]
  tone: {by: mood, values: {calm: [calmly, politely], angry: [loudly, rudely]}}
shots:
  - {labels: {mood: angry}, draws: {subject: a desk}, text: "my desk fell over, again!", again: there it lies}
"""


def domain(preset: str) -> dict[str, list[str]]:
    path = ROOT / "params" / preset / "00_process_data.yaml"
    return yaml.safe_load(path.read_text()).get("label_domain", {"sentiment": ["negative", "neutral", "positive"]})


def small(folder: Path, old: str = "", new: str = "") -> prompt_file.PromptFile:
    assert old in SMALL
    path = folder / "small.yaml"
    path.write_text(SMALL.replace(old, new, 1))
    return prompt_file.load(path)


def ask(
    file: prompt_file.PromptFile, request: str, values: dict, seed: int = 0, words: int | None = None
) -> prompt_file.Messages:
    rng = np.random.default_rng(seed)
    if request == "random":
        return file.random(values, rng, words)
    if request == "rephrase":
        return file.rephrase(TEXT, values, rng, words)
    return file.fill(TEXT, values, rng, words, 0.5)


def test_every_corpus_has_a_file() -> None:
    assert {path.stem for path in FILES} == {*CORPORA, "generic"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("words", [None, 37])
@pytest.mark.parametrize("request_name", ["random", "rephrase", "fill"])
def test_every_template_fills_for_every_label(path: Path, words: int | None, request_name: str) -> None:
    file = prompt_file.load(path)
    declared = domain(CORPORA[path.stem]) if path.stem in CORPORA else {}
    file.check_labels(declared)
    for values in labels.cells(declared):
        requests = set()
        for seed in range(8):
            messages = ask(file, request_name, values, seed, words)
            roles = [role for role, _ in messages if role != "system"]
            assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
            shown = "".join(content for _, content in messages)
            assert not re.search(r"[{}\[\]]|None", shown)
            assert ("37 words" in messages[-1][1]) == (words is not None)
            assert (request_name == "rephrase") == (TEXT in messages[-1][1])
            requests.add(messages[-1][1])
        drawn = {field for template in file.rephrase_templates for field in templates.fields(template)} & set(
            file.draws
        )
        assert len(requests) > 2 or (request_name == "rephrase" and not drawn)  # draws are made for each sample


def test_a_draw_with_the_name_of_a_label_says_the_label(tmp_path: Path) -> None:
    file, values = small(tmp_path), {"mood": "angry", "subject": "a bicycle"}
    *shot, (_, request) = ask(file, "random", values)
    assert request == "Write a angry ticket about a bicycle."
    assert shot[0][1] == "Write a angry ticket about a desk."  # what the example is about stays
    assert "bicycle" not in ask(file, "random", {"mood": "angry"})[-1][1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_draws_are_rich(path: Path) -> None:
    file = prompt_file.load(path)
    for name, draw in file.draws.items():
        if isinstance(draw, list):
            assert len(set(draw)) == len(draw) >= 15, name
    values = labels.cells(domain(CORPORA[path.stem]))[0] if path.stem in CORPORA else {}
    rng = np.random.default_rng(0)
    asked = [file.random(values, rng, None)[-1][1] for _ in range(400)]
    assert len(set(asked)) > 100  # for the same label


def test_the_generic_file_serves_any_corpus() -> None:
    file = prompt_file.load(ROOT / "prompts" / "generic.yaml")
    file.check_labels({})
    file.check_labels({"mood": ["calm"]})
    assert "mood: calm" in ask(file, "random", {"mood": "calm"})[-1][1]
    assert "label" not in ask(file, "random", {})[-1][1]


def test_a_draw_is_uniform_and_follows_its_label(tmp_path: Path) -> None:
    file = small(tmp_path)
    rng = np.random.default_rng(0)
    asked = [file.random({"mood": "calm"}, rng, None)[-1][1] for _ in range(4000)]
    counts = [sum(subject in request for request in asked) for subject in ("printer", "password", "cable", "screen")]
    assert sum(counts) == 4000 and max(abs(count - 1000) for count in counts) < 4 * np.sqrt(4000 * 0.25 * 0.75)
    tones = {file.rephrase(TEXT, {"mood": "angry"}, rng, None)[-1][1].split()[2] for _ in range(50)}
    assert tones == {"loudly:", "rudely:"}
    twice = [file.random({"mood": "calm"}, np.random.default_rng(3), 9) for _ in range(2)]
    assert twice[0] == twice[1]


def test_shots_stand_before_requests_of_their_label_alone(tmp_path: Path) -> None:
    file = small(tmp_path)
    assert len(file.random({"mood": "calm"}, np.random.default_rng(0), None)) == 1
    question, answer, request = file.random({"mood": "angry"}, np.random.default_rng(0), 12)
    assert question == ("user", "Write a angry ticket about a desk in 5 words.")
    assert answer == ("assistant", "my desk fell over, again!") and request[1].endswith("in 12 words.")
    assert file.rephrase(TEXT, {"mood": "angry"}, np.random.default_rng(0), None)[1][1] == "there it lies"
    several = [file.fill(TEXT, {"mood": "angry"}, np.random.default_rng(seed), None, 0.5) for seed in range(8)]
    first = several[0]
    prefixes, requests = {messages[:-1] for messages in several}, {messages[-1] for messages in several}
    assert len(prefixes) == 1 < len(requests)  # the prefix is computed once
    assert "_" in first[0][1] and first[1][1] == "my desk fell over, again!"


@pytest.mark.parametrize(
    ("old", "new", "code", "name", "fact"),
    [  # fact: place and remedy in the message
        ("one_line: true", "one_lines: true", "generation.prompt_key_unknown", "one_lines", "did you mean one_line?"),
        ("one_line: true", "", "generation.prompt_key_missing", "one_line", "one_line"),
        ("one_line: true", "one_line: 1", "generation.prompt_value_wrong", "one_line", "one_line = '1'"),
        (
            "{subject}",
            "{subjct}",
            "models.placeholder_unknown",
            "subjct",
            "random[0]: 'Write a {mood} ticket about {sub",
        ),
        ("{subject}", "{subjct}", "models.placeholder_unknown", "subjct", "did you mean subject?"),
        ("[ in {words} words]", " in {words} words", "models.placeholder_not_bracketed", "words", "random[0]"),
        ("[ in {words} words]", "[ in {words words]", "models.template_malformed", "template", "random[0]"),
        ("[ in {words} words]", "[ in few words]", "models.passage_not_optional", "template", "[ in few words]"),
        ("[ in {words} words]", " in {words] words", "models.template_malformed", "template", "random[0]"),
        ("{mood} ticket", "{mood!r} ticket", "models.placeholder_formatted", "template", "random[0]"),
        ("Fill in {tone}: {text}", "Fill in", "models.placeholder_missing", "text", "fill[0]: 'Fill in'"),
        ("{mood} ticket", "{text} ticket", "models.placeholder_unknown", "text", "random[0]"),
        ("[ in {words} words]", "[ like {good}]", "models.placeholder_unknown", "good", "random[0]"),
        ("Fill in", "Unlike {bad}: fill in", "models.placeholder_not_bracketed", "bad", "fill[0]"),
        ("{by: mood", "{by: mod", "generation.prompt_name_unknown", "mod", "draws: tone: by: 'mod'"),
        ("{by: mood", "{by: mod", "generation.prompt_name_unknown", "mod", "did you mean mood?"),
        ("{by: mood", "{bye: mood", "generation.prompt_key_unknown", "bye", "draws: tone: bye"),
        ("{by: mood", "{bye: mood", "generation.prompt_key_unknown", "bye", "did you mean by?"),
        (
            "{subject: a desk}",
            "{subjects: a desk}",
            "generation.prompt_name_unknown",
            "subjects",
            "shots[0]: draws: 'sub",
        ),
        (
            "{subject: a desk}",
            "{subjects: a desk}",
            "generation.prompt_name_unknown",
            "subjects",
            "did you mean subject?",
        ),
        ("{mood: angry}", "{moods: angry}", "generation.prompt_name_unknown", "moods", "shots[0]: labels: 'moods'"),
        ("subject: [a printer", "good: [a printer", "generation.draw_name_taken", "good", "draws: 'good'"),
        ("subject: [a printer", "words: [a printer", "generation.draw_name_taken", "words", "draws: 'words'"),
        (
            "subject: [a printer, a password, a cable, a screen]",
            "subject: []",
            "generation.prompt_value_wrong",
            None,
            "draws: subject",
        ),
        ("random: [", "random: [3, ", "generation.prompt_value_wrong", "0", "random: 0 = '3'"),
    ],
)
def test_mistakes_are_reported_with_file_and_name(
    tmp_path: Path, old: str, new: str, code: str, name: str | None, fact: str
) -> None:
    with pytest.raises(DoppelError) as refusal:
        small(tmp_path, old, new)
    faults = [fault for fault in refusal.value.faults if fault.code == code]
    assert any(name in (None, fault.name) and fact in str(fault) for fault in faults), refusal.value
    assert all("small.yaml" in str(fault) for fault in refusal.value.faults)


def test_misleading_yaml_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DoppelError) as refusal:
        small(tmp_path, "about: tickets", "about: yes\nabout: tickets")
    first, second = str(refusal.value).splitlines()
    assert "small.yaml" in first and "line 2" in first and "small.yaml" in second and "line 3" in second


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(DoppelError) as refusal:
        small(tmp_path, "Write a {mood} ticket about {subject}[ in {words} words].", "{mod} {subject!r}")
    assert codes(refusal.value) == ["models.placeholder_formatted", "models.placeholder_unknown"]
    assert len(str(refusal.value).splitlines()) == 2


def test_a_missing_file_and_files_of_another_form_are_refused(tmp_path: Path) -> None:
    small(tmp_path)
    missing = tmp_path / "smal.yaml"
    with refused("generation.prompt_file_missing", name="prompts", value=str(missing)) as error:
        prompt_file.load(missing)
    assert error.value.remedy == f"did you mean {tmp_path / 'small.yaml'}?"
    (tmp_path / "list.yaml").write_text("- 1")
    with refused("generation.prompt_value_wrong", value="[1]") as error:
        prompt_file.load(tmp_path / "list.yaml")
    assert "list.yaml" in str(error.value)
    (tmp_path / "latin.yaml").write_bytes(b"about: \xe9")
    with pytest.raises(DoppelError, match=r"latin\.yaml: not UTF-8"):
        prompt_file.load(tmp_path / "latin.yaml")


@pytest.mark.parametrize(
    ("declared", "code", "name", "value", "remedy"),
    [
        ({}, "generation.prompt_label_unknown", "mood", None, "prompts/generic.yaml"),
        ({"moods": ["calm"]}, "generation.prompt_label_unknown", "mood", None, "did you mean moods?"),
        ({"mood": ["calm", "angri"]}, "generation.draw_value_missing", "mood", "angri", "did you mean angry?"),
        ({"mood": "catalogue"}, "generation.draw_by_catalogue", "mood", None, ""),
    ],
)
def test_a_corpus_that_does_not_fit_is_refused(
    tmp_path: Path, declared: dict, code: str, name: str, value: str | None, remedy: str
) -> None:
    file = small(tmp_path)
    file.check_labels({"mood": ["calm", "angry"], "more": ["x"]})
    with refused(code, name=name, value=value) as error:
        file.check_labels(declared)
    assert remedy in error.value.remedy


def test_private_text_is_refused(tmp_path: Path) -> None:
    file, rng, secret = small(tmp_path), np.random.default_rng(0), PrivateText("my own words")
    for call in (
        lambda: file.rephrase(secret, {"mood": "calm"}, rng, None),
        lambda: file.fill(secret, {"mood": "calm"}, rng, None, 0.5),
        lambda: file.random({"mood": secret}, rng, None),
        lambda: file.rephrase(TEXT, {"mood": "calm"}, rng, None, Shown(good=(secret,))),
        lambda: file.fill(TEXT, {"mood": "calm"}, rng, None, 0.5, Shown(bad=(secret,))),
    ):
        with refused("generation.private_text_in_prompt"):
            call()
    with refused("generation.prompt_text_not_string", value="int"):
        file.rephrase(3, {"mood": "calm"}, rng, None)


def test_brackets_and_braces_of_a_text_stay(tmp_path: Path) -> None:
    text = "it has {words} and [this] {{too}} [[x]]"
    assert small(tmp_path).rephrase(text, {"mood": "calm"}, np.random.default_rng(0), None)[-1][1].endswith(f": {text}")
    assert templates.render("[[a]] {{b}}[ {words}]", {"words": None}) == "[a] {b}"


def test_files_are_read_strictly() -> None:
    for path in FILES:
        assert strict_yaml.parse(path.read_text("utf-8"), path.name)


def test_blanks_left_in_a_reply_are_recognised(tmp_path: Path) -> None:
    file = small(tmp_path)
    assert all(file.unfilled(text) for text in ("_ is loud", "it is _.", "a _, b", "我买的_很好"))
    assert not any(file.unfilled(text) for text in ("it is loud", "my_file is loud", ""))
