"""Arms made again with canaries: with their own parameters, on canaries that really got in; caught when they lie."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from lib.audit import attack, canary_set, target
from lib.audit.canary_set import Planted, coins
from lib.common.errors import DoppelError
from lib.common.files import write_array, write_json
from lib.data import labels, records
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.methods.dp_lora import audit as lora_audit
from lib.methods.dp_lora import gradient_attack
from lib.methods.dp_lora import trainer as dp_lora
from lib.methods.private_evolution import audit as evolution_audit
from lib.methods.private_evolution.evolution import Evolution, Generation, Iteration, Voters
from lib.methods.private_evolution.settings import Settings
from lib.models import loading
from lib.models.examples import encode_all
from lib.models.prompt import Prompt
from lib.pipeline import preflight
from lib.privacy.ledger import Ledger

TINY = "bundled:tiny-random"
CELLS = [{"mood": "good"}, {"mood": "bad"}]
TRAINING = {
    "inputs": {"corpus": "00_process_data"}, "model": TINY, "prompt": "{mood}:", "chat": False, "max_tokens": 48,
    "target_epsilon": None, "steps": 30, "expected_batch": 24.0, "max_grad_norm": 1.0, "learning_rate": 0.02,
    "schedule": "constant", "warmup_steps": 0, "weight_decay": 0.0,
    "lora": {"r": 16, "lora_alpha": 64, "target_modules": "all-linear"},
    "gradient_checkpointing": False, "tokens_per_micro_batch": 4096, "checkpoint_every": 100, "device": "cpu",
    "dtype": "float32", "seed": 0, "privacy_seed": 5,
}  # fmt: skip


def plant(count: int = 30, repeated: dict[int, int] | None = None, seed: int = 1) -> Planted:
    return canary_set.plant(
        count, references=6, repeated={8: 12} if repeated is None else repeated, cells=CELLS,
        tokenizer=loading.load_tokenizer(TINY), locale="en_US", seed=seed,
    )  # fmt: skip


def corpus(count: int = 40) -> list[Record]:
    return [Record(f"r{n}", PrivateText(f"the box {n} came late"), CELLS[n % 2]) for n in range(count)]


def arm(epsilon: float = np.inf, **changes) -> target.Arm:
    return target.Arm("11_generate.a", {}, TRAINING | changes, epsilon, 1e-3, [])


# --- canaries


def test_every_canary_that_is_in_is_in_the_corpus_as_often_as_it_should_and_no_other() -> None:
    planting, old = plant(), corpus()
    train = planting.insert(old)
    assert train[: len(old)] == old
    texts = [record.text for record in train]
    for copies, some in planting.groups.items():
        for canary in some:
            assert texts.count(canary.record.text) == copies * canary.included
    assert not any(canary.included or canary.record.text in texts for canary in planting.references)
    assert len({record.id for record in train}) == len(train)
    assert [c.record.id for c in planting.single][:2] == ["canary-00000", "canary-00001"]
    assert all(0 < coins(some).sum() < len(some) for some in planting.groups.values())


def test_the_coins_of_a_small_group_never_all_fall_the_same() -> None:
    for seed in range(12):
        assert 0 < coins(plant(6, {3: 2}, seed).groups[3]).sum() < 2


def test_scores_are_relative_to_the_references_of_the_same_kind() -> None:
    planting = plant()
    level = {"personal": 0.0, "rare tokens": 100.0, "suffixed": -7.0}
    everyone = planting.everyone
    rng = np.random.default_rng(0)
    values = np.array([level[c.kind] + 3 * c.included for c in everyone]) + rng.normal(0, 0.1, len(everyone))
    relative = planting.relative(values)
    assert {n: len(some) for n, some in relative.items()} == {1: 30, 8: 12}
    for copies, some in planting.groups.items():
        assert relative[copies][coins(some)].min() > 10 > 5 > abs(relative[copies][~coins(some)]).max()
        exposed = planting.exposed(values)[copies]
        assert exposed[coins(some)] == pytest.approx(np.log2(7))  # above all 6 references
    assert planting.relative(np.zeros(len(everyone)))[1] == pytest.approx(0)  # not divided by zero


def test_a_canary_has_the_labels_of_a_record() -> None:
    rows = [{"product": "a"}, {"product": "b"}]
    assert canary_set.whole_sets(CELLS, rows)[1] == {"mood": "good", "product": "b"}
    assert canary_set.whole_sets(CELLS, []) == CELLS


@pytest.mark.parametrize(("count", "repeated"), [(5, {8: 12}), (30, {8: 1}), (30, {1: 12})])
def test_sets_that_are_too_small_are_refused(count: int, repeated: dict[int, int]) -> None:
    with pytest.raises(DoppelError, match="canaries"):
        plant(count, repeated)


def test_the_table_of_canaries_says_that_they_are_fake(tmp_path: Path) -> None:
    canary_set.save(tmp_path / "canaries.jsonl", plant().everyone)
    lines = [json.loads(line) for line in (tmp_path / "canaries.jsonl").read_text().splitlines()]
    assert len(lines) == 30 + 12 + 18 and all(line["fake"] is True for line in lines)


# --- arms


def write_arm(root: Path, stage: str, parameters: dict, epsilon: float | None = 8.0) -> Path:
    folder = root / stage
    folder.mkdir()
    (folder / "params.yaml").write_text(yaml.safe_dump(parameters))
    write_json(folder / "privacy.json", {"epsilon": epsilon, "delta": 1e-4})
    records.write(folder / "synthetic.jsonl", [Record("s", PrivateText("made up"), {})])
    return folder


def test_an_arm_has_its_own_parameters_and_those_of_the_training_before_it(tmp_path: Path) -> None:
    write_arm(tmp_path, "10_finetune_dp_lora.x", {"steps": 17})
    inputs = {"corpus": "00_process_data", "model": "10_finetune_dp_lora.x"}
    read = target.read(write_arm(tmp_path, "11_generate.x", {"inputs": inputs, "temperature": 0.7}, None))
    assert read.training["steps"] == 17 and read.parameters["temperature"] == 0.7
    assert read.epsilon == np.inf and not read.private and list(read.texts) == ["made up"]
    assert "made up" not in repr(read)


@pytest.mark.parametrize(
    ("stage", "inputs", "match"),
    [("11_generate.base", {}, "never saw the private records"), ("00_process_data", {}, "no arm that can be audited")],
)
def test_what_is_no_arm_is_refused(tmp_path: Path, stage: str, inputs: dict, match: str) -> None:
    with pytest.raises(DoppelError, match=match):
        target.read(write_arm(tmp_path, stage, {"inputs": inputs}))


def test_more_canaries_than_a_delta_can_bear_are_refused_before_anything_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target.ledgers, "read", lambda folder: Ledger("record", 20))
    train = [Record(str(i), PrivateText("made up"), {}) for i in range(1000)]
    assert target.canaried_ledger(tmp_path, train, arm()).units == 1000  # its delta is one in 1000
    with pytest.raises(DoppelError, match=r"1,001 units instead of 20.*fewer canaries or fewer copies"):
        target.canaried_ledger(tmp_path, [*train, Record("one", PrivateText("more"), {})], arm())


# --- DP-LoRA


def test_canaries_reach_the_training_with_the_arms_own_parameters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {}

    class Stopped(Exception):
        pass

    def trainer(model, examples, settings, checkpoint):
        seen.update(examples=examples, settings=settings, checkpoint=checkpoint)
        raise Stopped

    monkeypatch.setattr(dp_lora, "Trainer", trainer)
    planting = plant()
    train = planting.insert(corpus())
    one = arm(8.0, target_epsilon=8.0, max_tokens=400)
    ledger = Ledger("record", len(train), 1e-3)
    with pytest.raises(Stopped):
        lora_audit.retrain(one, train, ledger, tmp_path, lambda progress: None)
    for name in dp_lora.Settings.__dataclass_fields__.keys() - {"noise_multiplier"}:
        assert getattr(seen["settings"], name) == one.training[name], name
    assert 0.1 < seen["settings"].noise_multiplier < 10
    tokenizer = loading.load_tokenizer(TINY)
    read = [tokenizer.decode(e.completion, skip_special_tokens=True).strip() for e in seen["examples"]]
    for canary in planting.repeated[0].canaries:
        assert read.count(canary.record.text.reveal()) == 8 * canary.included


def test_training_without_noise_is_caught_and_scores_that_say_nothing_are_not(tmp_path: Path) -> None:
    planting = plant(6, {40: 4})
    train = planting.insert(corpus())
    ledger = Ledger("record", len(train), 1e-3)
    asked = [canary.record for canary in planting.everyone]
    one = arm(steps=60, max_tokens=40)
    trained = lora_audit.retrain(one, train, ledger, tmp_path, lambda progress: None, asked=asked)
    assert [event.mechanism.__class__.__name__ for event in ledger.events] == ["NonPrivate"]
    after = trained.nats(asked)
    group = planting.repeated[0]
    with trained.model.disable_adapter():
        np.testing.assert_allclose(trained.known.nats, trained.nats(asked), rtol=1e-4)
    caught = planting.relative(trained.known.nats - after)[40]
    assert attack.repeated_control("loss against base", caught, group).passed
    untouched = attack.repeated_control("loss", np.zeros(4), group)
    assert not untouched.passed and "must be above 0.8" in untouched.shown


def test_a_gradient_is_that_of_the_example_alone_and_clipped() -> None:
    net = lora_audit._adapted(TRAINING)
    for parameter in net.parameters():
        if parameter.requires_grad:  # as in a training that has begun: both matrices have a gradient
            torch.nn.init.normal_(parameter, std=0.05, generator=torch.Generator().manual_seed(parameter.numel()))
    asked = [canary.record for canary in plant().everyone[:5]]
    tokenizer, template = loading.load_tokenizer(TINY), Prompt("{mood}:", False)
    examples, _ = encode_all(asked, tokenizer, template, max_tokens=48, unit="record")
    found, nats = gradient_attack.of_examples(net, examples, max_grad_norm=0.1)
    for example, row, loss in zip(examples, found.float(), nats, strict=True):
        ids = torch.tensor([[*example.prompt, *example.completion]])
        labels = ids.clone()
        labels[0, : len(example.prompt)] = -100
        net.zero_grad()
        alone_loss = net(input_ids=ids, labels=labels).loss
        alone_loss.backward()
        assert loss == pytest.approx(alone_loss.item(), rel=1e-4)
        alone = torch.cat([p.grad.flatten() for p in net.parameters() if p.requires_grad])
        alone *= min(1, 0.1 / alone.norm())
        torch.testing.assert_close(row, alone, rtol=0.02, atol=1e-4)
    assert found.float().norm(dim=1) == pytest.approx(0.1, rel=1e-2)  # all of these are longer


def test_a_gradient_in_the_sum_is_found_beside_what_all_records_share() -> None:
    rng = torch.Generator().manual_seed(0)
    shared = torch.randn(3, 4000, generator=rng)

    def made(count: int) -> torch.Tensor:
        return torch.randn(count, 3, generator=rng) @ shared * 3 + torch.randn(count, 4000, generator=rng)

    canaries, others, background = made(40), made(60), made(60)
    inside = torch.arange(40) % 2 == 0
    released = canaries[inside].sum(0) + others.sum(0) + torch.randn(4000, generator=rng)
    swapped = canaries[~inside].sum(0) + others.sum(0)
    known = torch.cat([canaries, background]).half()
    seen = gradient_attack.products(known, torch.stack([released, swapped]))  # two steps
    found, of_others = gradient_attack.scores(gradient_attack.products(known, known), seen)[:, :40]
    assert attack.auc(found, inside.numpy()).value > 0.95
    assert attack.auc(of_others, inside.numpy()).value < 0.05
    naive = (canaries @ released).numpy()  # what all records share drowns it
    assert attack.auc(naive, inside.numpy()).value < 0.8


def test_products_of_gradients_are_those_of_the_whole_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = torch.Generator().manual_seed(0)
    one, other = torch.randn(5, 70, generator=rng).half(), torch.randn(3, 70, generator=rng)
    monkeypatch.setattr(gradient_attack, "COLUMNS_AT_ONCE", 32)
    np.testing.assert_allclose(
        gradient_attack.products(one, other), (one.double() @ other.double().T).numpy(), rtol=1e-5
    )


def test_scores_of_steps_are_compared_step_by_step_and_one_loud_step_tells() -> None:
    planting = plant(30, {5: 2})
    rng = np.random.default_rng(0)
    quiet = rng.normal(0, 1, (3, len(planting.everyone)))
    quiet[1] = 100 * quiet[1] + 7  # another unit at another step: it does not drown the others
    np.testing.assert_allclose(planting.relative(quiet[:1])[1], planting.relative(quiet[0])[1])
    loud = quiet.copy()
    loud[2, 4] += 50  # the fifth single canary joined the last step
    before, after = planting.relative(quiet)[1], planting.relative(loud)[1]
    assert np.argmax(after) == 4 and np.delete(after, 4) == pytest.approx(np.delete(before, 4))
    assert after[4] == pytest.approx(planting.relative(loud[2])[1][4] - np.log(3), abs=0.1)  # no mean over its steps


def test_released_gradients_give_repeated_canaries_away_without_noise_and_not_with_it(tmp_path: Path) -> None:
    planting = plant(6, {20: 24})
    train, background = planting.insert(corpus()), corpus(30)
    inside, found, known, starts = coins(planting.repeated[0].canaries), {}, {}, []
    for name, noise in (("without", None), ("with", 0.5)):
        one = arm(steps=1, target_epsilon=noise, expected_batch=200.0, max_tokens=60)
        trained = lora_audit.retrain(
            one, train, Ledger("record", len(train), 1e-3), tmp_path / name, lambda progress: None,
            asked=[c.record for c in planting.everyone], background=background, known=known,
        )  # fmt: skip
        starts.append(trained.known)
        found[name] = attack.auc(planting.relative(trained.gradient_scores())[20], inside).value
    assert starts[0] is starts[1]  # both start from the same adapters: computed once
    assert found["without"] > 0.9 and found["with"] < 0.85


def test_what_steps_released_is_kept_for_a_training_that_goes_on(tmp_path: Path) -> None:
    train, asked = corpus(), [canary.record for canary in plant().everyone[:4]]

    def trained(on_step: Callable[[dp_lora.Progress], None] = lambda progress: None) -> lora_audit.Retrained:
        ledger, one = Ledger("record", len(train), 1e-3), arm(steps=3, expected_batch=8.0, checkpoint_every=1)
        return lora_audit.retrain(one, train, ledger, tmp_path, on_step, asked=asked)

    def stop(progress: dp_lora.Progress) -> None:
        if progress.step == 3:  # before its checkpoint
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(stop)
    first = np.load(tmp_path / lora_audit.RELEASED)[:, :2]
    resumed = trained()
    assert np.array_equal(resumed.released[:, :2], first) and resumed.gradient_scores().shape == (3, 4)
    assert (np.abs(resumed.released).sum(axis=0) > 0).all()


# --- Aug-PE


class Votes:
    """Two iterations of private evolution on a plane, 30 candidates each: no model, real votes."""

    def __init__(self, folder: Path, planting: Planted, noise: float | None, owners: bool = False):
        rng = np.random.default_rng(4)
        old = corpus()
        train = planting.insert(old)
        place = {c.record.text: rng.normal(0, 3, 2).astype(np.float32) for c in planting.everyone}
        vectors = np.stack([place.get(r.text, rng.normal(0, 3, 2).astype(np.float32)) for r in train])
        users = np.arange(len(train)) if owners else None
        voters = Voters(vectors, labels.cell_numbers(train, CELLS), users)
        settings = Settings(iterations=2, samples=10, noise_multiplier=noise)
        evolution = Evolution(
            None, None, voters, cells=CELLS, shares=np.array([0.5, 0.5]), catalogue=[], settings=settings, folder=folder
        )
        history = []
        for number in range(2):
            write_array(evolution._vectors(number), rng.normal(0, 3, (30, 2)).astype(np.float32))
            cells = [i % 2 for i in range(30)]
            made = Generation([""] * 30, [{}] * 30, cells, [None] * 30)
            clean = evolution_audit._votes(voters, np.load(evolution._vectors(number)), np.array(cells), 1)
            noisy = clean + rng.normal(0, noise or 0, 30)
            history.append(Iteration(number, made, noisy, np.arange(10)))
        self.run = evolution_audit.Evolved(evolution, history, noise)
        self.first, self.single = len(old), planting.single
        self.vectors = np.stack([place[c.record.text] for c in planting.single])

    def scores(self, **options) -> np.ndarray:
        return evolution_audit.vote_scores(self.run, self.single, self.vectors, first=self.first, **options)


@pytest.mark.parametrize("owners", [False, True], ids=["records", "users"])
def test_votes_without_noise_give_the_canaries_away(tmp_path: Path, owners: bool) -> None:
    planting = plant(24)
    votes = Votes(tmp_path, planting, None, owners)
    scores = votes.scores()
    assert attack.auc(scores, coins(planting.single)).value > 0.9  # some share a candidate: not 1
    assert scores.sum() == pytest.approx(coins(planting.single).sum(), abs=0.2)  # votes are counted, none is lost


def test_noise_hides_them_and_the_same_votes_without_it_are_the_planted_violation(tmp_path: Path) -> None:
    planting = plant(24)
    votes = Votes(tmp_path, planting, 50.0)
    inside = coins(planting.single)
    assert attack.auc(votes.scores(), inside).value < 0.8
    unnoised = votes.scores(noise=False)
    claim = {"claim": 0.2, "delta": 1e-5, "rng": np.random.default_rng(0)}
    assert attack.planted_control("votes", unnoised, planting.single, **claim).passed
    missed = attack.planted_control("votes", votes.scores(), planting.single, **claim)
    assert not missed.passed and "of a claimed 0.2" in missed.shown


# --- controls


def test_a_planted_claim_of_copies_is_that_of_their_group() -> None:
    group = plant(30, {8: 60}).repeated[0]
    inside = coins(group.canaries)
    given = {"claim": 1.0, "delta": 1e-5, "rng": np.random.default_rng(0), "copies": 8}
    control = attack.planted_control("loss", inside.astype(float), group.canaries, **given)
    assert control.passed and "a group of 8 identical records" in control.shown
    mute = attack.planted_control("loss", np.zeros(60), group.canaries, **given)
    assert not mute.passed
    with pytest.raises(DoppelError, match="lower it"):
        attack.planted_control("loss", np.zeros(60), group.canaries, **given | {"claim": 40.0})


# --- pre-flight


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ("control=eps9", "control = 'eps9'"),
        ("control=null", "an arm of 11_generate needs one"),
        ("control=aug_pe", "must be an input of 11_generate"),
        ("copies=[10]", "one number for each of copies"),
        ("bounded=[lose]", "'lose' is no score"),
        ("inputs={corpus: 00_process_data}", "names no arm"),
        ("inputs={corpus: 00_process_data, a: 10_finetune_dp_lora.eps8}", "is no arm"),
    ],
)
def test_pre_flight_refuses(change: str, match: str) -> None:
    with pytest.raises(DoppelError, match=match):
        preflight.preflight("test", "test", [f"20_canary_privacy.{change}"])
