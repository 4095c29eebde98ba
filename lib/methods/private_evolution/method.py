"""The entry of Aug-PE: its mechanism and what pre-flight refuses."""

from lib.common.errors import DoppelError
from lib.generation.engines.names import is_remote
from lib.methods.private_evolution.settings import Settings
from lib.stage.notebook_roles import Parameters, _check_inputs


def aug_pe(parameters: Parameters) -> None:
    """Sizes fit together, and an endpoint has a key and what is asked of it."""

    _check_inputs(parameters, "corpus")
    own = Settings.__dataclass_fields__.keys() - {"noise_multiplier"}
    Settings(noise_multiplier=None, **{name: parameters[name] for name in own})
    remote = is_remote(str(parameters["model"]))
    if parameters["base_url"] is not None and not remote:
        raise DoppelError(f"base_url: model = {parameters['model']!r} is a local one; write openai:MODEL, or remove it")
    if unknown := set(parameters["prices"]) - {"input", "output"}:
        raise DoppelError(f"prices: {sorted(unknown)[0]!r}; the keys are input and output")
    if remote:
        from lib.generation.endpoint.client import connect
        from lib.generation.endpoint.wire_format import sampling_fields
        from lib.generation.engines.base import Sampling

        name = str(parameters["model"])
        server = connect(name, parameters["base_url"], str(parameters["key_variable"]), timeout=60.0)
        sampling_fields(Sampling.of(parameters), name, hosted=server.hosted)
