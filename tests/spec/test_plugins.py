"""Plug-ins: what is one, what a job with one says of itself, and who lets its code run."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gandist.errors import SpecError, UsageError
from gandist.spec.continuation import differences
from gandist.spec.loading import json_schema, load_job
from gandist.spec.plugins import Sent, described, use
from gandist.spec.variants import Kind, held, in_use
from tests.plugins import write_example

JOB: dict[str, Any] = {
    "name": "j",
    "data": {"name": "digits"},
    "model": {"name": "mlp"},
    "training": {"steps": 1},
}


@pytest.fixture(autouse=True)
def none_stays_in_use() -> Iterator[None]:
    yield
    use(())


@pytest.fixture
def imported(tmp_path: Path) -> Path:
    """Is there as soon as the code of ``example`` has run."""
    return tmp_path / "imported"


@pytest.fixture
def example(tmp_path: Path, imported: Path) -> tuple[Path, Path]:
    return write_example(tmp_path / "own", imported)


def plugin(folder: Path, source: str, name: str = "my.py") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(source)
    return path


def refusal(*plugins: Path | str, job: Any = JOB) -> str:
    with pytest.raises(UsageError) as refused:
        load_job(job, plugins=plugins)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def version(file: Path) -> str:
    return f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"


def test_the_example_of_the_documentation_is_a_job(example: tuple[Path, Path]) -> None:
    job_file, file = example
    job = load_job(job_file, plugins=[file])
    trial = job.trials[0]
    assert (trial.loss.name, trial.model.name, trial.evaluation and trial.evaluation.metrics) == (
        "squared_hinge",
        "one_layer",
        ("brightness",),
    )
    assert job.spec.plugins == trial.plugins == {"own_variants": version(file)}


def test_its_sections_are_checked_as_all_are(example: tuple[Path, Path]) -> None:
    job_file, file = example
    with pytest.raises(SpecError) as refused:
        load_job(
            job_file, ["loss.name=squared_hing", "model.widht=3", "evaluation.metrics=[brightnes]"], [file]
        )
    assert refused.value.problems == [
        "--set model.widht=3: unknown key; allowed here: name, latent_dim, conditional, embedding_dim, "
        "class_conditioning, classifier_weight, spectral_norm, minibatch_std, packing, width "
        "(did you mean width?)",
        '--set loss.name=squared_hing: "squared_hing" is unknown; choose hinge, least_squares, minimax, '
        "non_saturating, relativistic, squared_hinge or wasserstein (did you mean squared_hinge?)",
        '--set evaluation.metrics=[brightnes]: evaluation.metrics.0: "brightnes" is unknown; choose '
        "conditional_accuracy, discriminator_gap, frechet, kid, memorization, modes, prdc or brightness "
        "(did you mean brightness?)",
    ]


def test_what_is_not_allowed_is_not_known(example: tuple[Path, Path], imported: Path) -> None:
    job_file, file = example
    load_job(job_file, plugins=[file])
    imported.unlink()
    with pytest.raises(SpecError, match=r"choose hinge, .*, relativistic or wasserstein"):
        load_job(job_file)
    assert "squared_hinge" not in json.dumps(json_schema())
    assert not imported.exists()


def test_a_job_that_names_one_does_not_make_it_run(example: tuple[Path, Path], imported: Path) -> None:
    resolved = {**yaml.safe_load(example[0].read_text()), "plugins": {"own_variants": version(example[1])}}
    assert refusal(job=resolved) == (
        f"job: needs the plug-in own_variants ({version(example[1])}): code, which runs only where it is "
        "allowed; if you trust it, add --plugin own_variants.py"
    )
    assert "own_variants (any version)" in refusal(job={**resolved, "plugins": {"own_variants": None}})
    assert not imported.exists()


def test_one_that_has_changed_is_not_the_one_that_was_used(
    example: tuple[Path, Path], imported: Path
) -> None:
    job_file, file = example
    before = load_job(job_file, plugins=[file])
    imported.unlink()
    old = version(file)
    file.write_text(file.read_text() + "\n# changed\n")
    resolved = before.spec.model_dump(mode="json")
    assert refusal(file, job=resolved) == (
        f"job: needs the plug-in own_variants as {old}; the one given is {version(file)}"
    )
    assert not imported.exists(), "it is compared before it is run"
    after = load_job(job_file, plugins=[file])
    assert before.trials[0].identity() != after.trials[0].identity()
    found = differences(before.trials[0].model_dump(mode="json"), after.trials[0])
    assert found == [f"plugins.own_variants: {old} -> {version(file)}"]


def test_one_that_only_measures_may_change(tmp_path: Path) -> None:
    source = (
        "from gandist.metrics import Metric\n"
        "class Mine(Metric):\n    name = 'mine'\n    def measure(self, sets): return []\n"
    )
    job = {**JOB, "evaluation": {"metrics": ["mine"]}}
    first = load_job(job, plugins=[plugin(tmp_path / "a", source)])
    second = load_job(job, plugins=[plugin(tmp_path / "b", source + "# changed\n")])
    assert first.trials[0].identity() == second.trials[0].identity()
    assert first.spec.plugins != second.spec.plugins


def test_without_one_nothing_is_said_of_them() -> None:
    job = load_job(JOB)
    assert "plugins" not in job.spec.model_dump(mode="json")
    assert "plugins" not in job.trials[0].model_dump(mode="json")


EVERY_KIND = '''
from typing import Literal
from gandist.augmentations import Augmentation
from gandist.constraints import Constraint
from gandist.data import DataOptions
from gandist.features import FeatureOptions
from gandist.losses import LossOptions
from gandist.metrics import Metric
from gandist.models import ModelOptions
from gandist.optimizers import OptimizerOptions
from gandist.regularizers import Regularizer
from gandist.updates import Update

class Augmented(Augmentation):
    name: Literal["own"] = "own"
    def apply(self, images, randomness, state): ...

class Constrained(Constraint):
    name = "own"
    def constrained(self, weight): ...

class Data(DataOptions):
    name: Literal["own"] = "own"
    def load(self, data_dir, tell): ...

class Features(FeatureOptions):
    name: Literal["own"] = "own"
    def load(self, dataset, tell): ...

class Loss(LossOptions):
    name: Literal["own"] = "own"
    def discriminator(self, real_logits, fake_logits): ...
    def generator(self, fake_logits, real_logits): ...

class Measured(Metric):
    name = "own"
    def measure(self, sets): ...

class Model(ModelOptions):
    name: Literal["own"] = "own"
    def build_generator(self, image_shape, classes): ...
    def build_discriminator(self, image_shape, classes): ...

class Optimizer(OptimizerOptions):
    name: Literal["own"] = "own"
    def update(self, learning_rate, count, clock, every=1): ...

class _Shared(Regularizer):
    def strength(self, clock): ...

class Regularized(_Shared):
    """Kept small."""
    name = "own"
    weight: float = 1.0
    def per_sample(self, given, state): ...

class Rule(Update):
    name = "own"
    def step(self, gan, batch, randomness, clock): ...
'''


def test_there_may_be_one_of_each_kind(tmp_path: Path) -> None:
    sections = {name: {"name": "own"} for name in ("data", "model", "loss", "optimizer", "augmentation")}
    parts = {"regularizers": {"own": {"weight": 2.0}}, "constraints": {"own": {}}}
    job = {
        **{"name": "j", **sections, **parts},
        "training": {"steps": 1, "update": "own"},
        "evaluation": {"metrics": ["own"], "features": "own", "select": "own"},
    }
    (trial,) = load_job(job, plugins=[plugin(tmp_path, EVERY_KIND)]).trials
    known = {name: set(kind) - set(kind.own) for name, kind in Kind.every.items()}
    assert known == {name: {"own"} for name in known}
    assert len(known) == 10
    assert trial.regularizers.own.weight == 2.0
    assert type(trial.training.rule).__name__ == "Rule"
    described = json_schema([plugin(tmp_path, EVERY_KIND)])["$defs"]["Regularizers"]["properties"]["own"]
    assert described["description"] == "Kept small."
    sent = Sent.of(trial)
    use(())
    assert pickle.loads(pickle.dumps(sent)).trial().identity() == trial.identity()  # noqa: S301 - as Ray does


HINGE = "from typing import Literal\nfrom gandist.losses import SeparableLoss\nclass Mine(SeparableLoss):\n"
NAMED = '    name: Literal["mine"] = "mine"\n'


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            "import nothing_like_it\n",
            "{}, line 1: ModuleNotFoundError: No module named 'nothing_like_it'; a plug-in",
        ),
        ("x = 1\ny = 1 / 0\n", "{}, line 2: ZeroDivisionError: division by zero"),
        ("x = (\n", "{}, line 1: SyntaxError: '(' was never closed"),
        ("raise SystemExit('no')\n", "{}, line 1: SystemExit: no"),
        ("x = 1\n", "{}: defines no variant: a class that extends one of "),
        (
            HINGE + NAMED,
            "{}, line 3: class Mine: has no discriminator_fake and no discriminator_real and no generator",
        ),
        (HINGE + NAMED + "    margin = 1.0\n", "{}, line 3: PydanticUserError: A non-annotated attribute"),
        (
            EVERY_KIND.replace('"own"', '"hinge"'),
            "{}, line 30: class Loss: hinge is one of the losses of gandist; ",
        ),
        (
            EVERY_KIND.replace('"own"', '"Own"'),
            "{}, line 14: class Augmented: has no name of small",
        ),
        (
            EVERY_KIND.replace("def build_gen", "def make_gen"),
            "{}, line 39: class Model: has no build_generator; see",
        ),
        (
            "import sys, types\nsys.modules['tensorflow'] = types\n",
            "{}: imports TensorFlow or Keras at its top; ",
        ),
    ],
)
def test_one_that_is_none_is_told_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, told: str
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # type: ignore[arg-type]  # is set back at the end
    monkeypatch.delitem(sys.modules, "tensorflow")
    file = plugin(tmp_path, source)
    assert refusal(file).startswith(told.format(file))
    assert in_use().plugins == ()


def test_what_one_raises_later_is_told_with_its_line(tmp_path: Path) -> None:
    file = plugin(
        tmp_path, EVERY_KIND.replace("def load(self, data_dir, tell): ...", "def load(self): return 1 / 0")
    )
    (trial,) = load_job({**JOB, "data": {"name": "own"}}, plugins=[file]).trials
    with pytest.raises(ZeroDivisionError) as raised:
        trial.data.load()  # type: ignore[attr-defined]
    assert described(raised.value) == f"{file}, line 24: ZeroDivisionError: division by zero"
    assert described(ValueError("elsewhere")) == "ValueError: elsewhere"


def test_two_may_not_have_one_name(tmp_path: Path) -> None:
    one, other = plugin(tmp_path, EVERY_KIND), plugin(tmp_path, EVERY_KIND, "other.py")
    assert refusal(one, one) == "--plugin my: two have this name; give each once, or rename one"
    assert re.search(
        r"other.py, line \d+: class \w+: own is one of the \w+ of my; choose another", refusal(one, other)
    )


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no.py") == f"--plugin {tmp_path / 'no.py'}: No such file or directory"
    assert "give a file named by letters" in refusal(tmp_path / "a b.py")
    assert "give a .py file, or what an installed package offers" in refusal("no_such_package")
    (tmp_path / "big.py").write_bytes(b"#" * 1_000_001)
    assert "larger than 1 MB" in refusal(tmp_path / "big.py")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed package that offers ``EVERY_KIND``; the folder of what is installed."""
    (tmp_path / "our_gans").mkdir()
    (tmp_path / "our_gans" / "__init__.py").touch()
    (tmp_path / "our_gans" / "variants.py").write_text(EVERY_KIND)
    about = tmp_path / "our_gans-1.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: our-gans\nVersion: 1.2\n")
    (about / "entry_points.txt").write_text("[gandist.plugins]\nours = our_gans.variants\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "our_gans"]:
        del sys.modules[name]


@pytest.mark.usefixtures("package")
def test_what_a_package_offers_is_imported_only_if_named() -> None:
    load_job(JOB)
    assert "our_gans" not in sys.modules
    job = load_job({**JOB, "loss": {"name": "own"}}, plugins=["ours"])
    assert job.trials[0].plugins == {"ours": "our-gans 1.2"}


def test_another_version_of_a_package_is_not_the_one_of_the_job(package: Path) -> None:
    (trial,) = load_job({**JOB, "loss": {"name": "own"}}, plugins=["ours"]).trials
    sent = Sent.of(trial)
    sent = Sent(sent.id, sent.values, tuple(type(it)(it.name, "our-gans 1.1") for it in sent.plugins))
    with pytest.raises(UsageError, match=r"our-gans 1\.2 is installed here; the job needs our-gans 1\.1"):
        sent.trial()


def test_a_job_that_runs_keeps_its_plugins(example: tuple[Path, Path]) -> None:
    job_file, file = example
    load_job(job_file, plugins=[file])
    with (
        held(),
        pytest.raises(UsageError, match=r"a job with other plug-ins \(own_variants\) runs in this process"),
    ):
        load_job(JOB)
    assert load_job(JOB).plugins == ()


def test_the_schema_has_what_is_allowed(example: tuple[Path, Path]) -> None:
    definitions = json.dumps(json_schema([example[1]]))
    assert '"squared_hinge"' in definitions
    assert '"brightness"' in definitions


def test_checking_one_loads_no_tensorflow(example: tuple[Path, Path]) -> None:
    code = (
        "import sys; from gandist.spec.loading import load_job; "
        f"load_job({str(example[0])!r}, plugins=[{str(example[1])!r}]); "
        "print([name for name in ('tensorflow', 'keras', 'ray') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
