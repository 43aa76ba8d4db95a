"""A loss, a model and a metric outside the package: trained, continued, reported, sampled, evaluated.

The first test trains; the others look at what it has left.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import gandist
from gandist.artifacts.job_dir import JobDir
from gandist.errors import UsageError
from gandist.sampling.generators import read_trial
from gandist.spec import plugins
from tests.conftest import CommandLine
from tests.faults.fingerprint import differences, fingerprint
from tests.plugins import write_example

A = "base-seed0"
SET = ["seeds=0", "training.steps=20", "samples.every_steps=10", "checkpoint.every_steps=10"]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, devices: None) -> Path:
    """A folder with the example of the documentation, trained, in ``runs/own``."""
    folder = tmp_path_factory.mktemp("own")
    job_file, file = write_example(folder, folder / "imported")
    job = gandist.load_job(job_file, SET, [file])
    assert gandist.run(job, folder / "runs", local=True).exit_code == 0
    return folder


@pytest.fixture(autouse=True)
def as_in_a_new_process(own: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is in use, what was loaded is forgotten, and ``imported`` is there when it is loaded again."""
    plugins.use(())
    plugins._variants.cache_clear()
    (own / "imported").unlink(missing_ok=True)
    monkeypatch.chdir(own)
    yield
    plugins.use(())


def sha(file: Path) -> str:
    return f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"


def changed(own: Path) -> Path:
    """Another version of the plug-in."""
    (own / "changed").mkdir(exist_ok=True)
    file = own / "changed" / "own_variants.py"
    file.write_text((own / "own_variants.py").read_text() + "# changed\n")
    return file


def test_it_trains_and_is_recorded(own: Path) -> None:
    job_dir, version = JobDir(str(own / "runs" / "own")), sha(own / "own_variants.py")
    assert job_dir.trial(A).read_state().status == "completed"
    for named in (job_dir.read_manifest().plugins, job_dir.read_job()["plugins"]):
        assert named == {"own_variants": version}
    copy = own / "runs" / "own" / "plugins" / version.removeprefix("sha256:") / "own_variants.py"
    assert sha(copy) == version
    (row,) = job_dir.trial(A).read_metrics()
    assert row["metric"] == "brightness"
    assert f"brightness of own_variants {version}" in row["protocol"]


def test_it_goes_on_with_the_same_bits(own: Path) -> None:
    job_file, file = own / "own.yaml", own / "own_variants.py"
    for steps in (10, 20):
        job = gandist.load_job(job_file, [*SET, f"training.steps={steps}"], [file])
        gandist.run(job, own / "again", local=True)
        plugins.use(())
        plugins._variants.cache_clear()
    assert JobDir(str(own / "again" / "own")).trial(A).read_state().step == 20
    roots = [JobDir(str(own / name / "own")) for name in ("again", "runs")]
    assert differences(*map(fingerprint, roots)) == {}


def test_it_does_not_go_on_with_another_file(own: Path, command_line: CommandLine) -> None:
    job = ["own.yaml", "--local", *(word for change in SET for word in ("--set", change))]
    code, _, err = command_line("run", *job, "--plugin", str(changed(own)))
    assert code == 2
    told = f"  {A}: plugins.own_variants: {sha(own / 'own_variants.py')} -> {sha(changed(own))}"
    assert told in err
    assert "--fresh" in err[-1]


@pytest.mark.parametrize(
    "command", ["report runs/own", "status runs/own", "jobs runs", "fetch runs/own copy"]
)
def test_reading_needs_none_and_loads_none(own: Path, command_line: CommandLine, command: str) -> None:
    code, _, err = command_line(*command.split())
    assert (code, err) == (0, [])
    assert not (own / "imported").exists()


def test_the_report_names_it_and_ranks_by_its_metric(own: Path) -> None:
    results = gandist.open(own / "runs" / "own")
    assert results.verdict().startswith("base: brightness ")
    page = Path(results.report()).read_text()
    assert f"own_variants ({sha(own / 'own_variants.py')})" in page
    assert "squared_hinge" in page


@pytest.mark.parametrize(
    "command", ["sample runs/own --out a.png", "evaluate runs/own", "run runs/own/job.yaml --local"]
)
def test_what_needs_it_is_refused_without_permission(
    own: Path, command_line: CommandLine, command: str
) -> None:
    code, out, (line,) = command_line(*command.split())
    assert (code, out) == (2, [])
    assert f"needs the plug-in own_variants ({sha(own / 'own_variants.py')})" in line
    assert line.endswith("if you trust it, add --plugin own_variants.py")
    assert not (own / "imported").exists()
    code, out, (line,) = command_line(*command.split(), "--plugin", str(changed(own)))
    assert (code, out) == (2, [])
    assert f"as {sha(own / 'own_variants.py')}; the one given is {sha(changed(own))}" in line


def test_with_permission_images_are_drawn_and_measured(own: Path, command_line: CommandLine) -> None:
    code, out, _ = command_line("sample", "runs/own", "--out", "a.png", "--plugin", "own_variants.py")
    assert (code, out) == (0, [f"64 images from {A} at step 20: a.png"])
    code, out, _ = command_line("evaluate", "runs/own", "--plugin", "own_variants.py")
    assert (code, out[-1]) == (0, "0 rows added; gandist report runs/own shows them"), "the same value"
    assert (own / "imported").exists(), "so that the other tests can fail"
    generator = gandist.open("runs/own", plugins=["own_variants.py"]).trial(A).generator()
    assert generator.sample(2).shape == (2, 28, 28, 1)


def test_a_model_of_gandist_is_drawn_from_whatever_it_was_trained_with(own: Path) -> None:
    directory = JobDir(str(own / "runs" / "own")).trial(A)
    values = {**directory.read_trial(), "model": {"name": "mlp", "latent_dim": 5}}
    other = JobDir(str(own / "mlp")).trial(A)
    other.write_trial(values)
    assert read_trial(other, to_draw=True).model.latent_dim == 5
    with pytest.raises(UsageError, match="needs the plug-in own_variants"):
        read_trial(other)
