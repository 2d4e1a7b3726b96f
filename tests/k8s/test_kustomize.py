"""The kustomizations themselves, without kustomize: what they name exists, and every patch has its target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.k8s.manifests import K8S, KUSTOMIZATIONS, Document, documents, name_of, rendered


def read(folder: Path) -> Document:
    return documents((folder / "kustomization.yaml").read_text())[0]


def files(folder: Path) -> set[Path]:
    """Return the files that a kustomization names, those of the folders it builds on left out."""
    values = read(folder)
    named = [name for key in ("resources", "components") for name in values.get(key, [])]
    named += [patch["path"] for patch in values.get("patches", []) if "path" in patch]
    return {(folder / name).resolve() for name in named}


def resources(folder: Path) -> list[Document]:
    """Return the manifests below a kustomization, as they lie there."""
    found = []
    for name in read(folder).get("resources", []):
        path = folder / name
        found += resources(path) if path.is_dir() else documents(path.read_text())
    return found


def operations(folder: Path) -> list[tuple[Document, list[Document]]]:
    """Return the patches of a kustomization: target, and operations of JSON Patch (RFC 6902)."""
    return [
        (patch["target"], yaml.safe_load(patch.get("patch") or (folder / patch["path"]).read_text()))
        for patch in read(folder).get("patches", [])
    ]


def at(document: Any, pointer: str) -> Any:
    """Return what a JSON Pointer (RFC 6901) points to; KeyError or IndexError where there is nothing."""
    for part in pointer.split("/")[1:]:
        document = document[int(part) if isinstance(document, list) else part.replace("~1", "/").replace("~0", "~")]
    return document


@pytest.mark.parametrize("folder", KUSTOMIZATIONS, ids=name_of)
def test_what_a_kustomization_names_exists(folder: Path) -> None:
    for path in files(folder):
        assert path.is_file() or (path / "kustomization.yaml").is_file(), path


def test_every_file_is_used() -> None:
    used = set().union(*map(files, KUSTOMIZATIONS)) | {folder / "kustomization.yaml" for folder in KUSTOMIZATIONS}
    assert set(K8S.rglob("*.yaml")) <= used


@pytest.mark.parametrize("folder", KUSTOMIZATIONS, ids=name_of)
def test_patches_have_their_targets(folder: Path) -> None:
    for target, patch in operations(folder):
        matching = [document for document in resources(folder) if document["kind"] == target["kind"]]
        assert len(matching) == 1, target
        for operation in patch:
            found = at(matching[0], operation["path"])
            if operation["op"] == "test":
                assert found == operation["value"]


def test_rendering_does_what_the_patches_say() -> None:
    (job,) = [document for document in rendered(K8S / "overlays" / "job-cpu") if document["kind"] == "RayJob"]
    assert [group["groupName"] for group in job["spec"]["rayClusterSpec"]["workerGroupSpecs"]] == ["cpu"]
    assert "jobs/quickstart.toml" in job["spec"]["entrypoint"]
    s3 = rendered(K8S / "overlays" / "job-cpu-s3")
    (settings,) = [document["data"] for document in s3 if document["kind"] == "ConfigMap"]
    assert set(settings) == {"AEBENCH_DATA", "XDG_CACHE_HOME", "AWS_REGION"}
