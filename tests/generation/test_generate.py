"""Engines against each other, and records drawn through a scripted one."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from support.errors import refused
from support.lora_toys import saved_adapter
from support.project import ROOT

from lib.generation import generate
from lib.generation.engines import ctranslate2_engine, names, registry, smoothquant, transformers_engine
from lib.generation.engines.base import batches, completion
from lib.generation.engines.transformers_engine import TransformersEngine
from lib.generation.generate import Completion, Sampling, generate_records, open_engine
from lib.models import loading
from lib.models.prompt import Prompt

TINY = "bundled:tiny-random"
GREEDY = Sampling(temperature=0, max_new_tokens=12)
ENGINES = ("transformers", "ctranslate2")


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter of the tiny model, which changes what it writes."""
    return saved_adapter(TINY, tmp_path_factory.mktemp("stage") / "adapter")


@pytest.fixture(scope="module")
def engines(adapter: Path) -> dict[str, generate.Engine]:
    """With the adapter: the plain model's likeliest token is always the same."""
    return {name: open_engine(TINY, adapter, engine=name, device="cpu", dtype="float32") for name in ENGINES}


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def prompts_of(engine: generate.Engine, *texts: str) -> list[list[int]]:
    return [engine.tokenizer(text).input_ids for text in texts]


def completed(engine: generate.Engine, prompts: Sequence[Sequence[int]], sampling: Sampling) -> list[Completion]:
    """The completions in the order of the prompts, each of which is completed once."""
    done = dict(engine.complete(prompts, sampling))
    assert sorted(done) == list(range(len(prompts)))
    return [done[i] for i in range(len(prompts))]


# engines


def test_both_engines_write_the_same_with_an_adapter_and_without(adapter: Path, engines):
    written = {}
    for fitted in (None, adapter):
        for name in ENGINES:
            engine = open_engine(TINY, fitted, engine=name, device="cpu", dtype="float32")
            prompts = prompts_of(engine, "how", "was it, and", "what then?", "x" * 40, "y")
            written[name, fitted] = completed(engine, prompts, GREEDY)
        assert written["transformers", fitted] == written["ctranslate2", fitted]
    assert written["transformers", None] != written["transformers", adapter]


@pytest.mark.parametrize(
    "change",
    [{"repetition_penalty": 1.5}, {"no_repeat_ngram_size": 2}, {"min_new_tokens": 12}, {"max_new_tokens": 1}],
)
def test_sampling_settings_mean_the_same_in_both_engines(engines, change):
    prompts = prompts_of(engines["transformers"], "abc abc", "abc why not so", "abc z", "hello", "b")
    sampling = replace(GREEDY, **change)
    first, second = (completed(engines[name], prompts, sampling) for name in ENGINES)
    assert first == second != completed(engines["transformers"], prompts, GREEDY)
    if "min_new_tokens" in change:
        assert {done.tokens for done in first} == {12}
    if "repetition_penalty" in change or "no_repeat_ngram_size" in change:  # the prompt's own letters are not counted
        forced = completed(engines["transformers"], prompts, replace(sampling, min_new_tokens=12))
        assert forced == completed(engines["ctranslate2"], prompts, replace(sampling, min_new_tokens=12))


@pytest.mark.parametrize("name", ENGINES)
def test_a_prompt_alone_is_completed_as_among_longer_ones(engines, name):
    engine = engines[name]
    prompts = prompts_of(engine, "a", "some words more", "and many, many words more than that", "a b")
    together = completed(engine, prompts, GREEDY)
    assert [completed(engine, [prompt], GREEDY)[0] for prompt in prompts] == together
    assert len(set(together)) > 1


def test_a_prompt_that_is_a_prefix_of_all_others_is_completed_too(engines):
    """The shared prefix is computed once, and here it is the whole of a prompt."""
    prompts = prompts_of(engines["ctranslate2"], "go on", "go on now", "go on, and on")
    alone = [completed(engines["ctranslate2"], [prompt], GREEDY)[0] for prompt in prompts]
    assert completed(engines["ctranslate2"], prompts, GREEDY) == alone
    assert completed(engines["transformers"], prompts, GREEDY) == alone


@pytest.mark.parametrize("name", ENGINES)
def test_a_completion_stops_at_its_first_eos_or_at_the_longest_length(engines, name):
    engine = engines[name]
    done = completed(engine, prompts_of(engine, *["say something", "so"] * 40), Sampling(max_new_tokens=12))
    assert {reply.ended for reply in done} == {True, False}
    for reply in done:
        assert "<|im_end|>" not in reply.text and "something" not in reply.text
        assert reply.tokens == 12 if not reply.ended else 1 <= reply.tokens <= 12
        if reply.text.isascii() and "<|" not in reply.text:  # one token a byte
            assert reply.tokens == len(reply.text) + reply.ended


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("cut", [{"top_k": 8, "top_p": 0.7, "temperature": 2.0}, {"temperature": 0.5}, {"top_p": 0.5}])
def test_the_first_token_follows_the_distribution_that_the_settings_define(engines, name, cut):
    """Temperature, then top_k, then top_p, without a penalty: 4,000 draws against an oracle in NumPy."""
    engine, draws = engines[name], 4000
    sampling = Sampling(max_new_tokens=1, seed=3, **cut)
    (prompt,) = prompts_of(engine, "well")
    with torch.inference_mode():
        logits = engines["transformers"].model(torch.tensor([prompt])).logits[0, -1].double().numpy()
    expected = _cut(logits / sampling.temperature, sampling.top_k or len(logits), sampling.top_p)
    texts = Counter(done.text if not done.ended else "END" for done in completed(engine, [prompt] * draws, sampling))
    decode = [engine.tokenizer.decode([token]) for token in range(len(expected))]
    decode[engine.tokenizer.eos_token_id] = "END"
    by_text = Counter()
    for text, probability in zip(decode, expected, strict=True):
        by_text[text] += probability
    assert set(texts) <= {text for text, probability in by_text.items() if probability > 0}
    distance = sum(abs(by_text[text] - texts[text] / draws) for text in by_text) / 2
    # n draws of k equally likely outcomes have a distance of about sqrt(k / (2 pi n)), a wrong order ten times that
    assert distance < 2 * np.sqrt((expected > 0).sum() / (2 * np.pi * draws))


def _cut(logits: np.ndarray, top_k: int, top_p: float) -> np.ndarray:
    order = np.argsort(-logits)
    kept = np.exp(logits - logits.max())
    kept[order[top_k:]] = 0
    kept /= kept.sum()
    before = np.cumsum(kept[order]) - kept[order]
    kept[order[before >= top_p]] = 0
    return kept / kept.sum()


@pytest.mark.parametrize("name", ENGINES)
def test_the_seed_decides_and_equal_prompts_differ(two_threads, name):
    engine = open_engine(TINY, engine=name, device="cpu", batch_size=4)
    prompts = prompts_of(engine, *["tell me"] * 16)
    sampling = Sampling(min_new_tokens=12, max_new_tokens=12, seed=7)
    torch.manual_seed(0)
    state = torch.random.get_rng_state()
    first = completed(engine, prompts, sampling)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(1)  # has no influence
    assert completed(engine, prompts, sampling) == first
    assert len({done.text for done in first}) == 16  # two workers, four batches: none repeats another
    assert not {done.text for done in first} & {d.text for d in completed(engine, prompts, replace(sampling, seed=8))}


@pytest.mark.parametrize("name", ENGINES)
def test_each_prompt_can_have_its_own_limit(engines, name):
    engine = engines[name]
    prompts = prompts_of(engine, "say", "say something", "so", "go on", "well")
    sampling = replace(GREEDY, min_new_tokens=12)
    limits = [3, 12, 1, 7, 3]
    whole = completed(engine, prompts, sampling)
    done = dict(engine.complete(prompts, replace(sampling, min_new_tokens=0), limits))
    for position, limit in enumerate(limits):
        assert done[position].tokens <= limit
        assert whole[position].text.startswith(done[position].text)
        if done[position].tokens < limit:
            assert done[position].ended
    assert {done[p].tokens for p in range(5) if not done[p].ended} <= set(limits)


def test_batches_are_even_of_similar_length_and_equally_many_for_each_worker():
    def cut(prompts: Sequence[Sequence[int]], size: int, multiple: int = 1) -> list[list[int]]:
        return batches(prompts, [9] * len(prompts), size, multiple)

    prompts = [[0] * n for n in (5, 1, 4, 2, 3, 1, 1)]
    assert sorted(position for batch in cut(prompts, 3) for position in batch) == list(range(7))
    assert [sorted(len(prompts[p]) for p in batch) for batch in cut(prompts, 3)] == [[1, 1], [1, 2, 3], [4, 5]]
    assert len(cut(prompts, 64, multiple=2)) == 2
    assert len(cut(prompts, 2, multiple=3)) == 6
    assert len(cut(prompts[:1], 2, multiple=3)) == 1
    assert cut([], 4) == []
    assert all(len(b) <= 3 for n in range(1, 40) for b in cut([[0]] * n, 3, multiple=2))
    limits = [8, 4, 8, 4, 8, 4, 8]
    mixed = [sorted(limits[p] for p in batch) for batch in batches(prompts, limits, 3)]
    assert mixed == [[4, 4], [4, 8, 8], [8, 8]]


def test_a_completion_keeps_special_tokens_but_the_one_that_ended_it(engines):
    tokenizer = engines["transformers"].tokenizer
    start, end = (tokenizer.convert_tokens_to_ids(token) for token in ("<|im_start|>", "<|im_end|>"))
    (a,) = tokenizer("a").input_ids
    assert completion(tokenizer, [a, start, a, end, a], [end], 9) == Completion("a<|im_start|>a", 4, True)
    assert completion(tokenizer, [a, start, a, end], [end], 2) == Completion("a<|im_start|>", 2, False)


def test_prompts_are_grouped_by_their_shared_prefix(engines):
    starts = [[7] * 40, [8] * 40]
    prompts = [[*starts[i % 2], *[i, 5, 6][: 1 + i % 3]] for i in range(40)]
    groups = ctranslate2_engine._prefix_groups(prompts)
    assert sorted(sorted(group) for group in groups) == [list(range(0, 40, 2)), list(range(1, 40, 2))]
    assert ctranslate2_engine._prefix_groups(prompts[:30]) == [list(range(30))]  # batches would be too small
    assert ctranslate2_engine._prefix_groups([[i] * 9 for i in range(40)]) == [list(range(40))]
    engine = engines["ctranslate2"]
    texts = [f"{'left ' * 6 if i % 2 else 'right ' * 6}{i}" for i in range(40)]
    expected = completed(engines["transformers"], prompts_of(engine, *texts), GREEDY)
    assert completed(engine, prompts_of(engine, *texts), GREEDY) == expected


@pytest.mark.parametrize("name", ENGINES)
def test_a_line_ends_with_its_first_break_and_does_not_begin_with_one(engines, name):
    prompts = prompts_of(engines[name], *["say", "so it is"] * 32)
    lines = Sampling(temperature=5.0, max_new_tokens=100, seed=2)
    whole = completed(engines[name], prompts, lines)
    assert any("\n" in done.text.strip() for done in whole)  # without `one_line` they have several
    done = completed(engines[name], prompts, replace(lines, one_line=True))
    stopped = [one for one in done if one.text.endswith(("\n", "\r"))]
    assert len(stopped) > 10 and all(one.ended and one.tokens > 1 for one in stopped)
    assert not any(mark in one.text[:-1] for one in done for mark in "\n\r")


def test_both_engines_stop_a_line_at_the_same_place(engines, monkeypatch: pytest.MonkeyPatch):
    tokenizer = engines["transformers"].tokenizer
    prompts = prompts_of(engines["transformers"], "how", "was it, and", "what then?", "y")
    whole = completed(engines["transformers"], prompts, GREEDY)
    letter = whole[0].text[3]  # of the tiny model's likeliest texts none has a line break: a letter stands for one
    for module in (ctranslate2_engine, transformers_engine):
        monkeypatch.setattr(module, "line_breaks", lambda _: frozenset(tokenizer(letter).input_ids))
    first, second = (completed(engines[name], prompts, replace(GREEDY, one_line=True)) for name in ENGINES)
    assert first == second != whole
    assert first[0].ended and first[0].text.endswith(letter) and first[0].tokens > 1


def test_nothing_to_complete(engines):
    assert all(completed(engine, [], GREEDY) == [] for engine in engines.values())


# conversion


def test_a_conversion_is_made_once_for_each_model_adapter_and_dtype(
    adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    conversions = []
    convert = ctranslate2_engine._Converter.convert
    monkeypatch.setattr(
        ctranslate2_engine._Converter, "convert", lambda self, *a, **k: conversions.append(1) or convert(self, *a, **k)
    )
    copy = tmp_path / "adapter"
    copy.mkdir()
    for file in adapter.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())

    first, again = (open_engine(TINY, copy, engine="ctranslate2").folder for _ in range(2))
    exact = open_engine(TINY, copy, engine="ctranslate2", dtype="float32").folder
    assert first == again != exact and len(conversions) == 2
    assert first.parent == tmp_path / ".ctranslate2"  # beside the adapter, as private as that

    weights = copy / "adapter_model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-3] ^= 1
    weights.write_bytes(changed)
    assert open_engine(TINY, copy, engine="ctranslate2").folder not in (first, exact)
    assert len(conversions) == 3


def test_in_int8_a_nucleus_is_looked_for_among_the_likeliest_tokens(engines, monkeypatch: pytest.MonkeyPatch):
    asked = []
    stand_in = SimpleNamespace(generate_batch=lambda prompts, **options: asked.append(options["sampling_topk"]) or [])
    monkeypatch.setattr(ctranslate2_engine, "_LIKELIEST", 50)
    settings = ({"top_p": 0.9}, {}, {"top_p": 0.9, "top_k": 7}, {"top_p": 0.9, "temperature": 0})
    for engine in (open_engine(TINY, engine="ctranslate2", device="cpu"), engines["ctranslate2"]):  # int8, float32
        for setting in settings:
            engine._generate(stand_in, [], [[5]], Sampling(**setting), frozenset())
    assert asked == [50, 0, 7, 1, 0, 0, 7, 1]


def test_smoothing_changes_the_weights_but_not_the_logits():
    model, tokenizer = loading.load(TINY, dtype="float32", device="cpu"), loading.load_tokenizer(TINY)
    ids = torch.tensor([tokenizer("how it went").input_ids])
    with torch.inference_mode():
        before = model(ids).logits
        smoothquant.smooth(model, tokenizer)
        after = model(ids).logits
    torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)
    plain = loading.load(TINY, dtype="float32", device="cpu").state_dict()
    same = [name for name, weight in model.state_dict().items() if torch.equal(weight, plain[name])]
    # these neither read nor produce a smoothed channel
    assert all("o_proj" in name or "embed" in name for name in same) and len(same) == 3


# choosing an engine


def test_auto_takes_the_fastest_that_fits(monkeypatch: pytest.MonkeyPatch):
    assert open_engine(TINY, device="cpu").name == "ctranslate2"
    assert open_engine(TINY, device="cpu").compute_type == "int8"
    assert open_engine(TINY, device="cpu", dtype="bfloat16").name == "transformers"
    monkeypatch.setattr("ctranslate2.converters.transformers._MODEL_LOADERS", {})
    monkeypatch.setattr(ctranslate2_engine, "_RECIPE", "of this test")
    assert open_engine(TINY, device="cpu").name == "transformers"
    with refused("generation.model_not_convertible", name="model", value=TINY):
        open_engine(TINY, device="cpu", engine="ctranslate2")
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    assert open_engine(TINY, device="cpu").name == "transformers"


def test_long_prompts_come_in_batches_that_fit_in_memory(engines, monkeypatch: pytest.MonkeyPatch):
    prompts = [[*range(3, 3 + length), number] for number in range(24) for length in (5, 40)]
    for room, largest in ((10**6, 8), (100, 2), (1, 1)):
        plan = ctranslate2_engine._plan(prompts, [4] * 48, GREEDY, 8, 1, room)
        assert sorted(p for _, positions in plan for p in positions) == list(range(48))
        assert max(len(positions) for _, positions in plan) == largest
    engine = engines["ctranslate2"]
    monkeypatch.setattr(ctranslate2_engine, "_half_of_memory", lambda: 2**30)
    assert engine._room(2) == 2**30 // (2 * len(engine.tokenizer) * 8)


def test_engines_that_cannot_be_opened(monkeypatch: pytest.MonkeyPatch):
    with refused("generation.engine_unknown", name="engine", value="ctranslate") as error:
        open_engine(TINY, engine="ctranslate")
    assert error.value.remedy == "did you mean ctranslate2?"
    with refused("generation.engine_needs_gpu", name="engine", value="vllm"):
        open_engine(TINY, engine="vllm", device="cpu")
    with refused("generation.dtype_unsupported", name="dtype", value="bfloat16"):
        open_engine(TINY, engine="ctranslate2", device="cpu", dtype="bfloat16")
    with refused("generation.batch_size_out_of_range", name="batch_size", value=0):
        open_engine(TINY, batch_size=0)
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    with refused("generation.engine_not_installed", name="engine", value="ctranslate2") as error:
        open_engine(TINY, engine="ctranslate2", device="cpu")
    assert "pip install ctranslate2" in error.value.remedy


def test_an_engine_is_a_file_and_an_entry_of_the_same_name():
    assert ("auto", *sorted(registry.ENGINES)) == names.ENGINE_NAMES
    assert all(entry.load().name == name for name, entry in registry.ENGINES.items())
    assert registry.fitting("cpu", "auto")[-1] == registry.fitting("cuda", "bfloat16")[-1] == "transformers"


def test_engine_names_are_checked_without_importing_a_model_library():
    code = (
        "import sys; from lib.generation.engines.names import ENGINE_NAMES, check_engine\n"
        "for name in ENGINE_NAMES: check_engine(name)\n"
        "loaded = sorted(name for name in sys.modules if name.startswith(('torch', 'transformers', 'lib.models')))\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)
    with refused("generation.engine_unknown", name="engine", value="vlm") as error:
        names.check_engine("vlm")
    assert error.value.remedy == "did you mean vllm?"


def test_the_transformers_engine_keeps_an_adapter_apart_in_bfloat16(adapter: Path):
    assert hasattr(TransformersEngine(TINY, adapter, device="cpu", dtype="bfloat16").model, "peft_config")
    assert not hasattr(TransformersEngine(TINY, adapter, device="cpu", dtype="float32").model, "peft_config")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", -1),
        ("top_p", 0),
        ("top_p", 1.1),
        ("top_k", -1),
        ("max_new_tokens", 0),
        ("min_new_tokens", 65),
        ("repetition_penalty", 0.0),
        ("no_repeat_ngram_size", -1),
        ("guidance", -0.1),
        ("guidance", float("inf")),
        ("seed", -1),
    ],
)
def test_sampling_out_of_range(name, value):
    with refused("generation.sampling_out_of_range", name=name, value=value):
        Sampling(**{name: value})


# records


class Scripted:
    """An engine with a script: its completions for each round, which it yields for the last prompt first."""

    name = "scripted"

    def __init__(self, *rounds: Sequence[Completion]):
        self.tokenizer = loading.load_tokenizer(TINY)
        self.rounds = list(rounds)
        self.asked: list[tuple[list[str], int]] = []  # prompts and seed of each round
        self.one_line: list[bool] = []  # whether each round is to stop at line breaks

    def complete(self, prompts, sampling):
        self.asked.append(([self.tokenizer.decode(prompt) for prompt in prompts], sampling.seed))
        self.one_line.append(sampling.one_line)
        yield from reversed(list(enumerate(self.rounds.pop(0)[: len(prompts)])))


def written(text: str, ended: bool = True) -> Completion:
    return Completion(text, len(text) + ended, ended)


def test_records_are_completions_and_rejected_ones_are_drawn_again():
    engine = Scripted(
        [written(" one"), written(" "), written("cut off", ended=False), written("four")],
        [written("two"), written("<|im_start|>user")],
        [written("three\nthings ")],
    )
    labels = [{"n": n} for n in ("I", "II", "III", "IV")]
    accepted = []
    records, draws = generate_records(engine, Prompt("No {n}:"), labels, Sampling(seed=1), progress=accepted.append)
    assert [record.text.reveal() for record in records] == ["one", "two", "three\nthings", "four"]
    assert [record.labels for record in records] == labels
    assert len({record.id for record in records}) == 4
    assert draws.rejected == {"empty": 1, "truncated": 1, "markup": 1}
    assert draws.tokens == 5 + 2 + 7 + 5 + 4 + 17 + 14
    assert [asked for asked, _ in engine.asked] == [
        ["No I:", "No II:", "No III:", "No IV:"],
        ["No II:", "No III:"],
        ["No III:"],
    ]
    assert len({seed for _, seed in engine.asked}) == 3
    assert sum(accepted) == 4
    assert str(draws).startswith("4 of 4 texts; rejected: 1 ")


def test_missing_records_are_counted_and_none_at_all_is_an_error():
    labels = [{"n": "I"}, {"n": "II"}]
    engine = Scripted(*[[written("1"), written("ok")], [written("2")]])
    records, draws = generate_records(engine, Prompt("No {n}:"), labels, Sampling(), max_attempts=2)
    assert [record.id for record in records] == ["synthetic-000001"]
    assert (draws.requested, draws.rejected) == (2, {"no letters": 2})
    engine = Scripted(*[[written("x", ended=False), written("")]] * 2)
    with refused("generation.nothing_accepted", value=4) as error:
        generate_records(engine, Prompt("No {n}:"), labels, Sampling(), max_attempts=2)
    assert "2 empty, 2 truncated" in str(error.value)


def test_of_a_reasoning_model_the_answers_are_the_records():
    engine = Scripted(
        [written("<think>\nHm.\n</think>\n\none"), written("Hm.</think>two"), written("<think>Hm", ended=False)],
        [written("<think>Three?</think>three")],
    )
    labels = [{"n": n} for n in ("I", "II", "III")]
    records, draws = generate_records(engine, Prompt("No {n}:", chat=True), labels, Sampling())
    assert [record.text.reveal() for record in records] == ["one", "two", "three"]
    assert draws.rejected == {"truncated": 1}
    tagged = "<analysis>Hm.</analysis> one"  # a corpus may look like this
    ((record,), _) = generate_records(Scripted([written(tagged)]), Prompt("No {n}:"), labels[:1], Sampling())
    assert record.text.reveal() == tagged


def test_a_record_of_one_line_is_the_first_of_its_completion():
    drawn = [written("one.\n"), written("\r\ntwo\n\nNote: more"), written("three"), written("four", ended=False)]
    engine = Scripted(drawn, [written(" \n")], [written("4.\nOne", ended=False)], [written("four\n")])
    sampling = Sampling(one_line=True)
    records, draws = generate_records(engine, Prompt("No {n}:"), [{"n": n} for n in "abcd"], sampling)
    assert [record.text.reveal() for record in records] == ["one.", "two", "three", "four"]
    assert (draws.first_lines, draws.rejected) == (3, {"truncated": 1, "empty": 1, "no letters": 1})
    assert "; 3 are the first line" in str(draws) and engine.one_line == [True] * 4
    untouched, draws = generate_records(Scripted(drawn[:2]), Prompt("No {n}:"), [{"n": "a"}, {"n": "b"}], Sampling())
    assert untouched[1].text.reveal() == "two\n\nNote: more" and draws.first_lines == 0


def test_a_model_that_reasons_is_not_stopped_by_the_line_breaks_of_its_reasoning():
    engine = Scripted([written("<think>\nHm.\n</think>\n\none\ntwo")])
    engine.tokenizer.chat_template += "{# <think> #}"
    ((record,), draws) = generate_records(engine, Prompt("No {n}:", chat=True), [{"n": "I"}], Sampling(one_line=True))
    assert (record.text.reveal(), draws.first_lines, engine.one_line) == ("one", 1, [False])


def test_a_prompt_must_leave_room_for_the_completion():
    with refused("generation.prompt_too_long", name="max_new_tokens", value=6) as error:
        generate_records(Scripted(), Prompt("x" * 507), [{}], Sampling(max_new_tokens=6))
    assert "507" in str(error.value) and "512" in str(error.value)


def test_records_of_the_tiny_model_are_reproducible():
    engine = open_engine(TINY, device="cpu")
    labels = [{"mood": "glad"}, {"mood": "sad"}] * 10
    first, again = (
        generate_records(engine, Prompt("A {mood} note:"), labels, Sampling(max_new_tokens=48)) for _ in range(2)
    )
    assert first == again
    assert len(first[0]) == 20
    assert all("note" not in record.text.reveal() for record in first[0])
