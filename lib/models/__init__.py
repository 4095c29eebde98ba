"""Language models and encoders: loading, prompts, token ids, losses."""
