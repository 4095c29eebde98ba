"""Texts against a naive loop, one context at a time and without a cache; runs that are killed; and empty batches."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from lib.generation.prompt_file import PromptFile
from lib.methods.private_prediction import prediction as module
from lib.methods.private_prediction.batches import Batch
from lib.methods.private_prediction.next_token import draw, kept, mixed, uniforms
from lib.methods.private_prediction.prediction import JOURNAL, Prediction
from lib.methods.private_prediction.requests import Requests
from lib.methods.private_prediction.side_by_side import Rule
from lib.methods.private_prediction.writer import Writer

CELLS = [{"mood": "good"}, {"mood": "bad"}]
WRITTEN = [Batch(0, 0), Batch(0, 1), Batch(0, 2), Batch(1, 0)]  # nobody is in the third


class Killed(Exception):
    """Stands for the end of the process."""


def of_file(requests: Requests) -> Requests:
    """The same requests by a prompt file that asks for each text in other words, of other lengths."""
    draws = {"topic": ["a box", "a late train", "it"]}
    one = {"random": ["A {mood} text about {topic}:"], "rephrase": ["{text}"], "fill": ["{text}"]}
    prompts = PromptFile.model_validate({"about": "x", "labels": ["mood"], "draws": draws, "one_line": True} | one)
    return replace(requests, prompt=None, prompt_with_record=None, prompts=prompts)


def rule(writer: Writer, **changes: object) -> Rule:
    numbers = {"rows": 3, "texts_at_once": 3, "clip": 0.7, "divisor": 3.0, "temperature": 0.8}
    given = Rule(top_k=20, margin=0.3, max_new_tokens=7, stops=writer.ends, **numbers)
    return replace(given, **changes)


def run(writer: Writer, parted, folder, **changes: object) -> list[list[int]]:
    given = {"rule": rule(writer, **changes), "privacy_seed": 5, "folder": folder}
    return Prediction(writer.model, writer.requests, CELLS, WRITTEN, parted, **given).run()


def by_hand(writer: Writer, parted, how: Rule, number: int) -> list[int]:
    """One text, every context read anew for each token."""
    batch, drawn = WRITTEN[number], []
    units, asked = parted.get(batch, []), writer.requests.asked(CELLS[batch.cell], batch)

    def logits(ids: list[int]) -> torch.Tensor:
        with torch.inference_mode():
            return writer.model(torch.tensor([[*ids, *drawn]])).logits[:, -1].double().clone()

    while not how.ended(drawn):
        public = logits(asked.alone)
        if not drawn:
            public = public.index_fill(1, torch.tensor(sorted(how.stops)), -torch.inf)
        rows = [[*asked.before, *writer.requests.shown(asked, r)] for unit in units for r in unit]
        scores = mixed(
            public,
            torch.cat([public[:0], *map(logits, rows)]),
            allowed=kept(public, how.top_k, how.margin),
            units=torch.tensor([number for number, unit in enumerate(units) for _ in unit], dtype=torch.long),
            texts=torch.zeros(len(units), dtype=torch.long),
            clip=how.clip,
            divisor=how.divisor,
        )
        drawn.append(int(draw(scores, how.temperature, uniforms(5, np.array([number]), len(drawn)))))
    return drawn


@pytest.mark.parametrize("rows", [1, 3, 20])
@pytest.mark.parametrize("by_file", [False, True])
def test_texts_are_those_of_a_naive_loop_however_many_are_written_at_once(writer, parted, tmp_path, rows, by_file):
    writer = replace(writer, requests=of_file(writer.requests)) if by_file else writer
    written = run(writer, parted, tmp_path, rows=rows, texts_at_once=1 + rows // 2, max_new_tokens=9)
    assert written == [by_hand(writer, parted, rule(writer, max_new_tokens=9), number) for number in range(4)]
    assert len({tuple(text) for text in written}) == 4


def test_texts_that_end_leave_the_others_as_they_are(writer, parted, tmp_path):
    first = run(writer, parted, tmp_path / "a", max_new_tokens=12)
    stops = frozenset(first[1][3:4])  # the second text ends here, and maybe others
    written = run(writer, parted, tmp_path / "b", max_new_tokens=12, stops=stops)
    assert written == [by_hand(writer, parted, rule(writer, max_new_tokens=12, stops=stops), n) for n in range(4)]
    assert min(map(len, written)) < 12 and all(text[0] not in stops for text in written)


def test_records_change_texts_and_a_batch_without_any_is_written_from_the_request_alone(writer, parted, tmp_path):
    whole = run(writer, parted, tmp_path / "a", clip=50.0)
    nobody = run(writer, {}, tmp_path / "b", clip=50.0)
    assert whole[2] == nobody[2] and [whole[n] for n in (0, 1, 3)] != [nobody[n] for n in (0, 1, 3)]
    fewer = run(writer, {b: units for b, units in parted.items() if b != Batch(0, 0)}, tmp_path / "c", clip=50.0)
    assert fewer[0] == nobody[0] and fewer[1:] == whole[1:]  # a batch is behind its own text alone


@pytest.mark.parametrize("after", [0, 3, 11])
def test_a_killed_run_goes_on_and_draws_nothing_twice(writer, parted, tmp_path, monkeypatch, after):
    asked, draws = [], module.uniforms

    def counted(seed, texts, step):
        asked.extend((int(text), step) for text in texts)
        return draws(seed, texts, step)

    monkeypatch.setattr(module, "uniforms", counted)
    appended = Prediction._append

    def killed(self, line):
        appended(self, line)
        killed.left -= 1
        if killed.left < 0:
            raise Killed

    killed.left = after
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Prediction, "_append", killed)
        run(writer, parted, tmp_path)
    with (tmp_path / JOURNAL).open("a") as file:
        file.write('{"texts": [0, 1], "tok')  # and while it wrote
    written = run(writer, parted, tmp_path)
    assert len(asked) == len(set(asked)) == sum(map(len, written))
    assert written == run(writer, parted, tmp_path / "whole")
    assert run(writer, parted, tmp_path) == written  # what is whole is read
    lines = [json.loads(line) for line in (tmp_path / JOURNAL).read_text().splitlines()]
    assert sum(len(line["tokens"]) for line in lines) == sum(map(len, written))


def test_passes_follow_from_public_numbers(writer, parted, tmp_path):
    """However many units there really are, the same texts are written side by side."""
    given = {"rule": rule(writer, texts_at_once=2), "privacy_seed": 5, "folder": tmp_path}
    few, many = (Prediction(writer.model, writer.requests, CELLS, WRITTEN, p, **given)._passes() for p in ({}, parted))
    assert few == many == [[0, 1], [2], [3]]
