"""./run_all.sh release: what it packs, what it refuses, and which scorecard it takes."""

import shutil

import pytest
from support import release_world
from support.errors import refused
from support.release_world import ARM, AUDIT, TRAINING, metric

from lib.cli import release
from lib.stage import condition

finished, world = release_world.finished, release_world.world


def test_the_command_packs_and_refuses_what_the_gate_refuses(world, capsys):
    assert release.main([ARM, "--license", "mit"]) == 0
    assert f"./run_all.sh verify results/quick/release/{ARM}" in capsys.readouterr().out
    assert 'license: "mit"' in (world.pack / "README.md").read_text()
    shutil.rmtree(world.pack)
    for stage in (TRAINING, "../quick", "11_generat"):
        assert release.main([stage]) == 2
        printed = capsys.readouterr().err
        assert stage in printed and "nothing was written" in printed
    world.play(AUDIT, verdict="violated")
    assert release.main([ARM]) == 2 and "audit violated:" in capsys.readouterr().err
    assert not world.pack.exists()


@pytest.mark.parametrize(
    ("run", "stage", "code", "name", "remedy"),
    [
        ("quick", "11_generat", "cli.no_such_arm", "STAGE", "did you mean 11_generate?"),
        ("quik", ARM, "cli.no_such_run", "--run", "did you mean quick?"),
        ("quick", "../quick", "cli.not_a_name", "STAGE", ""),
        ("../quick", ARM, "cli.not_a_name", "--run", ""),
    ],
)
def test_a_run_or_arm_that_does_not_exist_is_refused_with_the_nearest_name(world, run, stage, code, name, remedy):
    with refused(code, name=name, value=run if name == "--run" else stage) as error:
        release._run(run, stage)
    assert remedy in error.value.remedy


def test_the_front_door_knows_the_command(project):
    arm = project.stage("11_generate.a", "quick")
    arm.mkdir(parents=True)
    ended = project.run("release", "11_generate.b")
    assert ended.returncode == 2 and "this run has no arm yet" in ended.stderr
    (arm / "synthetic.jsonl").touch()
    ended = project.run("release", "11_generate.b")
    assert ended.returncode == 2 and "11_generate.b" in ended.stderr and "did you mean 11_generate.a?" in ended.stderr
    assert "release STAGE" in project.run("--help").stdout


def test_a_scorecard_is_used_only_while_it_is_about_the_arms_as_they_are(world, capsys):
    def left_out() -> str:
        """Code of the reason that is printed for leaving the scorecard out."""
        assert release._scorecard(world.run) is None
        reason = condition.outdated(world.run, "30_compare")
        assert f"30_compare: {reason}\n" in capsys.readouterr().out
        return reason.code

    assert release._scorecard(world.run) is None and "no 30_compare" in capsys.readouterr().out
    arm = {"stage": ARM, "name": "mine", "metrics": [metric("distinct words")]}
    world.compare({"arms": [arm]})
    assert release._scorecard(world.run)["arms"] == [arm]
    (world.project.root / "notebooks" / "30_compare.ipynb").unlink()  # newer code changes no figures
    assert release._scorecard(world.run)["arms"] == [arm]
    path = world.run / "30_compare" / "scorecard.json"
    written = path.read_text()
    path.write_text(written.replace("0.625", "0.999"))
    assert left_out() == "stage.tampered"
    path.write_text(written)
    world.change_texts("synthetic", {0: "something else"})
    world.play(ARM)
    assert left_out() == "stage.made_from_another"
