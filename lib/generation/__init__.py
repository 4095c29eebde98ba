"""Text from models: engines on this machine, endpoints elsewhere, prompts, and which replies are rejected."""
