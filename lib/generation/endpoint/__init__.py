"""Models behind an API that speaks OpenAI's protocol: client, retries, cache."""
