"""Values of parameters as anybody may see them: a path on somebody's machine is not shown."""

import re

WITHHELD = "withheld"

_NAMED = {  # by parameter: what is a name that anybody knows
    "model": re.compile(r"(bundled|hub|openai|azure):[\w./-]+"),
    "base_model": re.compile(r"(bundled|hub|openai|azure):[\w./-]+"),
    "encoder": re.compile(r"(hidden:)?(bundled|hub):[\w./-]+"),
    "prompts": re.compile(r"prompts/[\w.-]+"),
}


def public_value(parameter: str, value: object) -> object:
    """A source keeps its kind (``csv``); a model, encoder or prompt file that is no known name becomes `WITHHELD`."""
    if parameter == "source":
        return str(value).partition(":")[0]
    if value is not None and parameter in _NAMED and not _NAMED[parameter].fullmatch(str(value)):
        return WITHHELD
    return value
