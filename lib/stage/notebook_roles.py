"""What the notebook of an input must be, and how stage ids name notebooks. Light: `verify` imports it."""

from collections.abc import Mapping, Sequence

from lib.common.errors import DoppelError, nearest

Parameters = Mapping[str, object]

CORPUS = "00_process_data"
IMAGES = "00_process_images"  # the same for pictures
TABLE = "00_process_table"  # the same for rows of tables
READERS = (CORPUS, IMAGES, TABLE)  # whose stages read a source, and so begin a corpus
SCRUB = "01_scrub"
CORPORA = (CORPUS, SCRUB)  # whose stages write the records that others learn from
LABELLED = "40_pii_text"
DETECTOR = "41_pii_check"
AUDIT = "20_canary_privacy"
VOTE_AUDIT = "20_vote_privacy"  # of pictures and rows
MEASURES = {  # by notebook, what it measures of arms
    AUDIT: "audit",
    "21_fidelity": "fidelity",
    "22_utility": "utility",
    VOTE_AUDIT: "audit",
    "21_image_fidelity": "fidelity",
    "22_image_utility": "utility",
}
COMPARES = "30_compare"
MADE_BY = {  # by an input's name, the notebooks of its stage
    "corpus": CORPORA,
    "model": ("10_finetune_dp_lora",),
    "steer": ("10_steer",),
    "warm": ("11_generate",),
    "detector": (DETECTOR,),
    "synthetic": (LABELLED,),
}

_FORMER = {  # names in results and packs that were made before the notebooks were numbered by family
    "01_finetune_dp_lora": "10_finetune_dp_lora",
    "02_generate": "11_generate",
    "03_aug_pe": "12_aug_pe",
}


def notebook_of(stage: str) -> str:
    """The notebook of a stage.

    Args:
        stage: its id, ``NOTEBOOK`` or ``NOTEBOOK.VARIANT``.
    """
    return stage.partition(".")[0]


def current_name(notebook: str) -> str:
    """What a notebook is called today.

    Args:
        notebook: its name today, or in an earlier version.
    """
    return _FORMER.get(notebook, notebook)


def stands_for(name: str, stage: str) -> bool:
    """Whether a name means a stage.

    Args:
        name: a stage's id, or its notebook's name, which means all of its stages.
        stage: a stage's id.
    """
    return name in (stage, notebook_of(stage))


def check_input(name: str, stage: str, notebooks: Sequence[str], role: str) -> None:
    """Refuse an input that is a stage of another notebook than it must be.

    Args:
        name: of the input.
        stage: the id that it has.
        notebooks: whose stages it may be.
        role: what it should be, in a word: ``corpus``, ``arm``.
    """
    if notebook_of(stage) not in notebooks:
        raise DoppelError(
            "stage.input_of_another_notebook",
            f"inputs: {name}: {stage} is no {role}",
            name=name,
            value=stage,
            remedy=f"name a stage of {' or '.join(notebooks)}",
        )


def check_inputs(
    parameters: Parameters, *known: str, others: Sequence[str] = (), corpora: Sequence[str] = CORPORA
) -> None:
    """Refuse inputs without a corpus, and inputs of other notebooks than they must be.

    Args:
        parameters: of a stage; ``inputs`` is read.
        known: names of inputs whose notebooks `MADE_BY` gives.
        others: notebooks whose stages inputs of all other names must be; with none there may be no other input.
        corpora: notebooks whose stages the corpus may be.
    """
    inputs = parameters["inputs"]
    if "corpus" not in inputs:
        raise DoppelError(
            "stage.no_corpus_input", "inputs: has no 'corpus'", name="inputs", remedy="write inputs: {corpus: STAGE}"
        )
    for name, stage in inputs.items():
        if name in known:
            check_input(name, stage, corpora if name == "corpus" else MADE_BY[name], name)
        elif others:
            check_input(name, stage, others, "arm")
        else:
            raise DoppelError(
                "stage.unknown_input",
                f"inputs: {name}: is no input of this notebook",
                name=name,
                value=stage,
                remedy=nearest(name, known),
            )


def check_only_input(parameters: Parameters, name: str) -> None:
    """Refuse inputs other than one, of the notebook that it must be.

    Args:
        parameters: of a stage; ``inputs`` is read.
        name: of the input, a key of `MADE_BY`.
    """
    inputs = parameters["inputs"]
    if list(inputs) != [name]:
        raise DoppelError(
            "stage.not_the_only_input",
            f"inputs: must have {name} and nothing else",
            name="inputs",
            value=sorted(inputs),
            remedy=f"write inputs: {{{name}: STAGE}}, a stage of {' or '.join(MADE_BY[name])}",
        )
    check_input(name, inputs[name], MADE_BY[name], name)
