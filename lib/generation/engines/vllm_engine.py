"""Engine ``vllm``: continuous batching on a GPU. Written against the documented API of vLLM 0.11.

It was never run on a GPU, nor with vLLM itself: tests run it against a stand-in that takes the same arguments and
computes with transformers on a CPU.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from lib.common.errors import DoppelError
from lib.common.files import read_json
from lib.generation.engines.base import Completion, Sampling, completion, line_breaks
from lib.generation.engines.names import check_vllm
from lib.models import loading

LONGEST = 8192  # tokens of prompt and completion; vLLM keeps memory for a whole context, 16 GiB for Llama 3.1's 131,072
SHARE = 0.9  # of the GPU's memory that is free when the engine is opened; an encoder may have some already


class VllmEngine:
    """A model on a GPU. vLLM applies the adapter at run time, the weights are not changed.

    Args:
        model: name of the model, see `lib.models.loading.locate`.
        adapter: folder of a LoRA adapter, or None.
        device: not used; vLLM takes the GPU.
        dtype: as `lib.models.loading.resolve_dtype` takes it. vLLM's own "auto" would make float16 of float32.
        batch_size: not used; vLLM plans its batches itself.

    Attributes:
        tokenizer: the model's own; its ``model_max_length`` is at most `LONGEST`.

    Raises:
        DoppelError: the adapter's rank is above those that vLLM supports.
    """

    name = "vllm"

    def __init__(
        self,
        model: str,
        adapter: Path | None = None,
        *,
        device: loading.Device = "auto",
        dtype: loading.Dtype = "auto",
        batch_size: int = 64,
    ):
        from vllm import LLM
        from vllm.lora.request import LoRARequest

        self.tokenizer = loading.load_tokenizer(model)
        self.tokenizer.model_max_length = min(self.tokenizer.model_max_length, LONGEST)
        self._ends = loading.end_tokens(model, self.tokenizer)
        self._adapter, options = None, {}
        if adapter is not None:
            self._adapter = LoRARequest("adapter", 1, str(adapter.resolve()))
            options = {"enable_lora": True, "max_lora_rank": _rank(adapter)}
        free, total = torch.cuda.mem_get_info()
        kind = loading.resolve_dtype(dtype, torch.device("cuda"))
        self._model = LLM(
            model=str(loading.locate(model)),
            dtype=str(kind).removeprefix("torch."),
            max_model_len=self.tokenizer.model_max_length,
            gpu_memory_utilization=SHARE * free / total,
            **options,
        )

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
            DoppelError: ``sampling`` has guidance, a repetition penalty or bans n-grams, which vLLM cannot do as
                defined here.
        """
        from vllm import SamplingParams

        check_vllm(sampling)
        limits = limits or [sampling.max_new_tokens] * len(prompts)
        breaks = line_breaks(self.tokenizer) if sampling.one_line else ()
        least = max(sampling.min_new_tokens, sampling.one_line)  # in vLLM too, tokens before these end nothing
        # a seed for each prompt: with the same seed, equal prompts would get equal completions
        parameters = [
            SamplingParams(
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                top_k=sampling.top_k,
                max_tokens=limits[position],
                min_tokens=min(least, limits[position]),
                seed=sampling.seed_for(position),
                stop_token_ids=[*self._ends, *sorted(breaks)],
                detokenize=False,
            )
            for position in range(len(prompts))
        ]
        requests = [{"prompt_token_ids": list(prompt)} for prompt in prompts]
        outputs = self._model.generate(requests, parameters, use_tqdm=False, lora_request=self._adapter)
        for position, output in enumerate(outputs):  # in the order of the prompts
            ids = output.outputs[0].token_ids
            yield position, completion(self.tokenizer, ids, self._ends, limits[position], breaks)


def _rank(adapter: Path) -> int:
    """The smallest of vLLM's rank limits that no layer of the adapter exceeds."""
    config = read_json(adapter / "adapter_config.json")
    rank = max(config["r"], *config.get("rank_pattern", {}).values(), 0)
    supported = (8, 16, 32, 64, 128, 256, 320, 512)
    if rank > supported[-1]:
        raise DoppelError(
            "generation.adapter_rank_too_high",
            f"the adapter's rank {rank} is above {supported[-1]}, the highest that vllm supports",
            name="r",
            value=rank,
            remedy="use engine: transformers",
        )
    return next(limit for limit in supported if limit >= rank)
