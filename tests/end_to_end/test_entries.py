"""A toy source, engine, method and metric are added by their entries alone, and go all the way to a verified pack.

What each needs is what docs/architecture.md says: a file (or a folder and a notebook), and a line in a registry.
"""

import json
import shutil
import subprocess
import sys

import pytest
from support.project import ROOT, Project, edit

SOURCE = '''"""Reviews that nobody wrote."""

import random

from lib.data.records import PrivateText, Record
from lib.data.sources.corpus import Corpus, SourceRequest

WORDS = "camera battery screen light heavy cheap strong menu photo sound cable box zoom lens flash".split()


def load_toy(request: SourceRequest) -> Corpus:
    """As many records as the request's argument says."""
    draw = random.Random(0)
    made = [
        Record(f"r{n}", PrivateText(f"number{n} " + " ".join(draw.sample(WORDS, 7))), {"mood": ("good", "bad")[n % 2]})
        for n in range(int(request.argument))
    ]
    return Corpus(made, [], "toy", f"{len(made)} toy records")
'''
SOURCE_ENTRY = """
def _load_toy(request: SourceRequest) -> Corpus:
    from lib.data.sources.toy import load_toy

    return load_toy(request)


SOURCES = {
    "toy": Source(form="toy:COUNT", load=_load_toy, knows_users=False, title="toy reviews", language="en"),"""

ENGINE = '''"""An engine that writes the same few sentences, whatever it is asked."""

from lib.generation.engines.base import Completion
from lib.models import loading


class ToyEngine:
    """Completes every prompt with a made-up sentence."""

    name = "toy"

    def __init__(self, model, adapter=None, *, device="auto", dtype="auto", batch_size=64):
        self.tokenizer = loading.load_tokenizer(model)

    def complete(self, prompts, sampling, limits=None, *, without_label=None):
        """Complete ``prompts``, whatever the rest says."""
        for position, _ in enumerate(prompts):
            yield position, Completion(f"The toy engine wrote sentence {position} by itself.", 9, True)
'''
ENGINE_ENTRY = """
def _toy() -> Callable[..., Engine]:
    from lib.generation.engines.toy_engine import ToyEngine

    return ToyEngine


ENGINES = {
    "toy": EngineEntry(_toy, fits=lambda device, dtype: False),"""

METRIC = '''"""A toy metric."""

import numpy as np

from lib.evaluation.estimate import Estimate
from lib.evaluation.fidelity.metric_input import TextPair


def full_stops(pair: TextPair) -> dict[str, Estimate]:
    """``full_stops``: share of the synthetic texts of a ``pair`` that end in a full stop."""
    ends = np.array([text.endswith(".") for text in pair.synthetic], float)
    return pair.estimate(lambda _, rows: {"full_stops": float(ends[rows].mean())})
'''
METRIC_ENTRY = """_ENTRIES = (
    Entry("full_stops", "text", "match", "fidelity.toy:full_stops", real_text=False, headline=True,
          title="Full stops of the toy", meaning="Share of records that end in a full stop."),"""

METHOD = '''"""The entry of a toy method: noisy lengths, and sentences of as many words."""

from lib.methods.method import Method

WRITES = "19_toy"


def recipe(parameters, units, noise_multiplier):
    """One noisy mean length of the records."""
    from lib.privacy.accounting import Gaussian

    return Gaussian(noise_multiplier, count=parameters["releases"])


def making(arm, spending, unit):
    """Paragraphs of a card."""
    yield f"By the toy method: {arm['releases']} noisy lengths of the {unit}s, and words that a toy knows."


METHOD = Method(
    title="toy method",
    title_without_privacy="toy method without privacy",
    arm=WRITES,
    spends=WRITES,
    recipe=recipe,
    making=making,
    settings=("target_epsilon", "releases", "samples"),
    checks={},
    corpus_checks={},
    colour="#7a5195",
    model="writer",
)
'''
PARAMETERS = """inputs: dict[str, str] = {"corpus": "00_process_data"}
writer: str = "bundled:words"
target_epsilon: float | None = 4.0  # (0, 1000]
releases: int = 2  # [1, 10]
samples: int = 30  # [9, 1000]
privacy_seed: int | None = None
"""
CELLS = (
    '''import numpy as np

from lib.data import labels, records
from lib.common.files import read_json
from lib.methods.toy.method import METHOD
from lib.privacy import budget
from lib.privacy.ledger import Event, inherit

ledger = inherit([stage.inputs["corpus"]])
mechanism = METHOD.mechanism(stage.parameters, units=ledger.units, delta=ledger.delta, others=ledger.mechanisms)
event = Event(stage.id, "noisy lengths", mechanism, privacy_seed)''',
    '''budget.charge(stage, event, ledger)
train = records.read(stage.inputs["corpus"] / "train.jsonl")
total = sum(min(10, len(record.text.reveal().split())) for record in train) / 10  # one record moves it by at most 1
noisy = [total + np.random.default_rng().normal(0, mechanism.noise_multiplier) for _ in range(releases)]
ledger.events.append(event)''',
    '''histogram = read_json(stage.inputs["corpus"] / "label_histogram.json")
wanted = labels.draw(histogram, [], samples, np.random.default_rng(0))
words = max(3, round(10 * np.mean(noisy) / len(train)))
texts = [f"toy {n} says " + " ".join(f"word{(n * k) % 17}" for k in range(words)) + "." for n in range(samples)]
made = [records.Record(f"synthetic-{n:06d}", records.PrivateText(text), label)
        for n, (text, label) in enumerate(zip(texts, wanted, strict=True))]
records.write(stage.path("synthetic.jsonl"), made)''',
    '''metrics = {"records": samples, "tokens": 0}
stage.finish(metrics, privacy=ledger.statement(stage.id, target_epsilon=target_epsilon))''',
)  # fmt: skip


def add_entries(project: Project) -> None:
    """The files of each toy, and one line in a registry for each."""
    lib = project.root / "lib"
    (lib / "data/sources/toy.py").write_text(SOURCE)
    edit(lib / "data/sources/__init__.py", "\nSOURCES = {", SOURCE_ENTRY)
    (lib / "generation/engines/toy_engine.py").write_text(ENGINE)
    edit(lib / "generation/engines/registry.py", "\nENGINES = {", ENGINE_ENTRY)
    (lib / "evaluation/fidelity/toy.py").write_text(METRIC)
    edit(lib / "evaluation/registry.py", "_ENTRIES = (", METRIC_ENTRY)
    (lib / "methods/toy").mkdir()
    (lib / "methods/toy/__init__.py").write_text("")
    (lib / "methods/toy/method.py").write_text(METHOD)
    edit(lib / "methods/registry.py", "\nMETHODS:", "from lib.methods.toy.method import METHOD as TOY\n\nMETHODS:")
    edit(lib / "methods/registry.py", "SANITIZATION,", "SANITIZATION, TOY,")
    project.notebook("19_toy", PARAMETERS, *CELLS)


def add_preset(project: Project) -> None:
    """A corpus of the toy source, a floor by the toy engine, an arm by the toy method, and what compares them."""
    for notebook in ("00_process_data", "11_generate", "21_fidelity", "30_compare"):
        shutil.copy(ROOT / "notebooks" / f"{notebook}.ipynb", project.root / "notebooks")
    arms = "base: 11_generate.base, toy: 19_toy.eps4"
    project.preset(
        "toy",
        n00_process_data="source: toy:160\nlabel_domain: {mood: [good, bad]}\nmin_words: 3\n",
        n11_generate__base="inputs: {corpus: 00_process_data}\nbase_model: bundled:tiny-random\nengine: toy\n"
        "guidance: 0.0\nprompt: 'Write one {mood} review.'\nchat: false\nsamples: 30\ndevice: cpu\n",
        n19_toy__eps4="",
        n21_fidelity=f"inputs: {{corpus: 00_process_data, {arms}}}\nencoder: hidden:bundled:tiny-random\n"
        "voting_encoder: null\ndraws: 9\nview_seeds: 1\npermutations: 19\nmap_records: 20\ndevice: cpu\n",
        n30_compare=f"inputs: {{corpus: 00_process_data, {arms}, fidelity: 21_fidelity}}\nrelease: [toy]\n",
    )


# One process does everything, for it has to import the entries: each notebook by hand, then the commands.
SCRIPT = """
import io, json, shutil
from contextlib import redirect_stdout
from pathlib import Path

from lib.cli.__main__ import main
from lib.common import paths
from lib.common.errors import DoppelError
from lib.pipeline.preflight import preflight
from lib.stage import notebook_file

for node in preflight("toy", "toy").nodes.values():
    namespace = {}
    for cell in notebook_file.load(paths.ROOT / "notebooks" / f"{node.notebook}.ipynb"):
        if cell["cell_type"] == "code":
            exec(cell["source"], namespace)
        if notebook_file.is_parameters(cell):
            namespace |= node.parameters

answers = {}


def command(name, *arguments):
    with redirect_stdout(io.StringIO()) as printed:
        code = main(arguments)
    answers[name] = {"code": code, "printed": printed.getvalue()}


command("run", "toy")
command("plan", "toy", "--dry-run", "--set", "19_toy.eps4.releases=3")
try:
    preflight("toy", "toy", ["00_process_data.source=tyo:9", "11_generate.base.engine=tooy"])
except DoppelError as error:
    answers["refused"] = [[fault.code, fault.remedy] for fault in error.faults]
command("release", "release", "19_toy.eps4", "--run", "toy")
pack = Path("results/toy/release/19_toy.eps4")
command("verify", "verify", str(pack))

from lib.release import certificate, verify  # and a certificate that somebody changed, hash and all

forged = Path(shutil.copytree(pack, "forged"))
changed = json.loads((forged / certificate.NAME).read_text().replace('"releases": 2', '"releases": 3'))
changed["sha256"] = certificate.own_hash(changed)
(forged / certificate.NAME).write_text(certificate.text(changed))
answers["forged"] = [fault.code for fault in verify.check(forged)[1]]
Path("answers.json").write_text(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The preset of the toys, run once to its end, and what the commands then say in ``answers.json``."""
    made = Project(tmp_path_factory.mktemp("entries"))
    (made.root / "data").mkdir()
    for name in ("models", "raw"):
        if (ROOT / "data" / name).is_dir():
            (made.root / "data" / name).symlink_to(ROOT / "data" / name)
    add_entries(made)
    add_preset(made)
    command = [sys.executable, "-c", SCRIPT]
    ended = subprocess.run(command, cwd=made.root, env=made.env, capture_output=True, text=True, timeout=400)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return made


@pytest.fixture(scope="module")
def answers(project: Project) -> dict:
    return json.loads((project.root / "answers.json").read_text())


def test_the_run_is_whole_and_its_table_has_both_arms(answers: dict) -> None:
    assert answers["run"]["code"] == 0 and "everything is up to date" in answers["run"]["printed"]
    assert "19_toy.eps4" in answers["run"]["printed"] and "11_generate.base" in answers["run"]["printed"]


def test_pre_flight_knows_the_entries(answers: dict) -> None:
    assert answers["plan"]["code"] == 0 and "would run  19_toy.eps4" in answers["plan"]["printed"]
    codes, remedies = zip(*answers["refused"], strict=True)
    assert sorted(codes) == ["data.unknown_source", "generation.engine_unknown"]
    assert set(remedies) == {"did you mean toy?"}


def test_the_engine_wrote_and_the_metric_was_measured(project: Project) -> None:
    written = (project.stage("11_generate.base") / "synthetic.jsonl").read_text()
    assert written.count("The toy engine wrote sentence") == 30
    rows = json.loads((project.stage("21_fidelity") / "fidelity.json").read_text())["rows"]
    (row,) = [row for row in rows if row["metric"] == "full_stops" and row["arm"] == "toy"]
    assert row["value"] == 1.0 and row["direction"] == "match" and row["headline"]


def test_the_scorecard_has_the_method(project: Project) -> None:
    card = json.loads((project.stage("30_compare") / "scorecard.json").read_text())
    (arm,) = [arm for arm in card["arms"] if arm["stage"] == "19_toy.eps4"]
    assert arm["method"] == "toy method" and arm["model"] == "bundled:words"
    assert 0.98 * 4 <= arm["privacy"]["epsilon"] <= 4
    assert any(row["metric"] == "full_stops" for row in arm["metrics"])


def test_the_pack_is_certified_and_verified(project: Project, answers: dict) -> None:
    assert answers["release"]["code"] == 0, answers
    assert answers["verify"]["code"] == 0 and "VERIFIED" in answers["verify"]["printed"], answers
    pack = project.root / "results" / "toy" / "release" / "19_toy.eps4"
    card = (pack / "README.md").read_text()
    assert "By the toy method: 2 noisy lengths" in card and "Full stops of the toy" in card and "toy reviews" in card
    certificate = json.loads((pack / "certificate.json").read_text())
    settings = {"inputs": {"corpus": "00_process_data"}, "target_epsilon": 4.0, "releases": 2, "samples": 30}
    assert certificate["code"]["19_toy.eps4"]["settings"] == settings


def test_a_certificate_whose_settings_ask_for_more_than_its_event_is_refused(answers: dict) -> None:
    assert "release.event_not_as_set" in answers["forged"]


def test_the_report_tells_the_method_and_the_metric(project: Project) -> None:
    page = (project.stage("30_compare") / "report" / "internal.html").read_text()
    assert "toy method" in page and "Full stops of the toy" in page
