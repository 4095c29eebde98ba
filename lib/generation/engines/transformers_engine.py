"""Engine ``transformers``: runs every model, on every machine."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
)

from lib.generation.engines.base import Completion, Sampling, batches, completion, line_breaks
from lib.generation.engines.guided import complete_guided
from lib.models import loading
from lib.models.hidden_states import Directions


class TransformersEngine:
    """A transformers model that completes prompts in batches padded on the left.

    An adapter is merged into float32 weights. In bfloat16 it is kept separate: merging would round its small
    updates away.

    Args:
        model: name of the model, see `lib.models.loading.locate`.
        adapter: folder of a LoRA adapter, or None.
        device: "auto", "cpu" or "cuda".
        dtype: "auto", "float32" or "bfloat16".
        batch_size: most sequences that are computed at once.

    Attributes:
        steering: what moves the model's hidden states while it writes; None: nothing.
    """

    name = "transformers"
    steering: Directions | None = None

    def __init__(
        self,
        model: str,
        adapter: Path | None = None,
        *,
        device: loading.Device = "auto",
        dtype: loading.Weights = "auto",
        batch_size: int = 64,
    ):
        self.tokenizer = loading.load_tokenizer(model)
        self._ends = loading.end_tokens(model, self.tokenizer)
        self.model = loading.load(model, device=device, dtype=dtype)
        if adapter is not None:
            self.model = loading.with_adapter(self.model, adapter)
            if self.model.dtype == torch.float32:
                self.model = loading.merged(self.model)
        self.batch_size = batch_size

    def complete(
        self,
        prompts: Sequence[Sequence[int]],
        sampling: Sampling,
        limits: Sequence[int] | None = None,
        *,
        without_label: Sequence[Sequence[int]] | None = None,
        moved: Sequence[int] | None = None,
    ) -> Iterator[tuple[int, Completion]]:
        """Complete ``prompts`` with ``sampling`` and ``limits``, see `lib.generation.engines.base.Engine`.

        Guided completions depend on their position and the seed alone, up to rounding, not on ``batch_size``. ``moved``
        is the direction of each prompt, needed where `steering` is set.
        """
        limits = limits or [sampling.max_new_tokens] * len(prompts)
        breaks = line_breaks(self.tokenizer) if sampling.one_line else frozenset()
        stops = [*self._ends, *sorted(breaks)]
        for number, positions in enumerate(batches(prompts, limits, self.batch_size)):
            asked, most = [prompts[p] for p in positions], [limits[p] for p in positions]
            if sampling.guidance or self.steering is not None:
                ids = complete_guided(
                    self.model,
                    asked,
                    [without_label[p] for p in positions] if sampling.guidance else [],
                    sampling,
                    positions=positions,
                    limits=most,
                    stops=stops,
                    pad=self.tokenizer.pad_token_id,
                    processor=_processors(sampling, 0),
                    steering=self.steering,
                    moved=None if self.steering is None else [moved[p] for p in positions],
                )
            else:
                drawn = replace(sampling, seed=sampling.seed_for(number), max_new_tokens=max(most))
                ids = self._generate(asked, drawn, stops)
            for position, row in zip(positions, ids, strict=True):
                yield position, completion(self.tokenizer, row, self._ends, limits[position], breaks)

    def _generate(self, prompts: Sequence[Sequence[int]], sampling: Sampling, stops: list[int]) -> list[list[int]]:
        """New token ids of one batch. Draws depend on the seed alone; the global generator is restored."""
        longest = max(map(len, prompts))
        pad = self.tokenizer.pad_token_id
        padded = [[pad] * (longest - len(prompt)) + list(prompt) for prompt in prompts]
        mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        device = self.model.device
        with torch.random.fork_rng(), torch.inference_mode():
            torch.manual_seed(sampling.seed)
            out = self.model.generate(
                input_ids=torch.tensor(padded, device=device),  # (prompts, longest)
                attention_mask=torch.tensor(mask, device=device),
                generation_config=_config(sampling, stops, pad),
                logits_processor=_processors(sampling, longest),
            )
        return out[:, longest:].tolist()


def _config(sampling: Sampling, stops: list[int], pad: int) -> GenerationConfig:
    """Generation settings; all that matter are set, as missing ones would come from the model's own config."""
    greedy = sampling.temperature == 0
    return GenerationConfig(
        do_sample=not greedy,
        temperature=1.0 if greedy else sampling.temperature,
        top_k=0 if greedy else sampling.top_k,
        top_p=1.0 if greedy else sampling.top_p,
        repetition_penalty=1.0,  # transformers would also count the prompt's tokens; see `_processors`
        no_repeat_ngram_size=0,  # likewise
        max_new_tokens=sampling.max_new_tokens,
        min_new_tokens=max(sampling.min_new_tokens, sampling.one_line),
        eos_token_id=stops,
        pad_token_id=pad,
    )


def _processors(sampling: Sampling, prompt_length: int) -> LogitsProcessorList:
    """Repetition penalty and n-gram ban over the completion so far, without the prompt."""
    processors = LogitsProcessorList()
    if sampling.repetition_penalty != 1:
        penalty = float(sampling.repetition_penalty)
        processors.append(RepetitionPenaltyLogitsProcessor(penalty, prompt_ignore_length=prompt_length))
    if sampling.no_repeat_ngram_size:
        processors.append(_NoRepeatInCompletion(sampling.no_repeat_ngram_size, prompt_length))
    return processors


class _NoRepeatInCompletion(LogitsProcessor):
    """transformers' n-gram ban, applied to the completion without the prompt."""

    def __init__(self, size: int, prompt_length: int):
        self._inner, self._start = NoRepeatNGramLogitsProcessor(size), prompt_length

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        return self._inner(input_ids[:, self._start :], scores)
