"""What the certificate says about how an arm was made: hashes, and those settings that are harmless.

A parameter may hold a private path (``csv:/home/...``), so parameters are given as one hash; of them, only `SETTINGS`
are spelled out, and models and prompt files only where they are names that anybody knows. What is not spelled out for
that reason does not enter the hash either: the rest is known, so a guess at a path could be confirmed by it.
"""

from collections.abc import Mapping

from lib.common.files import sha256
from lib.methods.registry import METHODS
from lib.privacy.disclosure import public_value
from lib.privacy.ledger import Event
from lib.release.candidate import Candidate
from lib.release.certificate import FORMAT, hash_of
from lib.stage.finished import FinishedStage

CORPUS_SETTINGS = (
    "source", "label_domain", "min_words", "max_words", "max_characters", "max_records_per_user", "unit", "delta",
    "label_histogram_scale",
)  # fmt: skip
SETTINGS = tuple(dict.fromkeys([*CORPUS_SETTINGS, *(name for method in METHODS for name in method.settings)]))
PACKAGES = (
    "python", "dp-accounting", "opendp", "opacus", "torch", "transformers", "peft", "ctranslate2", "vllm", "openai",
    "sentence-transformers", "numpy", "scipy",
)  # fmt: skip
_PRIVATE = ("columns", "base_url", "key_variable", "ratings")  # names of somebody's columns, hosts and files


def settings(parameters: Mapping[str, object]) -> dict[str, object]:
    """The harmless parameters. A source keeps its kind (``csv``), a local model is withheld.

    Args:
        parameters: of a stage, resolved.
    """
    return {name: public_value(name, parameters[name]) for name in SETTINGS if name in parameters}


def code(stages: Mapping[str, FinishedStage]) -> dict[str, dict]:
    """For each stage what it was made from: hashes of notebook, lib modules, parameters and privacy.json; the commit.

    Hashes of notebooks and modules are those of done.json: of the code without comments, layout and docstrings.

    Args:
        stages: an arm and all that it was made from, by id.
    """
    return {name: _code(stage) for name, stage in stages.items()}


def _code(stage: FinishedStage) -> dict:
    was, provenance = stage.done["made_from"], stage.read("provenance.json")
    return {
        "commit": provenance["commit"],
        "dirty": provenance["dirty"],
        "notebook": was["notebook"],
        "modules": was["modules"],
        "parameters": hash_of(
            {name: public_value(name, value) for name, value in was["parameters"].items() if name not in _PRIVATE}
        ),
        "privacy": sha256(stage.folder / "privacy.json"),
        "settings": settings(was["parameters"]),
    }


def packages(stages: Mapping[str, FinishedStage]) -> dict[str, str]:
    """Versions of the packages that decide what is computed; where stages differ, all versions.

    Args:
        stages: an arm and all that it was made from, by id.
    """
    versions: dict[str, set[str]] = {}
    for stage in stages.values():
        for name, version in stage.read("provenance.json")["packages"].items():
            versions.setdefault(name, set()).add(version)
    return {name: " and ".join(sorted(versions[name])) for name in PACKAGES if name in versions}


def claims(candidate: Candidate, *, gate: list[str]) -> dict:
    """The certificate without the hashes of the pack's files and its own.

    Args:
        candidate: the arm.
        gate: what the gate looked at, and what holds since it let the arm pass.
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
        "events": events,
        "audit": {"verdict": audit.verdict, "ceiling": audit.ceiling, "because": audit.because},
        "gate": gate,
        "code": code(candidate.stages),
        "packages": packages(candidate.stages),
    }
