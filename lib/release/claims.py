"""What a certificate says about how an arm was made: hashes, and the settings that are harmless.

A parameter may hold a private path (``csv:/home/...``). So a certificate has one hash of a stage's parameters, and
spells out only those that `lib.release.settings` names: of a source its kind, and a model or prompt file only if its
name is public. What is withheld is left out of the hash too: everything else is known, so the hash would confirm a
guess at the path.
"""

from collections.abc import Mapping

from lib.common.files import sha256
from lib.privacy.accounting import epsilon_replacing
from lib.privacy.disclosure import public_value
from lib.privacy.guarantee import guarantee
from lib.privacy.ledger import Event
from lib.privacy.neighbours import neighbours
from lib.release.candidate import Candidate
from lib.release.certificate import FORMAT, hash_of
from lib.release.settings import completed, of_stage
from lib.stage.finished import FinishedStage

PACKAGES = (
    "python", "dp-accounting", "opendp", "opacus", "torch", "transformers", "peft", "ctranslate2", "vllm", "openai",
    "boto3", "sentence-transformers", "numpy", "scipy", "Faker",
)  # fmt: skip
# These may hold private names of columns, hosts and files.
_PRIVATE = ("columns", "user", "warm_columns", "topic_columns", "base_url", "key_variable", "ratings")


def settings(stage: str, parameters: Mapping[str, object]) -> dict[str, object]:
    """The parameters that a certificate spells out.

    Args:
        stage: id of the stage.
        parameters: of the stage, resolved.

    Returns:
        Those that `lib.release.settings` names for its notebook, as `lib.privacy.disclosure.public_value` shows them:
        of a source its kind (``csv``), and ``withheld`` for a local model. A parameter that is newer than the stage has
        the value that does what the stage did, whatever its default is today.
    """
    known = completed(stage, parameters)
    return {name: public_value(name, known[name]) for name in of_stage(stage) or () if name in known}


def code(stages: Mapping[str, FinishedStage]) -> dict[str, dict]:
    """What each stage was made from: commit, hashes of notebook, lib modules, parameters and privacy.json, settings.

    Args:
        stages: an arm and all that it was made from, by id.

    Returns:
        A JSON object for each stage, by id. The hashes of notebooks and modules are those of done.json: of the code
        without comments, layout and docstrings.
    """
    return {name: _code(stage) for name, stage in stages.items()}


def _code(stage: FinishedStage) -> dict:
    made_from, provenance = stage.done["made_from"], stage.read("provenance.json")
    parameters = made_from["parameters"]
    return {
        "commit": provenance["commit"],
        "dirty": provenance["dirty"],
        "notebook": made_from["notebook"],
        "modules": made_from["modules"],
        "parameters": hash_of(
            {name: public_value(name, value) for name, value in parameters.items() if name not in _PRIVATE}
        ),
        "privacy": sha256(stage.folder / "privacy.json"),
        "settings": settings(stage.id, parameters),
    }


def packages(stages: Mapping[str, FinishedStage]) -> dict[str, str]:
    """Versions of the packages that the results depend on.

    Args:
        stages: an arm and all that it was made from, by id.

    Returns:
        The version of each of `PACKAGES` that was installed; ``1.0 and 1.1`` where stages had different ones.
    """
    versions: dict[str, set[str]] = {}
    for stage in stages.values():
        for name, version in stage.read("provenance.json")["packages"].items():
            versions.setdefault(name, set()).add(version)
    return {name: " and ".join(sorted(versions[name])) for name in PACKAGES if name in versions}


def _guarantee(candidate: Candidate) -> dict:
    whole = guarantee(candidate.ledger, candidate.charges)
    return {
        "covers": whole.covers,
        "epsilon": whole.epsilon,
        "epsilon_replacing": epsilon_replacing(whole.mechanisms, whole.delta) if whole.charges else 0.0,
        "unit": whole.unit,
        "charges": whole.charges,
        "mechanisms": [mechanism.as_json() for mechanism in whole.mechanisms],
    }


def claims(candidate: Candidate, *, decisions: list[dict[str, str]], card: Mapping[str, object]) -> dict:
    """The certificate of an arm, still without the hashes of the pack's files and its own.

    Args:
        candidate: the arm; it has passed the gate.
        decisions: what decided about the release (`lib.release.gate.decisions`).
        card: what the card says beyond this certificate: ``licence``, ``language`` (None where it is not set) and
            ``metrics``, rows as of `lib.release.card.public_rows`.
    """
    statement, audit = candidate.statement, candidate.audit
    events = [{**event, "sampler": Event.from_json(event).mechanism.sampler} for event in statement["events"]]
    return {
        "format": FORMAT,
        "run": candidate.run.name,
        "stage": candidate.stage,
        "finished": candidate.stages[candidate.stage].done["finished"],
        "records": len(candidate.records),
        **{key: value for key, value in statement.items() if key != "stage"},
        "neighbours": neighbours(statement["unit"], candidate.kind.many),  # older corpora of pictures say lines
        "events": events,
        "audit": {
            "attacked": audit.stage is not None,
            "ceiling": audit.ideal_bound,
            "because": None if audit.because is None else str(audit.because),
        },
        "decisions": decisions,
        "guarantee": _guarantee(candidate),
        "code": code(candidate.stages),
        "packages": packages(candidate.stages),
        "card": card,
    }
