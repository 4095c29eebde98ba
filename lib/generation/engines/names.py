"""What a model's name says. Light: pre-flight asks it too."""


def is_remote(model: str) -> bool:
    """Whether a model is one behind an endpoint (``openai:MODEL``, ``azure:DEPLOYMENT``)."""
    return model.startswith(("openai:", "azure:"))
