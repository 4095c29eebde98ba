"""Engine ``ctranslate2``: int8 on a CPU, two to several times the speed of transformers."""

import gc
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise, takewhile
from pathlib import Path

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from lib.common.errors import DoppelError
from lib.common.paths import DATA
from lib.generation.engines.base import Completion, NotConvertible, Sampling, batches, completion
from lib.generation.engines.smoothquant import SMOOTHED, smooth
from lib.models import loading

_AVX512 = ("avx512_f", "avx512_cd", "avx512_bw", "avx512_dq", "avx512_vl")
if all(torch.cpu.get_capabilities().get(name, False) for name in _AVX512):
    # measured: a quarter faster than the AVX2 that the library takes by default; read when it is imported
    os.environ.setdefault("CT2_FORCE_CPU_ISA", "AVX512")

import ctranslate2  # noqa: E402
from ctranslate2.converters import TransformersConverter  # noqa: E402

_WORTH = 16  # prompts of a group: a batch of fewer is slower than what its own start saves
_RECIPE = "smoothed 1"  # to be changed with what `_converted` does, so that no older conversion is taken


class CTranslate2Engine:
    """A model converted once to CTranslate2, the adapter merged into it, run by one worker a core.

    ``dtype`` auto quantizes weights and activations of the matrix products to int8; float32 keeps them.
    Finished sequences leave their batch, and what many prompts begin with is computed once for them.
    """

    name = "ctranslate2"

    def __init__(self, model: str, adapter: Path | None = None, *, dtype: loading.Dtype = "auto", batch_size: int = 64):
        if dtype == "bfloat16":
            raise DoppelError("engine ctranslate2 on a CPU knows dtype auto (int8) and float32; not bfloat16")
        self.tokenizer = loading.load_tokenizer(model)
        self.batch_size = batch_size
        self.compute_type = "float32" if dtype == "float32" else "int8"
        self._ends = loading.end_tokens(model, self.tokenizer)
        self.folder = _converted(model, adapter, self.tokenizer, self.compute_type)

    def complete(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling, limits: Sequence[int] | None = None
    ) -> Iterator[tuple[int, Completion]]:
        if not prompts:
            return
        limits = limits or [sampling.max_new_tokens] * len(prompts)
        threads = torch.get_num_threads()
        workers = min(threads, len(prompts), self._fit_memory())
        looks_back = sampling.repetition_penalty != 1 or sampling.no_repeat_ngram_size > 0
        plan = [
            (shared, [group[i] for i in batch])
            for group in _alike(prompts)
            for shared in [_common_start([prompts[p] for p in group])]
            for batch in _plan(
                [prompts[p][len(shared) :] for p in group],
                [limits[p] for p in group],
                self.batch_size,
                workers,
                one_length=looks_back,
            )
        ]
        generators = self._start(workers, threads // workers, sampling)
        # a worker takes its batches in a fixed order: its draws go to the same prompts every time
        queues = [ThreadPoolExecutor(1) for _ in generators]
        try:
            jobs = {}
            for number, (shared, positions) in enumerate(plan):
                rest = [list(prompts[p])[len(shared) :] for p in positions]
                drawn = replace(sampling, max_new_tokens=max(limits[p] for p in positions))
                worker = number % workers
                jobs[queues[worker].submit(self._generate, generators[worker], shared, rest, drawn)] = positions
            for job in as_completed(jobs):
                for position, ids in zip(jobs[job], job.result(), strict=True):
                    yield position, completion(self.tokenizer, ids, self._ends, limits[position])
        finally:
            for queue in queues:
                queue.shutdown(cancel_futures=True)

    def _start(self, workers: int, threads: int, sampling: Sampling) -> list[ctranslate2.Generator]:
        """Fresh workers, each with draws of its own.

        The library seeds a thread's generator at its first draw and never again, and gives all threads the
        same seed: workers of one pool write the same texts, and a second seed is ignored. So each worker is
        a pool of one new thread, and makes its first draw here, alone.
        """

        def load(_: int) -> ctranslate2.Generator:
            return ctranslate2.Generator(
                str(self.folder), compute_type=self.compute_type, inter_threads=1, intra_threads=threads
            )

        with ThreadPoolExecutor(workers) as pool:
            generators = list(pool.map(load, range(workers)))
        for number, generator in enumerate(generators):
            ctranslate2.set_random_seed(sampling.seed_for(number))
            generator.generate_batch([[self.tokenizer.eos_token]], max_length=1, sampling_topk=0)
        return generators

    def _generate(
        self, generator: ctranslate2.Generator, shared: list[int], rest: list[list[int]], sampling: Sampling
    ) -> list[list[int]]:
        """New token ids of one batch, whose prompts are ``shared`` + each of ``rest``."""
        tokens = self.tokenizer.convert_ids_to_tokens
        results = generator.generate_batch(
            [tokens(ids) for ids in rest],
            static_prompt=tokens(shared) or None,
            end_token=self._ends,
            return_end_token=True,
            include_prompt_in_result=False,
            max_length=sampling.max_new_tokens,
            min_length=sampling.min_new_tokens,
            repetition_penalty=sampling.repetition_penalty,
            no_repeat_ngram_size=sampling.no_repeat_ngram_size,
            sampling_temperature=sampling.temperature or 1.0,
            sampling_topk=sampling.top_k if sampling.temperature else 1,
            sampling_topp=sampling.top_p,
        )
        return [result.sequences_ids[0] for result in results]

    def _fit_memory(self) -> int:
        """Workers whose weights together take at most half of the machine's memory; they are not shared."""
        size = (self.folder / "model.bin").stat().st_size
        return max(1, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // (2 * size))


def _alike(prompts: Sequence[Sequence[int]]) -> list[list[int]]:
    """Positions of prompts that share the first half of themselves, group by group (examples of one label, say).

    All are one group where that would leave fewer than `_WORTH` prompts to a group: their batches would be small.
    """
    order = sorted(range(len(prompts)), key=lambda position: tuple(prompts[position]))
    groups = [order[:1]]
    for before, position in pairwise(order):
        a, b = prompts[before], prompts[position]
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
        if 2 * same < min(len(a), len(b)):
            groups.append([])
        groups[-1].append(position)
    return groups if len(prompts) >= _WORTH * len(groups) else [list(range(len(prompts)))]


def _common_start(prompts: Sequence[Sequence[int]]) -> list[int]:
    """The tokens that all prompts begin with, less what must be left of each: two tokens (see `_plan`)."""
    shortest = min(prompts, key=len)[:-2]
    same = takewhile(lambda i: all(prompt[i] == shortest[i] for prompt in prompts), range(len(shortest)))
    return [shortest[i] for i in same]


def _plan(
    prompts: Sequence[Sequence[int]], limits: Sequence[int], size: int, workers: int, one_length: bool
) -> list[list[int]]:
    """Batches of prompts; with ``one_length``, none stands beside a longer one.

    In a batch of several lengths the library (4.8.5) forces the rest of the longer prompts token by token,
    as if it were drawn. A repetition penalty and n-grams then count these tokens, and beside a prompt of a single
    token they come back as part of the completion: so a single token never shares a batch with more.
    """
    groups: dict[int, list[int]] = {}
    for position, prompt in enumerate(prompts):
        groups.setdefault(len(prompt) if one_length else min(len(prompt), 2), []).append(position)
    return [
        [group[i] for i in batch]
        for group in groups.values()
        for batch in batches([prompts[p] for p in group], [limits[p] for p in group], size, workers)
    ]


class _Converter(TransformersConverter):
    """Converts a model that is in memory already: one with an adapter merged into it."""

    def __init__(self, source: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase):
        super().__init__(source)
        self._model, self._tokenizer = model, tokenizer

    def load_model(self, *_: object, **__: object) -> PreTrainedModel:
        return self._model

    def load_tokenizer(self, *_: object, **__: object) -> PreTrainedTokenizerBase:
        return self._tokenizer


def _converted(model: str, adapter: Path | None, tokenizer: PreTrainedTokenizerBase, compute_type: str) -> Path:
    """Folder of the converted model, made at the first call.

    It is keyed by the contents of model and adapter, and lies beside the adapter (a hidden folder, as
    private as the adapter is), or in data/models for a plain model.
    """
    contents = [loading.fingerprint(model), *([loading.folder_hash(adapter)] if adapter else [])]
    recipe = [compute_type, ctranslate2.__version__, _RECIPE]
    key = sha256("\n".join([*contents, *recipe]).encode()).hexdigest()[:16]
    folder = (adapter.parent / ".ctranslate2" if adapter else DATA / "models" / "ctranslate2") / key
    if folder.is_dir():
        return folder
    plain = loading.load(model, dtype="float32", device="cpu")
    if adapter is not None:
        plain = loading.merged(loading.with_adapter(plain, adapter))
    if compute_type == "int8" and plain.config.model_type in SMOOTHED:
        smooth(plain, tokenizer)
    converter = _Converter(str(loading.locate(model)), plain, tokenizer)
    gc.collect()
    gc.freeze()  # the converter collects after each layer, which looked at every object of the process 30 times: 6 s
    try:
        loading.make_folder(folder, lambda made: converter.convert(str(made), quantization=compute_type))
    except (ValueError, NotImplementedError) as error:
        raise NotConvertible(f"{model!r}: {str(error).splitlines()[0]}; use engine: transformers") from None
    finally:
        gc.unfreeze()
    return folder
