"""Engine ``ctranslate2``: int8 on a CPU, at two to several times the speed of transformers."""

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

from lib.common import system
from lib.common.errors import DoppelError
from lib.common.paths import DATA
from lib.generation.engines.base import Completion, NotConvertible, Sampling, batches, completion, line_breaks
from lib.generation.engines.names import check_engine
from lib.generation.engines.smoothquant import SMOOTHED, smooth
from lib.models import loading

_AVX512 = ("avx512_f", "avx512_cd", "avx512_bw", "avx512_dq", "avx512_vl")
if all(torch.cpu.get_capabilities().get(name, False) for name in _AVX512):
    # A quarter faster than AVX2, which the library uses by default. It reads the variable when it is imported.
    os.environ.setdefault("CT2_FORCE_CPU_ISA", "AVX512")

import ctranslate2  # noqa: E402
from ctranslate2.converters import TransformersConverter  # noqa: E402

_SMALLEST_GROUP = 16  # prompts; a smaller batch loses more time than a shared prefix saves
_LIKELIEST = 4096  # tokens that a nucleus is looked for among, in int8
_SCORE = 8  # bytes a token of the vocabulary: when it reads prompts, the library scores it after each of their tokens
_RECIPE = "smoothed, untied 1"  # change it with `_converted`, so that no older conversion is reused


class CTranslate2Engine:
    """A model that is converted once to CTranslate2, with its adapter merged, and run by one worker a core.

    Finished sequences leave their batch, and a prefix that many prompts share is computed once.

    Args:
        model: name of the model, see `lib.models.loading.locate`.
        adapter: folder of a LoRA adapter, or None.
        device: not used; the engine runs on the CPU.
        dtype: "auto" quantizes weights and activations of matrix products to int8, "float32" does not.
        batch_size: most sequences in a batch.

    Raises:
        NotConvertible: CTranslate2 does not support the model's architecture.
        DoppelError: ``dtype`` is "bfloat16".
    """

    name = "ctranslate2"

    def __init__(
        self,
        model: str,
        adapter: Path | None = None,
        *,
        device: loading.Device = "auto",
        dtype: loading.Dtype = "auto",
        batch_size: int = 64,
    ):
        if dtype == "bfloat16":
            raise DoppelError(
                "generation.dtype_unsupported",
                "dtype = 'bfloat16' is not supported by engine ctranslate2 on a CPU",
                name="dtype",
                value=dtype,
                remedy="set dtype: auto (int8) or float32, or use engine: transformers",
            )
        self.tokenizer = loading.load_tokenizer(model)
        self.batch_size = batch_size
        self.compute_type = "float32" if dtype == "float32" else "int8"
        self._ends = loading.end_tokens(model, self.tokenizer)
        self.folder = _converted(model, adapter, self.tokenizer, self.compute_type)

    def complete(
        self,
        prompts: Sequence[Sequence[int]],
        sampling: Sampling,
        limits: Sequence[int] | None = None,
        *,
        without_label: Sequence[Sequence[int]] | None = None,
    ) -> Iterator[tuple[int, Completion]]:
        """Complete ``prompts`` with ``sampling`` and ``limits``, see `lib.generation.engines.base.Engine`.

        Raises:
            DoppelError: ``sampling`` has guidance.
        """
        check_engine(self.name, sampling.guidance)
        if not prompts:
            return
        limits = limits or [sampling.max_new_tokens] * len(prompts)
        breaks = line_breaks(self.tokenizer) if sampling.one_line else frozenset()
        threads = torch.get_num_threads()
        workers = min(threads, len(prompts), self._fit_memory())
        plan = _plan(prompts, limits, sampling, self.batch_size, workers, self._room(workers))
        generators = self._start(workers, threads // workers, sampling)
        # one thread a worker: it takes its batches in a fixed order, so its draws go to the same prompts every time
        queues = [ThreadPoolExecutor(1) for _ in generators]
        try:
            jobs = {}
            for number, (shared, positions) in enumerate(plan):
                rests = [list(prompts[p])[len(shared) :] for p in positions]
                drawn = replace(sampling, max_new_tokens=max(limits[p] for p in positions))
                worker = number % workers
                job = queues[worker].submit(self._generate, generators[worker], shared, rests, drawn, breaks)
                jobs[job] = positions
            for job in as_completed(jobs):
                for position, ids in zip(jobs[job], job.result(), strict=True):
                    yield position, completion(self.tokenizer, ids, self._ends, limits[position], breaks)
        finally:
            for queue in queues:
                queue.shutdown(cancel_futures=True)
            generators.clear()
            system.give_back_memory()

    def _start(self, workers: int, threads: int, sampling: Sampling) -> list[ctranslate2.Generator]:
        """New workers, each with its own random draws.

        The library seeds a thread's generator at the thread's first draw and never again, and gives all threads
        the same seed: workers of one pool would write the same texts, and a second seed would be ignored. So each
        worker is a pool of one new thread, and makes its first draw here before any other worker draws.
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
        self,
        generator: ctranslate2.Generator,
        shared: list[int],
        rests: list[list[int]],
        sampling: Sampling,
        breaks: frozenset[int],
    ) -> list[list[int]]:
        """New token ids of one batch, whose prompts are ``shared`` followed by each of ``rests``.

        For a nucleus the library (4.8.5) sorts the whole vocabulary at each token: half of the time that SmolLM2-135M
        takes. So in int8 the nucleus is that of the likeliest tokens. At temperature 0.9 and top_p 0.95 this moved
        SmolLM2's distributions by a total variation of 0.0012 (mean; 0.019 at most), far less than int8 does.
        """
        top_k = sampling.top_k
        if not top_k and sampling.top_p < 1 and self.compute_type == "int8" and len(self.tokenizer) > _LIKELIEST:
            top_k = _LIKELIEST
        tokens = self.tokenizer.convert_ids_to_tokens
        results = generator.generate_batch(
            [tokens(ids) for ids in rests],
            static_prompt=tokens(shared) or None,
            end_token=[*self._ends, *sorted(breaks)],
            return_end_token=True,
            include_prompt_in_result=False,
            max_length=sampling.max_new_tokens,
            min_length=max(sampling.min_new_tokens, sampling.one_line),
            repetition_penalty=sampling.repetition_penalty,
            no_repeat_ngram_size=sampling.no_repeat_ngram_size,
            sampling_temperature=sampling.temperature or 1.0,
            sampling_topk=top_k if sampling.temperature else 1,
            sampling_topp=sampling.top_p,
        )
        system.give_back_memory()  # the library frees what a batch took, and the C library keeps it for each thread
        return [result.sequences_ids[0] for result in results]

    def _fit_memory(self) -> int:
        """Most workers whose weights, which they do not share, take at most half of the machine's memory."""
        size = (self.folder / "model.bin").stat().st_size
        return max(1, _half_of_memory() // size)

    def _room(self, workers: int) -> int:
        """Most prompt tokens of a batch for which the library's scores take at most half of the machine's memory.

        Library 4.8.5 with SmolLM2 took .26 MB a token, which is 5 GB for two workers and 32 prompts of 300 tokens.
        """
        return _half_of_memory() // (workers * len(self.tokenizer) * _SCORE)


def _half_of_memory() -> int:
    """In bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def _plan(
    prompts: Sequence[Sequence[int]], limits: Sequence[int], sampling: Sampling, size: int, workers: int, room: int
) -> list[tuple[list[int], list[int]]]:
    """Batches as (tokens that their prompts begin with, positions of the prompts).

    A batch has at most ``size`` prompts, and at most ``room`` tokens of prompts behind those that they share.
    """
    looks_back = sampling.repetition_penalty != 1 or sampling.no_repeat_ngram_size > 0
    plan = []
    for group in _prefix_groups(prompts):
        shared = _shared_prefix([prompts[p] for p in group])
        rests = [prompts[p][len(shared) :] for p in group]
        rows = max(1, min(size, room // max(map(len, rests))))
        for batch in _batches_by_length(rests, [limits[p] for p in group], rows, workers, equal_lengths=looks_back):
            plan.append((shared, [group[i] for i in batch]))
    return plan


def _prefix_groups(prompts: Sequence[Sequence[int]]) -> list[list[int]]:
    """Positions of the prompts, grouped by a shared first half (prompts with the same examples, say).

    All are in one group where groups would have fewer than `_SMALLEST_GROUP` prompts on average.
    """
    order = sorted(range(len(prompts)), key=lambda position: tuple(prompts[position]))
    groups = [order[:1]]
    for previous, position in pairwise(order):
        a, b = prompts[previous], prompts[position]
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
        if 2 * same < min(len(a), len(b)):
            groups.append([])
        groups[-1].append(position)
    return groups if len(prompts) >= _SMALLEST_GROUP * len(groups) else [list(range(len(prompts)))]


def _shared_prefix(prompts: Sequence[Sequence[int]]) -> list[int]:
    """The tokens that all prompts begin with; two tokens of each are left over (see `_batches_by_length`)."""
    shortest = min(prompts, key=len)[:-2]
    same = takewhile(lambda i: all(prompt[i] == shortest[i] for prompt in prompts), range(len(shortest)))
    return [shortest[i] for i in same]


def _batches_by_length(
    prompts: Sequence[Sequence[int]], limits: Sequence[int], size: int, workers: int, *, equal_lengths: bool
) -> list[list[int]]:
    """Positions of the prompts in batches; with ``equal_lengths`` all prompts of a batch have the same length.

    In a batch of several lengths the library (4.8.5) forces the rest of the longer prompts token by token, as if
    it were drawn. The repetition penalty and the n-gram ban then count these tokens. Beside a prompt of a single
    token they even come back as part of the completion, so a single token never shares a batch with longer prompts.
    """
    groups: dict[int, list[int]] = {}
    for position, prompt in enumerate(prompts):
        groups.setdefault(len(prompt) if equal_lengths else min(len(prompt), 2), []).append(position)
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
    """Folder of the converted model, which is made at the first call.

    Its name is a hash of the contents of model and adapter. It is in a hidden folder beside the adapter, as the
    conversion is as private as the adapter, or in data/models for a model without an adapter.
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
    gc.freeze()  # the converter collects garbage after each layer; over all objects of the process that took 6 s
    try:
        loading.make_folder(folder, lambda made: converter.convert(str(made), quantization=compute_type))
    except (ValueError, NotImplementedError) as error:
        raise NotConvertible(
            "generation.model_not_convertible",
            f"{model!r} cannot be converted to CTranslate2 ({str(error).splitlines()[0]})",
            name="model",
            value=model,
            remedy="use engine: transformers",
        ) from None
    finally:
        gc.unfreeze()
    return folder
