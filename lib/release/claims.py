"""What the certificate says about how an arm was made: hashes, and those settings that are harmless.

A parameter may hold a private path (``csv:/home/...``), so parameters are given as one hash; of them, only `SETTINGS`
are spelled out, and models and prompt files only where they are names that anybody knows. What is not spelled out for
that reason does not enter the hash either: the rest is known, so a guess at a path could be confirmed by it.
"""

from collections.abc import Mapping
from pathlib import Path

from lib.common.files import read_json, sha256
from lib.privacy.disclosure import public_value
from lib.privacy.ledger import Event
from lib.release.audit_findings import Audit
from lib.release.certificate import FORMAT, hash_of, sampler

SETTINGS = (
    # corpus
    "source", "label_domain", "min_words", "max_words", "max_characters", "max_records_per_user", "unit", "delta",
    "label_histogram_scale",
    # training
    "model", "prompt", "chat", "max_tokens", "target_epsilon", "steps", "expected_batch", "max_grad_norm",
    "learning_rate", "schedule", "lora",
    # votes
    "prompts", "encoder", "iterations", "variants", "seed_factor", "keep_parents", "lookahead_degree", "k_nn",
    "threshold", "selection", "variation", "mask_probability",
    # writing
    "base_model", "samples", "temperature", "top_p", "top_k", "repetition_penalty", "max_new_tokens",
)  # fmt: skip
PACKAGES = (
    "python", "dp-accounting", "opendp", "opacus", "torch", "transformers", "peft", "ctranslate2", "vllm", "openai",
    "sentence-transformers", "numpy", "scipy",
)  # fmt: skip
_PRIVATE = ("columns", "base_url", "key_variable", "ratings")  # names of somebody's columns, hosts and files


def settings(parameters: Mapping[str, object]) -> dict[str, object]:
    """The harmless parameters. A source keeps its kind (``csv``), a local model is withheld."""
    return {name: public_value(name, parameters[name]) for name in SETTINGS if name in parameters}


def code(run: Path, made: Mapping[str, Mapping]) -> dict[str, dict]:
    """For each stage what it was made from: hashes of notebook, lib modules, parameters and privacy.json; the commit.

    Hashes of notebooks and modules are those of done.json: of the code without comments, layout and docstrings.
    """
    return {stage: _code(run / stage, done) for stage, done in made.items()}


def _code(folder: Path, done: Mapping) -> dict:
    was, provenance = done["made_from"], read_json(folder / "provenance.json")
    return {
        "commit": provenance["commit"],
        "dirty": provenance["dirty"],
        "notebook": was["notebook"],
        "modules": was["modules"],
        "parameters": hash_of(
            {name: public_value(name, value) for name, value in was["parameters"].items() if name not in _PRIVATE}
        ),
        "privacy": sha256(folder / "privacy.json"),
        "settings": settings(was["parameters"]),
    }


def packages(run: Path, made: Mapping[str, Mapping]) -> dict[str, str]:
    """Versions of the packages that decide what is computed; where stages differ, all versions."""
    seen: dict[str, set[str]] = {}
    for stage in made:
        for name, version in read_json(run / stage / "provenance.json")["packages"].items():
            seen.setdefault(name, set()).add(version)
    return {name: " and ".join(sorted(seen[name])) for name in PACKAGES if name in seen}


def claims(run: Path, made: Mapping[str, Mapping], *, records: int, audit: Audit, gate: list[str]) -> dict:
    """The certificate without the hashes of the pack's files and its own; the last stage of ``made`` is the arm."""
    stage = list(made)[-1]
    statement = read_json(run / stage / "privacy.json")
    events = [{**event, "sampler": sampler(Event.from_json(event).mechanism)} for event in statement["events"]]
    return {
        "format": FORMAT,
        "run": run.name,
        "stage": stage,
        "finished": made[stage]["finished"],
        "records": records,
        **{key: value for key, value in statement.items() if key != "stage"},
        "events": events,
        "audit": {"verdict": audit.verdict, "ceiling": audit.ceiling, "because": audit.because},
        "gate": gate,
        "code": code(run, made),
        "packages": packages(run, made),
    }
