"""The table says what the report's answer says, in LaTeX that a stranger's names cannot break."""

from __future__ import annotations

import re
from pathlib import Path

from gandist.artifacts.job_dir import JobDir
from gandist.export import latex
from gandist.report import read_content
from gandist.report.evaluations import measured
from tests.export.conftest import make_evaluated_job
from tests.report.conftest import make_finished_job
from tests.report.sweep import BEST, UNSTABLE


def test_configurations_stand_in_the_order_of_the_answer_with_intervals_and_p(sweep: JobDir) -> None:
    written = latex.prepare(sweep)()
    lines = [line.strip() for line in written.splitlines()]
    assert "Configuration & Seeds & frechet (pixels) & recall (pixels) & p \\\\" in lines
    rows = [line for line in lines if line.startswith("learning")]
    best = BEST.replace("_", r"\_")
    assert rows[0] == rf"{best} & 2 & 16.8 [16.0, 17.6] & 0.641 [0.630, 0.652] & -- \\"
    assert rows[-1].startswith(UNSTABLE[0].replace("_", r"\_") + " & 2 (1 failed) & failed [")
    assert len(rows) == len(read_content(sweep).merged.configs)
    assert all(row.endswith(r"& 1 \\") for row in rows[1:])  # two seeds tell nothing
    assert r"95\% confidence intervals (range of under six seeds)" in written


def test_without_metrics_it_has_the_final_losses(tmp_path: Path) -> None:
    written = latex.prepare(make_finished_job(tmp_path))()
    assert r"Configuration & Seeds & Discriminator loss & Generator loss \\" in written
    assert re.search(r"slow & 2 & 1\.\d+ \$\\pm\$ 0\.\d+ & ", written)
    assert "fast & 2 (1 failed) & " in written


def test_signs_of_latex_are_escaped(tmp_path: Path) -> None:
    name = r"50% & $x$ #1 \input{/etc/passwd} a_b ~^"
    written = latex.prepare(make_evaluated_job(tmp_path, job={"name": name}))()
    (caption,) = (line for line in written.splitlines() if "caption" in line)
    assert r"50\% \& \$x\$ \#1 \textbackslash{}input\{/etc/passwd\} a\_b \textasciitilde{}" in caption
    (label,) = (line.strip() for line in written.splitlines() if "label" in line)
    assert label == r"\label{tab:50-x-1-input-etc-passwd-a-b}"


def test_a_metric_that_real_images_have_too_names_what_they_have(tmp_path: Path) -> None:
    job_dir = make_evaluated_job(tmp_path, floor=2.5)
    assert [metric.floor for metric in measured(read_content(job_dir).merged)] == [2.5]
    assert "frechet (pixels): lower is better; real images have 2.5." in latex.prepare(job_dir)()
