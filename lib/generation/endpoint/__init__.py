"""Models behind an API: servers of OpenAI's protocol, Amazon Bedrock and its batches, retries, cache."""
