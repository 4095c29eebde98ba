"""DP-LoRA: low-rank adapters trained with DP-SGD."""
