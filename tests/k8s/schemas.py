"""Strict validation: what a schema does not know is a mistake, not something to be dropped silently."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from .manifests import LOADER, ROOT, Manifest, pods

CRDS = Path(os.environ.get("GANDIST_KUBERAY_CRDS", ROOT.parent / "shared" / "kuberay"))
KUBERNETES = ("1.30", "1.37")


def crd_problems(manifest: Manifest) -> list[str]:
    """What the CRD of a RayJob or a RayCluster does not allow, or would drop.

    ``x-kubernetes-validations`` are beyond JSON Schema; the operator checks the same, see operators.py.
    """
    validator = _crd_validator(f"{manifest['kind'].lower()}s.yaml")
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]


@functools.cache
def _crd_validator(file: str) -> Draft7Validator:
    if not (CRDS / file).is_file():
        pytest.skip(
            f"{CRDS / file}: no such file; GANDIST_KUBERAY_CRDS names a folder with the CRDs of KubeRay 1.7 "
            "(helm pull kuberay/kuberay-operator --version 1.7.0, its crds/)"
        )
    crd = yaml.load((CRDS / file).read_text(), Loader=LOADER)  # noqa: S506  a safe one
    (version,) = (version for version in crd["spec"]["versions"] if version["name"] == "v1")
    schema = _strict(version["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {}  # Kubernetes' own; core_problems sees to it
    return Draft7Validator(schema)


def _strict(schema: Any) -> Any:
    """The schema as the API server reads it with ``--validate=strict``."""
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _strict(part) for key, part in schema.items() if key != "properties"}
    if "properties" in schema:
        made["properties"] = {name: _strict(part) for name, part in schema["properties"].items()}
    if schema.get("type") == "object" and not schema.get("x-kubernetes-preserve-unknown-fields"):
        made.setdefault("additionalProperties", False)
    return made


def core_problems(manifest: Manifest, version: str) -> Iterator[str]:
    """What Kubernetes does not know: in its own resources, and in the pods of Ray's."""
    if manifest["apiVersion"] != "ray.io/v1":
        yield from _core(manifest, version)
        return
    bare = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": manifest["metadata"]}
    yield from _core(bare, version)
    for pod in pods(manifest):
        made = {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": pod.labels}, "spec": pod.spec}
        yield from (f"{pod.role}: {problem}" for problem in _core(made, version))


def _core(manifest: Manifest, version: str) -> Iterator[str]:
    validate = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate")
    try:
        validate.validate(manifest, version, strict=True)
    except validate.ValidationError as error:
        yield f"{manifest['kind']} {'.'.join(map(str, error.path))}: {error.message}"
