"""A finished toy run for the tests of a release: real stages, toy texts, one project a test."""

import copy
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import yaml

from lib.common import paths
from lib.common.files import read_json, sha256, write_json
from lib.data import records
from lib.privacy.accounting import epsilon_replacing
from lib.privacy.budget_account import Account
from lib.privacy.composition import merged
from lib.privacy.ledger import from_statement
from lib.privacy.statement_check import too_costly
from lib.release import card, certificate, contents, kinds, pack, verify
from lib.release.candidate import Candidate
from lib.stage import stage as stages
from support.project import ROOT, Project

CORPUS, TRAINING, ARM, AUDIT = "00_process_data", "10_finetune_dp_lora", "11_generate", "20_canary_privacy"
HYBRID, SCRUB, DETECTOR = "13_select", "01_scrub", "41_pii_check"
SOURCE = "csv:/home/somebody/clinic.csv"
SIZES = {"train": 60, "test": 40, "synthetic": 40}
WORDS = [a + b for a in ("ba", "do", "ki", "lu", "mo", "pe", "ra", "su", "ta", "vi") for b in "bcdfghjklmnpqrstvwxz"]


def texts() -> dict[str, list[dict]]:
    """Records of random words: whatever they share, they share by chance. Every three records have one user."""
    rng = np.random.default_rng(7)
    records = {}
    for side, size in SIZES.items():
        prefix = "synthetic-" if side == "synthetic" else f"{side}_"
        records[side] = [
            {
                "id": f"{prefix}{i:06d}",
                "text": " ".join(rng.choice(WORDS, 14)),
                "labels": {"mood": ["glad", "sad"][i % 2]},
            }
            | ({} if side == "synthetic" else {"user": f"user{side}{i // 3}"})
            for i in range(size)
        ]
    return records


def build(project: Project) -> None:
    """Notebooks of the chain 00 -> 10 -> 11 -> 20: toys that write the files of the real ones."""
    write_json(project.root / "texts.json", texts())
    source = Account.of(SOURCE)
    source.path.parent.mkdir(parents=True)
    terms = {"source": source.source, "unit": None, "epsilon": None, "delta": None}
    source.path.write_text(yaml.safe_dump(terms))
    source.path.with_suffix(".jsonl").touch()
    read = "import json\n\ngiven = json.loads(open('texts.json').read())\n"
    write = "stage.path('{0}.jsonl').write_text('\\n'.join(map(json.dumps, given['{0}'])) + '\\n')"
    edge = 'inputs: dict[str, str] = {"corpus": "00_process_data"'
    project.notebook(
        CORPUS,
        f'source: str = "{SOURCE}"\nshare: float = 1.0\nunit: str = "record"\ndelta: float | None = None\n'
        'label_domain: dict = {"mood": ["glad", "sad"]}\nmin_words: int = 1\nmax_words: int = 60\n'
        "max_characters: int = 2000\nmax_records_per_user: int | None = None\n"
        "topics: int | None = None\ntopic_texts: str | None = None\n"
        'topic_locale: str = "en_US"\ntopic_encoder: str = "bundled:all-minilm-l6-v2"\n'
        "label_histogram_scale: float = 5.0\nprivacy_seed: int | None = None\n",
        "from lib.privacy import budget\nfrom lib.privacy.accounting import DiscreteGaussian\n"
        "from lib.privacy.ledger import Event, Ledger\n\n"
        + read
        + "\n".join(write.format(side) for side in ("train", "test")),
        "ledger = Ledger(unit, len(given['train']))\n"
        "noise = DiscreteGaussian(label_histogram_scale)\n"
        "event = Event(stage.id, 'label histogram', noise, privacy_seed)\n"
        "budget.charge(stage, event, ledger)\nledger.events.append(event)\n"
        "stage.finish({}, ledger.statement(stage.id))",
    )
    project.notebook(
        TRAINING,
        edge + '}\nmodel: str = "/home/somebody/model"\nprompt: str = "A {mood} one:"\n'
        "target_epsilon: float | None = 8.0\nreserve: float = 0.0\ncopy_share: float = 0.2\nfor_release: bool = True\n"
        "steps: int = 3\nexpected_batch: float = 12.0\nmax_grad_norm: float = 1.0\n"
        'chat: bool = False\nmax_tokens: int = 60\nlearning_rate: float = 0.1\nschedule: str = "linear"\n'
        'lora: dict = {"r": 2}\nfrozen_a: bool = False\naverage_from: int | None = None\ncontrast: float = 0.0\n'
        "warm_source: str | None = None\nwarm_steps: int = 0\nwarm_batch: float = 32.0\n"
        "warm_learning_rate: float = 0.001\n"
        "privacy_seed: int | None = None\nchecked: bool = True\n",
        "from dataclasses import replace\n\nfrom lib.methods.dp_lora.method import METHOD\n"
        "from lib.privacy import budget\nfrom lib.privacy.ledger import Event, inherit\n\n"
        "ledger = inherit(list(stage.inputs.values()))\n"
        "corpus = {'units': ledger.units, 'delta': ledger.delta, 'others': ledger.mechanisms}\n"
        "mechanism = METHOD.mechanism(stage.parameters, **corpus)\n"
        "event = Event(stage.id, 'training', mechanism, privacy_seed)\n"
        "budget.charge(stage, event, ledger, named=for_release)\n"
        "ledger.events.append(replace(event, checked=checked))",
        "stage.finish({}, ledger.statement(stage.id, target_epsilon=target_epsilon))",
    )
    project.notebook(
        ARM,
        edge + ', "model": "10_finetune_dp_lora"}\nsamples: int = 40\ntemperature: float = 0.9\n'
        "base_model: str | None = None\nprompt: str | None = None\nchat: bool | None = None\ntop_p: float = 1.0\n"
        "top_k: int = 0\nrepetition_penalty: float = 1.0\nmax_new_tokens: int = 60\nnoisy_count: int = 3\n",
        "import yaml\n\nfrom lib.common.files import write_json\nfrom lib.privacy import budget, copy_count\n"
        "from lib.privacy.ledger import Event, inherit\n\n" + read + write.format("synthetic"),
        "ledger = inherit(list(stage.inputs.values()))\n"
        "trained = yaml.safe_load((stage.inputs['model'] / 'params.yaml').read_text())\n"
        "count = copy_count.mechanism(trained, ledger.delta)\n"
        "if count is not None:\n"
        "    event = Event(stage.id, copy_count.WHAT, count)\n"
        "    budget.charge(stage, event, ledger, named=trained['for_release'])\n"
        "    ledger.events.append(event)\n"
        "    write_json(stage.path('copy_count.json'), {'noisy_count': noisy_count})\n"
        "stage.finish({'records': samples}, ledger.statement(stage.id, target_epsilon=trained['target_epsilon']))",
    )
    project.notebook(
        AUDIT,
        edge + ', "mine": "11_generate"}\nverdict: str | None = "consistent"\n',
        "from lib.common.files import write_json\nfrom lib.privacy.ledger import inherit\n\n"
        "rows = [{'arm': 'mine', 'bound': 0.5, 'ceiling': 2.5}] if verdict else []\n"
        "found = {'verdicts': {'mine': verdict} if verdict else {}, 'findings': rows}\n"
        "write_json(stage.path('findings.json'), found)",
        "stage.finish({}, inherit(list(stage.inputs.values())).statement(stage.id))",
    )


def build_hybrid(project: Project) -> None:
    """A notebook that selects from the arm: a toy that draws, charges and writes what the real one does."""
    project.notebook(
        HYBRID,
        'inputs: dict[str, str] = {"corpus": "00_process_data", "mine": "11_generate"}\n'
        "target_epsilon: float | None = 8.0\ncopy_share: float = 0.2\nfor_release: bool = True\n"
        'encoder: str = "/home/somebody/encoder"\nvotes: int = 1\nk_nn: int = 1\nthreshold: float = 0.0\n'
        'selection: str = "rank"\nnear_duplicate_similarity: float = 1.0\nall_iterations: bool = False\n'
        "samples: int = 20\nprivacy_seed: int | None = None\nnoisy_count: int = 2\n",
        "from lib.common.files import write_json\nfrom lib.data import records\n"
        "from lib.methods.selection import candidates\nfrom lib.methods.selection.method import METHOD\n"
        "from lib.privacy import budget, copy_count\nfrom lib.privacy.ledger import Event, inherit\n\n"
        "ledger = inherit(list(stage.inputs.values()))\n"
        "corpus = {'units': ledger.units, 'delta': ledger.delta, 'others': ledger.mechanisms}\n"
        "votes_of_all = Event(stage.id, 'votes', METHOD.mechanism(stage.parameters, **corpus), privacy_seed)\n"
        "count = Event(stage.id, copy_count.WHAT, copy_count.mechanism(stage.parameters, ledger.delta))\n"
        "for event in (votes_of_all, count):\n"
        "    budget.charge(stage, event, ledger, named=for_release)\n"
        "    ledger.events.append(event)\n",
        "cells = [{'mood': 'glad'}, {'mood': 'sad'}]\n"
        "arms = [folder for name, folder in stage.inputs.items() if name != 'corpus']\n"
        "found = candidates.gather(arms, cells, near_duplicate_similarity=near_duplicate_similarity).records\n"
        "made = [records.Record(f'synthetic-{i:06d}', r.text, r.labels) for i, r in enumerate(found[:samples])]\n"
        "records.write(stage.path('synthetic.jsonl'), made)\n"
        "write_json(stage.path('copy_count.json'), {'noisy_count': noisy_count})\n"
        "stage.finish({'records': samples}, ledger.statement(stage.id, target_epsilon=target_epsilon))",
    )


def build_scrubbed(project: Project) -> None:
    """A notebook that scrubs the corpus: a toy in which the word after ``mister`` is a name; and a public detector."""
    project.notebook(
        DETECTOR,
        "inputs: dict[str, str] = {}\n",
        "from lib.privacy.ledger import NO_UNIT, Ledger\n\nstage.finish({}, Ledger(NO_UNIT, 0).statement(stage.id))",
    )
    project.notebook(
        SCRUB,
        'inputs: dict[str, str] = {"corpus": "00_process_data"}\ndetectors: list = ["rules"]\n'
        'gliner: str | None = None\nmode: str = "slots"\nclasses: list = ["direct"]\nlocale: str = "en_US"\n'
        'ranges: str = "plausible"\n',
        "import re\nfrom dataclasses import replace\n\nfrom lib.data import records\n"
        "from lib.data.private_text import PrivateText\nfrom lib.pii import scrub_stage\n"
        "from lib.privacy.ledger import inherit\n\n"
        "for side in ('train', 'test'):\n"
        "    kept = records.read(stage.inputs['corpus'] / f'{side}.jsonl')\n"
        "    texts = [re.sub(r'(mister) \\w+', r'\\1 [LASTNAME]', record.text.reveal()) for record in kept]\n"
        "    scrubbed = [replace(r, text=PrivateText(text)) for r, text in zip(kept, texts)]\n"
        "    records.write(stage.path(f'{side}.jsonl'), scrubbed)",
        "ledger = inherit([stage.inputs['corpus']])\n"
        "scrub_stage.declare(ledger, detectors, stage.inputs.get('detector'))\n"
        "stage.finish({}, ledger.statement(stage.id))",
    )


class World:
    """A project with a finished run, whose stages can be run again.

    Args:
        project: that holds the run ``quick``.
    """

    def __init__(self, project: Project):
        self.project = project
        self.run = project.root / "results" / "quick"
        self.pack = self.run / "release" / ARM

    def play(self, *names: str, **values: object) -> None:
        """Run stages again in this process, the last one with other ``values`` of its parameters."""
        for name in names:
            self.project.play(name, **(values if name == names[-1] else {}))

    def change_texts(self, side: str, changes: dict[int, str], key: str = "text") -> None:
        """Give records of a side other texts, by their place; takes effect when their stage is played again."""
        path = self.project.root / "texts.json"
        given = read_json(path)
        for place, text in changes.items():
            given[side][place][key] = text
        write_json(path, given)

    def compare(self, scorecard: dict) -> None:
        """Add a stage of 30_compare that writes this scorecard."""
        write_json(self.project.root / "scorecard.json", scorecard)
        self.project.notebook(
            "30_compare",
            'inputs: dict[str, str] = {"mine": "11_generate"}\n',
            "stage.path('scorecard.json').write_text(open('scorecard.json').read())",
            "from lib.privacy.ledger import inherit\n\n"
            "stage.finish({}, inherit(list(stage.inputs.values())).statement(stage.id))",
        )
        self.play("30_compare")

    def texts(self, side: str) -> list[str]:
        return [record["text"] for record in read_json(self.project.root / "texts.json")[side]]


@contextmanager
def _prepared(root: Path) -> Iterator[World]:
    """A project whose stages can be played in this process."""
    project = Project.__new__(Project)
    project.root = root
    if not (root / "lib").exists():
        (root / "lib").symlink_to(ROOT / "lib")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "ROOT", root)
        patch.setattr(stages, "_PATIENCE", 0.0)
        patch.setenv("WANDB_MODE", "off")
        patch.delenv("DOPPEL_BUDGETS", raising=False)  # its accounts are its own
        patch.chdir(root)
        yield World(project)
    if stages.Stage._current is not None:
        stages.Stage._current._release()


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with the finished run that every test copies; its audit has not run."""
    root = tmp_path_factory.mktemp("release")
    with _prepared(root) as world:
        build(world.project)
        world.play(CORPUS, TRAINING, ARM)
    return root


@contextmanager
def copied(project: Path, root: Path) -> Iterator[World]:
    """A copy at ``root`` of a project, whose stages can be played in this process."""
    shutil.copytree(project, root, symlinks=True)
    with _prepared(root) as world:
        yield world


@pytest.fixture
def world(finished: Path, tmp_path: Path) -> Iterator[World]:
    with copied(finished, tmp_path / "project") as world:
        yield world


def packed(world: World, folder: Path, stage: str = ARM) -> Path:
    """The pack of an arm, moved to a new ``folder`` with nothing of the run beside it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return pack.pack(Candidate(world.run, stage)).rename(folder)


def metric(name: str, **changes) -> dict:
    """A row of a scorecard; what real text entered has figures that can be searched for."""
    row = {"group": "fidelity", "task": "words", "metric": name, "value": 0.625, "value_low": 0.5, "value_high": 0.75}
    real = {"floor": 0.111, "ceiling": 0.222, "position": 0.333, "because": "a secret"}
    return row | real | {"direction": "higher", "n": 40, "of": 40, "real_text": False} | changes


def rehash(folder: Path, changed: dict) -> None:
    """Write a changed certificate with a hash that fits it, as a forger would."""
    changed = changed | {"sha256": certificate.own_hash(changed)}
    (folder / certificate.NAME).write_text(certificate.text(changed))


def forge(folder: Path, changed: dict) -> None:
    """Write a changed certificate with an epsilon, a card and hashes that fit it, as a forger who has Doppel would."""
    ledger = from_statement(certificate.ledger_part(changed))
    kind = kinds.of_stage(str(changed["stage"]))
    costly = too_costly(ledger.mechanisms)  # a forger would not wait either
    changed = changed | ({} if costly else {"epsilon": ledger.epsilon})
    if changed["format"] == certificate.FORMAT and not costly:
        mechanisms = merged([certificate.mechanism_of(event) for event in changed["events"]])
        changed["guarantee"] = changed["guarantee"] | {
            "epsilon": changed["epsilon"],
            "epsilon_replacing": epsilon_replacing(tuple(mechanisms), changed["delta"]) if mechanisms else 0.0,
            "mechanisms": [mechanism.as_json() for mechanism in mechanisms],
        }
        texts = kind is kinds.TEXTS
        found = records.read(folder / "records.jsonl") if texts else contents.read(folder, changed)[0]
        if found:  # no card can be written of what is no record
            (folder / "README.md").write_text(card.write(changed, found))
    files = {name: folder / name for name in kind.files}
    changed["files"] = {name: {"bytes": path.stat().st_size, "sha256": sha256(path)} for name, path in files.items()}
    rehash(folder, changed)


def loads(path: Path) -> dict:
    return json.loads(path.read_text())


def with_(whole: dict, path: str, value: object) -> dict:
    """A copy of a certificate with another value at a path, ``events/0/stage``."""
    changed = copy.deepcopy(whole)
    *parents, last = path.split("/")
    parent = changed
    for key in parents:
        parent = parent[int(key) if isinstance(parent, list) else key]
    parent[int(last) if isinstance(parent, list) else last] = value
    return changed


def codes(folder: Path) -> list[str]:
    """The codes of what is wrong with a pack, or with what a stage states."""
    return [reason.code for reason in verify.check(folder)[1]]


def card_of(world: World, **given) -> str:
    """The card of a pack that is made anew."""
    return (pack.pack(Candidate(world.run, ARM), **given) / "README.md").read_text()
