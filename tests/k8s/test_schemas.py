"""Every manifest, as it lies there and as it is applied, against KubeRay's schemas and Kubernetes' own."""

from __future__ import annotations

import copy
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest

from tests.k8s.manifests import APPLIED, Document, crd_schema, manifests, name_of, pods, rendered

KUBERNETES = kubernetes_validate.latest_version()
RAY_KINDS = ("RayJob", "RayCluster")
MANIFESTS = manifests()


def validate(document: Document) -> None:
    """Refuse a document with an unknown key, a wrong type or a missing value."""
    if document["kind"] in RAY_KINDS:
        jsonschema.Draft202012Validator(crd_schema(document["kind"])).validate(document)
    else:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


def validate_pods(document: Document) -> None:
    """Check a document's pod templates, each as a pod of its own."""
    for place, template in pods(document):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": place}, "spec": template["spec"]}
        kubernetes_validate.validate(pod, KUBERNETES, strict=True)


@pytest.mark.parametrize(("path", "document"), MANIFESTS, ids=[name_of(path) for path, _ in MANIFESTS])
def test_a_manifest_is_valid(path: Path, document: Document) -> None:
    validate_pods(document)
    validate(document)


@pytest.mark.parametrize("folder", APPLIED, ids=name_of)
def test_what_is_applied_is_valid(folder: Path) -> None:
    for document in rendered(folder):
        validate_pods(document)
        validate(document)


@pytest.mark.parametrize("kind", RAY_KINDS)
def test_a_misspelt_key_is_refused(kind: str) -> None:
    document = copy.deepcopy(next(document for _, document in MANIFESTS if document["kind"] == kind))
    cluster = document["spec"].get("rayClusterSpec", document["spec"])
    cluster["workerGroupSpecs"][0]["maxReplica"] = cluster["workerGroupSpecs"][0].pop("maxReplicas")
    with pytest.raises(jsonschema.ValidationError, match="maxReplica"):
        validate(document)


def test_a_misspelt_key_of_a_pod_is_refused() -> None:
    document = copy.deepcopy(next(document for _, document in MANIFESTS if document["kind"] == "RayJob"))
    document["spec"]["submitterPodTemplate"]["spec"]["restartPolice"] = "Never"
    with pytest.raises(kubernetes_validate.ValidationError, match="restartPolice"):
        validate_pods(document)
