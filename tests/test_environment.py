"""What the user has set for other programs, and what lies in the current directory, changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import keras
import pytest

from gandist import environment, load_job, models, run
from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.errors import UsageError
from gandist.models import dcgan
from tests.conftest import CommandLine

pytestmark = pytest.mark.usefixtures("devices")

JOB = {
    "name": "tiny",
    "data": {"name": "digits", "batch_size": 8},
    "model": {"name": "dcgan", "width": 2, "kernel_size": 3, "latent_dim": 4},
    "training": {"steps": 3, "generator_ema": 0.3},
    "evaluation": {"every_steps": 3, "samples": 100},
    "samples": {"every_steps": 3, "rows": 2, "columns": 2},
    "resources": {"gpus": 0, "cpus": 1},
    "seeds": [0],
}

HOSTILE = {
    "KERAS_BACKEND": "torch",
    "KERAS_MAX_EPOCHS": "some",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
    "XLA_FLAGS": "--nonsense",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_USE_LEGACY_KERAS": "1",
    "TF_NUM_INTEROP_THREADS": "4",
    "TF_CONFIG": '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}',
    "NVIDIA_TF32_OVERRIDE": "0",
    "OMP_NUM_THREADS": "3",
    "OPENBLAS_CORETYPE": "Prescott",
    "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "MPLCONFIGDIR": "/proc/no/such/place",
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONIOENCODING": "ascii",
    "PYTHONWARNINGS": "error",
    "PYTHONHASHSEED": "7",
    "CUDA_VISIBLE_DEVICES": "none of them",
}
KERAS_JSON = {"backend": "jax", "floatx": "float64", "epsilon": 1e-3, "image_data_format": "channels_first"}

SHADOWED = ("keras", "numpy", "ray", "yaml", "typer", "tensorflow", "matplotlib", "conftest", "sitecustomize")


def variables(home: Path, **others: str) -> dict[str, str]:
    """An environment with nothing in it but a path, a home, and what is given."""
    caches = {name: os.environ[name] for name in ("GANDIST_CACHE_DIR", "RAY_TMPDIR") if name in os.environ}
    return {"PATH": os.environ["PATH"], "HOME": str(home), **caches, **others}


def gandist(*arguments: str, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """As the console script runs: without the current directory on the path."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "gandist", *arguments],
        cwd=cwd,
        env=env,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> JobDir:
    """A job that ran where nothing was set: the variables of this process are gandist's own."""
    folder = tmp_path_factory.mktemp("clean")
    (folder / "job.yaml").write_text(json.dumps(JOB))
    ran = run(load_job(folder / "job.yaml"), folder / "runs", local=True)
    assert ran.counts == {"completed": 1}
    return JobDir(ran.root)


@pytest.fixture
def hostile(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A directory full of modules that must not run, with a job file; an environment that means harm."""
    folder, home = tmp_path / "here", tmp_path / "home"
    (home / ".keras").mkdir(parents=True)
    (home / ".keras" / "keras.json").write_text(json.dumps(KERAS_JSON))
    folder.mkdir()
    for name in SHADOWED:
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write('{name} ')\n")
    (folder / "matplotlibrc").write_bytes(b"\xff\xfe: 1\n")
    (folder / "job.yaml").write_text(json.dumps(JOB))
    return folder, variables(home, **HOSTILE)


def what_ran(folder: Path) -> str:
    ran = folder.parent / "ran"
    return ran.read_text() if ran.exists() else ""


def same_bits(job: JobDir, other: JobDir) -> None:
    def of(job: JobDir) -> list[object]:
        trial = job.trial("base-seed0")
        parts = [trial.storage.read(path) for _, _, path in trial.losses_parts()]
        losses = [tables.decode_losses(part, "part").drop(["wall_time"]).to_pydict() for part in parts]
        model = keras.models.load_model(trial.storage.where(TrialDir.GENERATOR))
        metrics = tables.decode(trial.storage.read("metrics.parquet"), tables.METRICS, "metrics")
        weights = [variable.numpy().tobytes() for variable in model.variables]
        return [losses, weights, metrics["value"].to_pylist()]

    for found, expected in zip(of(job), of(other), strict=True):
        assert found == expected


@pytest.mark.parametrize("where", [["--local"], pytest.param([], marks=[pytest.mark.ray, pytest.mark.slow])])
def test_a_run_has_the_same_bits_whatever_is_set_and_runs_nothing_that_lies_there(
    where: list[str], hostile: tuple[Path, dict[str, str]], clean: JobDir
) -> None:
    folder, env = hostile
    ended = gandist("run", "job.yaml", *where, cwd=folder, env=env)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    assert what_ran(folder) == ""
    same_bits(JobDir(str(folder / "runs" / "tiny")), clean)


@pytest.mark.parametrize(
    "command",
    [
        ["report", "{job}"],
        ["sample", "{job}", "--n", "4", "--out", "out.npy"],
        pytest.param(["validate", "job.yaml"], marks=pytest.mark.slow),  # starts TensorFlow as sample does
    ],
    ids=lambda command: command[0],
)
def test_every_command_does_the_same(
    command: list[str],
    hostile: tuple[Path, dict[str, str]],
    clean: JobDir,
    command_line: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def made(cwd: Path) -> tuple[list[str], list[bytes]]:
        curves = Path(clean.root, JobDir.REPORT).read_text(encoding="utf-8").split("<svg")[1:]
        return [curve.split("</svg>")[0] for curve in curves], [
            path.read_bytes() for path in cwd.glob("out.npy")
        ]

    folder, env = hostile
    cwd = Path(clean.root).parents[1]
    monkeypatch.chdir(cwd)
    arguments = [word.format(job=clean.root) for word in command]
    code, out, err = command_line(*arguments)
    assert (code, err) == (0, [])
    expected = made(cwd)
    ended = gandist(*arguments, cwd=folder, env=env)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == out
    assert made(folder) == expected
    assert what_ran(folder) == ""


class TestTheCurrentDirectory:
    def test_is_not_on_the_path_of_python_m(self, hostile: tuple[Path, dict[str, str]]) -> None:
        folder, env = hostile
        ended = subprocess.run(
            [sys.executable, "-m", "gandist", "--version"],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
        )
        assert (ended.returncode, ended.stderr, what_ran(folder)) == (0, "", "")

    @pytest.mark.parametrize(
        ("given", "honoured"),
        [
            (["", "{other}"], ["{other}"]),
            (["."], []),
            (["{other}", "./", "{other}/../here"], ["{other}", "{here}"]),
            (["lib"], ["{here}/lib"]),
            (["{here}"], ["{here}"]),
        ],
    )
    def test_is_honoured_in_pythonpath_only_by_its_full_path(
        self, given: list[str], honoured: list[str], tmp_path: Path
    ) -> None:
        here, other = tmp_path / "here", tmp_path / "other"
        for folder in (here / "lib", other):
            folder.mkdir(parents=True)
        names = {"here": here, "other": other}
        env = variables(tmp_path, PYTHONPATH=os.pathsep.join(entry.format(**names) for entry in given))
        code = (
            "import sys, os; from gandist import environment; environment.take_over(); "
            "library = sys.path.index(os.path.dirname(os.__file__)); "
            "print([sys.path[:library - 1], os.environ.get('PYTHONPATH')])"  # -1: the library as a zip
        )
        ended = subprocess.run(
            [sys.executable, "-c", code], cwd=here, env=env, capture_output=True, text=True, check=True
        )
        expected = [entry.format(**names) for entry in honoured]
        assert ended.stdout.strip() == str([expected, os.pathsep.join(expected) or None])

    def test_may_be_gone(self, tmp_path: Path) -> None:
        gone = tmp_path / "gone"
        gone.mkdir()
        script = (
            f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); "
            "from gandist.__main__ import main; main()"
        )
        command = [sys.executable, "-P", "-c", script, "--version"]
        ended = subprocess.run(command, env=variables(tmp_path), capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stderr) == (0, "")


class TestAsALibrary:
    def test_what_tensorflow_has_read_already_is_refused_by_its_name(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "tensorflow", ModuleType("tensorflow"))
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
        with pytest.raises(UsageError, match=r"^TF_ENABLE_ONEDNN_OPTS=0: .*unset it.*$"):
            environment.pin()

    def test_a_notebooks_backend_is_left_to_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MPLBACKEND", "svg")
        monkeypatch.setenv("TF_SOMETHING", "1")
        environment.pin()
        assert os.environ["MPLBACKEND"] == "svg"
        assert "TF_SOMETHING" not in os.environ

    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("floatx", "float64"),
            ("image_data_format", "channels_first"),
            ("epsilon", 1e-3),
            ("dtype_policy", "mixed_float16"),
        ],
    )
    def test_keras_with_other_settings_is_refused(self, setting: str, value: object) -> None:
        before = getattr(keras.config, setting)()
        change = getattr(keras.config, f"set_{setting}")
        change(value)
        try:
            with pytest.raises(UsageError, match=rf"^Keras: {setting} is {value} in this process.*$"):
                models.build_generator(dcgan.Options(), (28, 28, 1))
        finally:
            change(before)
            keras.config.set_dtype_policy("float32")  # asking for it has fixed it
