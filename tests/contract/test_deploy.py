"""What can be known of compose file, manifests and Tiltfiles without an engine to run them."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if (path / "pyproject.toml").exists())
SERVERS = ("kafka", "postgres", "valkey")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
MANIFESTS = [
    (path.name, manifest)
    for path in sorted((ROOT / "deploy/k8s").glob("*.yaml"))
    for manifest in yaml.safe_load_all(path.read_text())
    if manifest
]


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for _, each in MANIFESTS if each["kind"] == kind}


def test_there_are_eight_services() -> None:
    assert len(SERVICES) == 8


def test_compose_starts_every_service_from_the_one_dockerfile() -> None:
    services = COMPOSE["services"]
    assert services.keys() == {*SERVICES, *SERVERS, "edge"}
    for name in SERVICES:
        build = services[name]["build"]
        assert build["args"] == {"SERVICE": name}
        assert (ROOT / build["dockerfile"]).exists()
        assert services[name]["read_only"]
    for service in services.values():
        assert set(service.get("depends_on", ())) <= services.keys()
        for needed in service.get("depends_on", {}):
            assert "healthcheck" in services[needed] or needed in SERVICES


def test_compose_names_every_service_that_is_called() -> None:
    environment = COMPOSE["x-weft"]["environment"]
    called = {
        key.removeprefix("WEFT_RPC_").lower().replace("_", "-") for key in environment if "_RPC_" in key
    }
    assert called - {"port"} == set(SERVICES) - {"gateway", "realtime"}


def test_whoever_leaves_has_the_time_for_it() -> None:
    """Docker would kill after 10 s, Kubernetes after 30."""
    for name in SERVICES:
        assert COMPOSE["services"][name]["stop_grace_period"] == "60s"
        assert named("Deployment")[name]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 60


@pytest.mark.parametrize(("file", "manifest"), MANIFESTS)
def test_manifests_fit_kubernetes(file: str, manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, "1.33", strict=True)


def test_every_service_is_deployed_with_probes_and_a_locked_down_container() -> None:
    deployments = named("Deployment")
    assert deployments.keys() >= set(SERVICES)
    for name in SERVICES:
        pod = deployments[name]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert name in named("Service")


def test_the_edges_route_alike() -> None:
    (ingress,) = named("Ingress").values()
    routes = {
        path["path"]: path["backend"]["service"]["name"]
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    }
    assert routes["/webhook"] == routes["/webhook-test"] == routes["/form"] == "webhook-ingress"
    assert (routes["/api/v1/ws"], routes["/"]) == ("realtime", "gateway")
    locations = r"^ *location (.+?) +\{ proxy_pass"
    development = named("ConfigMap")["edge"]["data"]["default.conf"]
    compose = (ROOT / "deploy/docker/edge.conf").read_text()
    assert re.findall(locations, development, re.MULTILINE) == re.findall(locations, compose, re.MULTILINE)
    for service in ("webhook-ingress", "realtime", "gateway"):
        assert f"http://{service}:8080" in development
        assert f"http://{service}:8080" in compose


def test_tilt_knows_every_service() -> None:
    tiltfile = (ROOT / "Tiltfile").read_text()
    for name in SERVICES:
        assert f'include("tilt/{name}.Tiltfile")' in tiltfile
        assert f'weft_service("{name}")' in (ROOT / f"tilt/{name}.Tiltfile").read_text()
    for path in re.findall(r"deploy/k8s/[a-z-]+\.yaml", tiltfile):
        assert (ROOT / path).exists()


def test_an_image_that_tilt_builds_gets_what_the_dockerfile_copies() -> None:
    """`only` and `ignore` are relative to the context, which is the repository."""
    (only,) = re.findall(r"only=\[(.*)\]", (ROOT / "tilt/service.Tiltfile").read_text())
    sent = set(re.findall(r'"([^"]+)"', only))
    copied = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (ROOT / "deploy/docker/Dockerfile").read_text(), re.MULTILINE
    )
    assert {source.split("/")[0] for line in copied for source in line.split()} == sent
