"""What the pods may do, where they run, what they write: the rules that no schema knows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from aebench.cluster import LOCAL_OBJECT_STORE
from tests.k8s.manifests import K8S, ROOT, Document, documents, manifests, name_of, pods, ray_cluster

MANIFESTS = manifests()
PODS = [
    pytest.param(template["spec"], id=f"{name_of(path)}-{place}")
    for path, document in MANIFESTS
    for place, template in pods(document)
]
CLUSTERS = [
    pytest.param(ray_cluster(document), id=name_of(path)) for path, document in MANIFESTS if ray_cluster(document)
]
DOCKERFILE = (K8S / "Dockerfile").read_text()
PINNED = dict(re.findall(r"^(\S+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))


@pytest.mark.parametrize("pod", PODS)
def test_a_pod_has_no_privilege(pod: Document) -> None:
    assert pod["automountServiceAccountToken"] is False
    context = pod["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    user = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)[-1]
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == user
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod)
    for container in pod["containers"]:
        assert_no_privilege(container["securityContext"])


def assert_no_privilege(context: Document) -> None:
    assert context == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("pod", PODS)
def test_only_tmp_and_the_storage_can_be_written(pod: Document) -> None:
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    for container in pod["containers"]:
        mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
        assert mounts["/tmp"]["emptyDir"] == {}
        assert set(mounts) <= {"/tmp", "/storage"}
        if "/storage" in mounts:
            claim = mounts["/storage"]["persistentVolumeClaim"]["claimName"]
            assert claim == documents((K8S / "storage" / "claim.yaml").read_text())[0]["metadata"]["name"]


@pytest.mark.parametrize("pod", PODS)
def test_a_pod_says_what_it_needs_and_runs_an_image_that_is_built(pod: Document) -> None:
    built = set(re.findall(r"docker build .*-t (\S+)", DOCKERFILE))
    for container in pod["containers"]:
        assert container["image"] in built
        wanted, most = container["resources"]["requests"], container["resources"]["limits"]
        assert set(wanted) == set(most) >= {"cpu", "memory"}
        assert all(quantity(wanted[name]) <= quantity(most[name]) for name in wanted)


def quantity(text: str) -> float:
    """Read a Kubernetes quantity with one of the suffixes used here."""
    number, suffix = re.fullmatch(r"([0-9.]+)(m|Mi|Gi|)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"m": 1e-3, "Mi": 2**20, "Gi": 2**30, "": 1}[suffix]


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_codecs_stay_off_gpu_nodes(cluster: Document) -> None:
    groups = {group["groupName"]: group for group in cluster["workerGroupSpecs"]}
    gpu = groups.pop("gpu")
    (worker,) = gpu["template"]["spec"]["containers"]
    assert worker["image"] == "aebench:gpu"
    # a CPU for each GPU, which the process on the GPU takes: no codec fits beside it
    assert gpu["rayStartParams"]["num-cpus"] == worker["resources"]["limits"]["nvidia.com/gpu"]
    assert [taint["key"] for taint in gpu["template"]["spec"]["tolerations"]] == ["nvidia.com/gpu"]
    for group in [cluster["headGroupSpec"], *groups.values()]:
        spec = group["template"]["spec"]
        assert "tolerations" not in spec
        assert "NotIn" in str(spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"])
        assert all("nvidia.com/gpu" not in container["resources"]["limits"] for container in spec["containers"])
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_workers_are_there_when_a_job_counts_them(cluster: Document) -> None:
    for group in cluster["workerGroupSpecs"]:
        assert 1 <= group["minReplicas"] <= group["maxReplicas"]
        assert group["minReplicas"] <= group.get("replicas", group["minReplicas"]) <= group["maxReplicas"]
        assert int(group["rayStartParams"]["object-store-memory"]) == LOCAL_OBJECT_STORE


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_dashboard_stays_inside(cluster: Document) -> None:
    head = cluster["headGroupSpec"]
    assert head["serviceType"] == "ClusterIP"
    assert not head.get("enableIngress", False)
    assert cluster["authOptions"] == {"mode": "token"}
    (policy,) = documents((K8S / "base" / "shared" / "network-policy.yaml").read_text())
    guarded = policy["spec"]["podSelector"]["matchLabels"].items()
    for group in [head, *cluster["workerGroupSpecs"]]:
        assert guarded <= group["template"]["metadata"]["labels"].items()
    for rule in policy["spec"]["ingress"]:
        assert all("ipBlock" not in source for source in rule["from"])


def test_only_the_autoscaler_has_a_token() -> None:
    for _, document in MANIFESTS:
        cluster: dict[str, Any] = ray_cluster(document)
        if not cluster.get("enableInTreeAutoscaling"):
            assert "serviceAccountToken" not in str(document)
            continue
        options = cluster["autoscalerOptions"]
        assert_no_privilege(options["securityContext"])
        volumes = {volume["name"]: volume for volume in cluster["headGroupSpec"]["template"]["spec"]["volumes"]}
        mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in options["volumeMounts"]}
        token = mounts["/var/run/secrets/kubernetes.io/serviceaccount"]["projected"]["sources"]
        paths = {entry["path"] for entry in (token[0]["serviceAccountToken"], *token[1]["configMap"]["items"])}
        from ray.autoscaler._private.kuberay import node_provider

        assert {Path(node_provider.IN_CLUSTER_TOKEN_PATH), Path(node_provider.IN_CLUSTER_CA_CERT_PATH)} == {
            Path("/var/run/secrets/kubernetes.io/serviceaccount") / path for path in paths
        }


def test_a_job_cleans_up_after_itself() -> None:
    (job,) = [document["spec"] for _, document in MANIFESTS if document["kind"] == "RayJob"]
    assert job["shutdownAfterJobFinishes"] is True
    assert job["ttlSecondsAfterFinished"] > 0


def test_ray_is_the_pinned_one_everywhere() -> None:
    (image,) = re.findall(r"^FROM rayproject/ray:(\S+)$", DOCKERFILE, re.MULTILINE)
    version, python, variant = image.split("-")
    assert version == PINNED["ray"]
    assert (3, int(python.removeprefix("py3"))) >= (3, 11)
    assert variant == "${VARIANT}"
    for _, document in MANIFESTS:
        assert ray_cluster(document).get("rayVersion", version) == version


def test_the_image_is_made_of_what_there_is() -> None:
    ignored = (K8S / "Dockerfile.dockerignore").read_text().split()
    for names in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE):
        for name in names.split():
            assert (ROOT / name).exists()
            assert f"!{name}" in ignored
    assert "-c constraints.txt" in DOCKERFILE
