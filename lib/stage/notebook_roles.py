"""What the notebook of an input must be, and how stage ids name notebooks."""

from collections.abc import Mapping, Sequence

from lib.common.errors import DoppelError, nearest


def notebook_of(id: str) -> str:
    return id.partition(".")[0]


def stands_for(name: str, id: str) -> bool:
    """Whether a name, a stage's id or its notebook's, means this stage."""
    return name in (id, notebook_of(id))


Parameters = Mapping[str, object]


ARMS = ("11_generate", "12_aug_pe")  # notebooks that write synthetic text


MADE_BY = {"corpus": "00_process_data", "model": "10_finetune_dp_lora"}  # inputs of these names, by notebook


def check_input(name: str, id: str, notebooks: Sequence[str], what: str) -> None:
    """Refuse an input that is a stage of another notebook than it must be."""
    if id.partition(".")[0] not in notebooks:
        raise DoppelError(f"inputs: {name}: {id} is no {what}; name a stage of {' or '.join(notebooks)}")


def _check_inputs(parameters: Parameters, *known: str, others: Sequence[str] = ()) -> None:
    """There is a corpus; inputs of the ``known`` names are what `MADE_BY` says, and all others arms of ``others``."""
    inputs = parameters["inputs"]
    if "corpus" not in inputs:
        raise DoppelError("inputs: has no 'corpus'; write inputs: {corpus: STAGE}")
    for name, id in inputs.items():
        if name in known:
            check_input(name, id, [MADE_BY[name]], name)
        elif others:
            check_input(name, id, others, "arm")
        else:
            raise DoppelError(f"inputs: {name}: is none of this notebook's; {nearest(name, known)}")
