"""A stand-in for vLLM, which does not run here: the arguments that vLLM 0.11 documents, computed on a CPU.

Unknown arguments are refused. What is drawn follows the likeliest token, whatever the temperature.
"""

import sys
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from lib.models import loading


@dataclass(kw_only=True)
class SamplingParams:
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    max_tokens: int | None = 16
    min_tokens: int = 0
    seed: int | None = None
    stop_token_ids: list[int] | None = None
    detokenize: bool = True


@dataclass
class LoRARequest:
    lora_name: str
    lora_int_id: int
    lora_path: str


class LLM:
    """Keeps what it was given in class attributes: the engine that is tested holds the only instance."""

    options: dict[str, object]
    calls: list[tuple[list[dict], list[SamplingParams], LoRARequest | None]]

    def __init__(
        self,
        model: str,
        *,
        dtype: str = "auto",
        max_model_len: int | None = None,
        gpu_memory_utilization: float = 0.9,
        enable_lora: bool = False,
        max_lora_rank: int = 16,
    ):
        LLM.options = {
            "model": model,
            "dtype": dtype,
            "max_model_len": max_model_len,
            "gpu_memory_utilization": gpu_memory_utilization,
            "enable_lora": enable_lora,
            "max_lora_rank": max_lora_rank,
        }
        LLM.calls = []
        self._lora = enable_lora
        self._plain = AutoModelForCausalLM.from_pretrained(model, dtype=getattr(torch, dtype)).eval()

    def generate(
        self,
        prompts: list[dict],
        sampling_params: list[SamplingParams],
        *,
        use_tqdm: bool = True,
        lora_request: LoRARequest | None = None,
    ) -> list[SimpleNamespace]:
        LLM.calls.append((prompts, sampling_params, lora_request))
        assert not use_tqdm and (self._lora or lora_request is None)
        model = PeftModel.from_pretrained(self._plain, lora_request.lora_path) if lora_request else self._plain
        drawn = [self._drawn(model, p["prompt_token_ids"], s) for p, s in zip(prompts, sampling_params, strict=True)]
        if lora_request:
            self._plain = model.unload()
        return [SimpleNamespace(outputs=[SimpleNamespace(token_ids=tuple(ids))]) for ids in drawn]

    @torch.inference_mode()
    def _drawn(self, model: torch.nn.Module, prompt: list[int], sampling: SamplingParams) -> list[int]:
        ids = []
        while len(ids) < sampling.max_tokens:
            scores = model(input_ids=torch.tensor([prompt + ids])).logits[0, -1]
            if len(ids) < sampling.min_tokens:
                scores[sampling.stop_token_ids] = -torch.inf
            ids.append(int(scores.argmax()))
            if ids[-1] in sampling.stop_token_ids:
                break
        return ids


def install(monkeypatch: pytest.MonkeyPatch, *, free: int = 60, total: int = 80) -> type[LLM]:
    """Put the stand-in in vLLM's place, on a machine that says it has a GPU with so much memory.

    Args:
        monkeypatch: takes it out again.
        free: memory of the GPU that is free, in any unit.
        total: all of its memory, in the same unit.
    """
    content = {"vllm": {"LLM": LLM, "SamplingParams": SamplingParams}, "vllm.lora": {}}
    content["vllm.lora.request"] = {"LoRARequest": LoRARequest}
    for name, names in content.items():
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        module.__dict__.update(names)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(loading, "resolve_device", lambda device: torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (free, total))
    return LLM
