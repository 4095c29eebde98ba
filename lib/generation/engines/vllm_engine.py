"""Engine ``vllm``: continuous batching on a GPU. Written against the documented API of vLLM 0.11; not run here."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from lib.common.errors import DoppelError
from lib.common.files import read_json
from lib.generation.engines.base import Completion, Sampling, completion
from lib.models import loading


class VllmEngine:
    """A model on a GPU, its adapter applied by vLLM to weights that stay as they are."""

    name = "vllm"

    def __init__(self, model: str, adapter: Path | None = None, *, dtype: loading.Dtype = "auto"):
        try:
            from vllm import LLM
            from vllm.lora.request import LoRARequest
        except ImportError:
            raise DoppelError("engine vllm is not installed; on a GPU machine: pip install 'doppel[vllm]'") from None
        self.tokenizer = loading.load_tokenizer(model)
        self._ends = loading.end_tokens(model, self.tokenizer)
        self._adapter, options = None, {}
        if adapter is not None:
            self._adapter = LoRARequest("adapter", 1, str(adapter.resolve()))
            options = {"enable_lora": True, "max_lora_rank": _rank(adapter)}
        self._model = LLM(model=str(loading.locate(model)), dtype=dtype, **options)

    def complete(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling, limits: Sequence[int] | None = None
    ) -> Iterator[tuple[int, Completion]]:
        from vllm import SamplingParams

        if sampling.repetition_penalty != 1:
            raise DoppelError("engine vllm would penalise the prompt's words too; set repetition_penalty: 1")
        if sampling.no_repeat_ngram_size:
            raise DoppelError("engine vllm knows no no_repeat_ngram_size; set it to 0, or take engine: transformers")
        limits = limits or [sampling.max_new_tokens] * len(prompts)
        # a seed for each prompt: with one for all, equal prompts would get equal completions
        parameters = [
            SamplingParams(
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                top_k=sampling.top_k,
                max_tokens=limits[position],
                min_tokens=min(sampling.min_new_tokens, limits[position]),
                seed=sampling.seed_for(position),
                stop_token_ids=self._ends,
                skip_special_tokens=False,
            )
            for position in range(len(prompts))
        ]
        requests = [{"prompt_token_ids": list(prompt)} for prompt in prompts]
        outputs = self._model.generate(requests, parameters, lora_request=self._adapter)
        for position, output in enumerate(outputs):  # in the order of the prompts
            yield position, completion(self.tokenizer, output.outputs[0].token_ids, self._ends, limits[position])


def _rank(adapter: Path) -> int:
    """The smallest rank that vLLM knows and that holds the adapter's."""
    rank = read_json(adapter / "adapter_config.json")["r"]
    known = (8, 16, 32, 64, 128, 256, 320, 512)
    if rank > known[-1]:
        raise DoppelError(
            f"the adapter's rank {rank} is above {known[-1]}, the most that vllm takes; use engine: transformers"
        )
    return next(most for most in known if most >= rank)
