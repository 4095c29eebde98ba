"""Sizes at which each notebook runs in seconds."""

TINY = "bundled:tiny-random"
SMALL = {
    "00_process_data": {
        "source": "amazon-snippets", "label_domain": {"sentiment": ["negative", "neutral", "positive"]}, "share": 0.08,
    },
    "10_finetune_dp_lora": {
        "model": TINY, "prompt": "{sentiment}:", "chat": False, "reserve": 0.0, "max_tokens": 60, "steps": 2,
        "expected_batch": 20.0, "evaluate_records": 10, "privacy_seed": 3,
    },
    "10_steer": {
        "model": TINY, "prompt": "{sentiment}:", "chat": False, "max_tokens": 40, "references": 3, "one_line": False,
        "held_out_records": 10, "device": "cpu", "privacy_seed": 3,
    },
    "11_generate": {"samples": 4, "guidance": 0.0, "max_new_tokens": 120, "engine": "transformers", "device": "cpu"},
    "12_aug_pe": {
        "model": TINY, "prompts": "prompts/generic.yaml", "chat": False, "iterations": 2,
        "encoder": f"hidden:{TINY}", "judge": "bundled:all-minilm-l6-v2",
        "samples": 9, "max_new_tokens": 64, "evaluate_records": 50, "engine": "transformers", "device": "cpu",
        "privacy_seed": 3,
    },
    "14_private_prediction": {
        "model": TINY, "prompt": "{sentiment}:", "prompt_with_record": "{text}\n{sentiment}:", "chat": False,
        "expected_batch": 5.0, "samples": 9, "max_new_tokens": 24, "top_k": 0, "one_line": False, "device": "cpu",
        "privacy_seed": 3,
    },
    "13_select": {
        "encoder": f"hidden:{TINY}", "judge": "bundled:all-minilm-l6-v2", "votes": 2, "samples": 3,
        "evaluate_records": 50, "device": "cpu", "privacy_seed": 3,
    },
}  # fmt: skip
