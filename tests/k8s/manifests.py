"""Reading what lies in k8s/: documents, rendered overlays, the pods in them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
K8S = ROOT / "k8s"

KUSTOMIZATIONS = sorted(path.parent for path in K8S.rglob("kustomization.yaml"))
APPLIED = [*sorted(path.parent for path in (K8S / "overlays").glob("*/kustomization.yaml")), K8S / "storage"]
"""What a user applies."""

Document = dict[str, Any]


def name_of(path: Path) -> str:
    """Name a file or folder below k8s/, as a test's id."""
    return path.relative_to(K8S).as_posix()


def documents(text: str) -> list[Document]:
    """Parse YAML documents, expanding anchors."""
    return [document for document in yaml.safe_load_all(text) if document]


def manifests() -> list[tuple[Path, Document]]:
    """Return every manifest as it lies there: what is no kustomization and no patch."""
    found = []
    for path in sorted(K8S.rglob("*.yaml")):
        for document in documents(path.read_text()):
            if isinstance(document, dict) and path.name != "kustomization.yaml":
                found.append((path, document))
    return found


def rendered(folder: Path) -> list[Document]:
    """Render a kustomization as ``kubectl apply -k`` does; skip the test where neither tool is there."""
    for command in ("kustomize build", "kubectl kustomize"):
        arguments = shlex.split(command)
        if shutil.which(arguments[0]):
            done = subprocess.run([*arguments, str(folder)], capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode == 0, done.stderr
            return documents(done.stdout)
    pytest.skip("neither kustomize nor kubectl is on the PATH")


def pods(document: Document) -> Iterator[tuple[str, Document]]:
    """Find the pod templates in a document, with the names of their places: submitter, head, groups of workers."""
    spec = document.get("spec", {})
    if document["kind"] == "Pod":
        yield "pod", document
    if "submitterPodTemplate" in spec:
        yield "submitter", spec["submitterPodTemplate"]
    cluster = ray_cluster(document)
    if cluster:
        yield "head", cluster["headGroupSpec"]["template"]
        for group in cluster["workerGroupSpecs"]:
            yield group["groupName"], group["template"]


def ray_cluster(document: Document) -> Document:
    """Return the specification of the Ray cluster in a RayCluster or RayJob, or nothing."""
    spec: Document = document.get("spec", {})
    return {"RayCluster": spec, "RayJob": spec.get("rayClusterSpec", {})}.get(document["kind"], {})


@cache
def crd_schema(kind: str) -> Document:
    """Return KubeRay's schema of a kind, closed as the API server reads it; skip where the definitions are not there.

    They are looked for in ``kuberay/`` of the folders that AEBENCH_DATA lists, and of ``shared/`` beside the checkout.
    """
    listed = filter(None, os.environ.get("AEBENCH_DATA", "").split(os.pathsep))
    for folder in [*map(Path, listed), ROOT.parent / "shared"]:
        path = folder / "kuberay" / f"ray.io_{kind.lower()}s.yaml"
        if path.is_file():
            definition = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
            version = next(version for version in definition["spec"]["versions"] if version["name"] == "v1")
            return closed(version["schema"]["openAPIV3Schema"])
    pytest.skip(f"KubeRay's definition of {kind} is in no kuberay/ of AEBENCH_DATA or of ../shared")


def closed(schema: Any) -> Any:
    """Refuse unknown keys, as ``kubectl apply`` does: an object with named properties has no others."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    named = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    if named and not schema.get("x-kubernetes-preserve-unknown-fields"):
        made.setdefault("additionalProperties", False)
    return made
