"""What a dry run says about memory, of a preset whose model is not on this machine."""

import subprocess
import sys

from lib.common.paths import ROOT
from lib.pipeline import memory
from lib.pipeline.preflight import preflight


def test_amazon_llama_states_its_memory_before_anything_loads() -> None:
    graph = preflight("amazon-llama", "test-memory")
    private, plain = memory.lines(graph, graph.nodes)
    assert private.startswith("10_finetune_dp_lora.eps1, 10_finetune_dp_lora.eps4, 10_finetune_dp_lora.eps8: memory ")
    assert "on a card" in private and "in bfloat16 (weights 16.06" in private
    assert "on a CPU" in private and "in float32 (weights 32.12" in private
    assert plain.startswith("10_finetune_dp_lora.nonprivate") and "single rows" not in plain


def test_four_bits_and_processes_are_stated() -> None:
    changes = [f"10_finetune_dp_lora.eps8.{change}" for change in ("dtype=float32", "processes=4", "device=cpu")]
    graph = preflight("amazon-llama", "test-memory", changes)
    (line,) = memory.lines(graph, ["10_finetune_dp_lora.eps8"])
    assert "in each of 4 processes" in line and "card" not in line


def test_a_model_that_is_not_known_is_said_to_be(tmp_path) -> None:
    graph = preflight("amazon-llama", "test-memory", ["10_finetune_dp_lora.eps8.model=hub:somebody/something"])
    (line,) = memory.lines(graph, ["10_finetune_dp_lora.eps8"])
    assert "not known" in line and "hub:somebody/something" in line


def test_the_estimate_imports_no_model_library() -> None:
    code = "import sys, lib.pipeline.memory; print({'torch', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
