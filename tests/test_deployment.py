"""What Dockerfile and docker-compose.yml say. No container engine is needed; see tests/cli/test_processes.py too."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.version import Version

import kb
from kb.cli import app
from kb.settings import Settings, variable_of

ROOT = Path(__file__).parents[1]
SETTINGS = {variable_of(name) for name in Settings.model_fields}
COMMANDS = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
PINNED = re.compile(r"[a-z0-9./-]+:v?\d+\.\d+\.\d+[a-z0-9.-]*|postgres:\d+\.\d+-[a-z]+")
OURS = ("migrate", "api", "worker")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


def instructions(stage: int) -> list[tuple[str, str]]:
    """The instructions of a stage of the Dockerfile, with what follows each; -1 for the image that is run."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line.partition(" ") for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    found: list[list[tuple[str, str]]] = []
    for name, _, rest in lines:
        if name == "FROM":
            found.append([])
        found[-1].append((name, " ".join(rest.split())))
    return found[stage]


def the(name: str, stage: int = -1) -> str:
    (only,) = (rest for each, rest in instructions(stage) if each == name)
    return only


def test_every_service_is_there(services: dict[str, Any]) -> None:
    assert set(services) == {"migrate", "api", "worker", "postgres", "qdrant"}


def test_every_image_is_pinned_to_an_exact_version(services: dict[str, Any]) -> None:
    images = {service["image"] for service in services.values()}
    images |= {the("FROM", stage).split(" AS ")[0] for stage in (0, -1)}
    for image in images:
        assert PINNED.fullmatch(image), image
    assert {services[name]["image"] for name in OURS} == {f"kb:{kb.__version__}"}


def test_the_server_fits_the_client_that_is_pinned(services: dict[str, Any]) -> None:
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    server = Version(services["qdrant"]["image"].rpartition(":")[2].removesuffix("-unprivileged"))
    client = Version(pins["qdrant-client"])
    assert server.major == client.major
    assert abs(server.minor - client.minor) <= 1
    assert server >= Version("1.19")  # IDF over a filter


def test_nobody_is_root_and_nothing_can_be_gained(services: dict[str, Any]) -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", the("USER"))
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["read_only"] is True, name
        assert any(each.startswith("/tmp:") for each in service["tmpfs"]), name
        assert "privileged" not in service, name
        assert "cap_add" not in service, name
        if name not in OURS:
            assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"]), name


def test_only_the_api_has_a_port_and_on_this_machine_only(compose: dict[str, Any], services: dict[str, Any]) -> None:
    assert {name for name, service in services.items() if "ports" in service} == {"api"}
    assert services["api"]["ports"] == ["127.0.0.1:${KB_PORT:-8000}:8000"]
    assert compose["networks"]["inside"] == {"internal": True}
    outside = {name for name, service in services.items() if "outside" in service["networks"]}
    assert outside == {"api"}
    assert all("inside" in service["networks"] and "network_mode" not in service for service in services.values())


def test_everything_that_runs_on_is_watched_bounded_and_restarted(services: dict[str, Any]) -> None:
    assert "http://127.0.0.1:8000/healthz" in the("HEALTHCHECK")
    for name, service in services.items():
        limits = service["deploy"]["resources"]["limits"]
        assert limits.keys() == {"cpus", "memory", "pids"}, name
        if name == "migrate":
            assert (service["restart"], service["healthcheck"]) == ("no", {"disable": True})
            continue
        assert service["restart"] == "unless-stopped", name
        check = service.get("healthcheck")
        assert check is None if name == "api" else check["test"] and check["interval"], name  # the image has one
    port = services["worker"]["environment"]["KB_WORKER_PORT"]
    assert f"127.0.0.1:{port}/healthz" in services["worker"]["healthcheck"]["test"][-1]


def test_what_needs_another_waits_until_it_is_healthy(services: dict[str, Any]) -> None:
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("api", "worker"):
        assert services[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "postgres": {"condition": "service_healthy"},
            "qdrant": {"condition": "service_healthy"},
        }


def test_data_lies_in_named_volumes_and_nowhere_else(compose: dict[str, Any], services: dict[str, Any]) -> None:
    mounted = {each.partition(":")[0] for service in services.values() for each in service["volumes"]}
    assert mounted == set(compose["volumes"])
    assert the("VOLUME") == services["api"]["volumes"][0].partition(":")[2] == "/var/lib/kb"


def test_there_is_no_default_password(services: dict[str, Any]) -> None:
    secret = re.compile(r"PASSWORD|API_KEY|SECRET")
    for name, service in services.items():
        for variable, value in service["environment"].items():
            if secret.search(variable) or "@" in value:
                assert re.search(r"\$\{\w+:\?[^}]+\}", value), (name, variable)
                assert not re.search(r"\$\{\w+:?-", value), (name, variable)


def test_every_variable_of_ours_is_a_setting_and_every_command_exists(services: dict[str, Any]) -> None:
    named = set(re.findall(r"\bKB_[A-Z_]+", (ROOT / "docker-compose.yml").read_text()))
    named |= set(re.findall(r"\bKB_[A-Z_]+", (ROOT / "Dockerfile").read_text()))
    assert named <= SETTINGS
    assert the("ENTRYPOINT") == '["kb"]'
    commands = {services[name]["command"][0] for name in OURS}
    assert commands == {"migrate", "serve", "worker"}
    assert commands <= COMMANDS
    for name in OURS:
        Settings(_env_file=None, **filled(services[name]["environment"]))  # each value is one that is accepted


def filled(environment: dict[str, str]) -> dict[str, str]:
    """The settings of a service, with "x" for what the operator gives and the default for what they may leave out."""
    values = {name: re.sub(r"\$\{\w+:\?[^}]*\}", "x", value) for name, value in environment.items()}
    return {
        name.removeprefix("KB_").lower(): re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for name, value in values.items()
    }


def test_the_image_that_is_run_holds_no_tools_that_build() -> None:
    assert len([name for name, _ in instructions(0) if name == "FROM"]) == 1
    final = instructions(-1)
    assert [rest for name, rest in final if name in ("COPY", "ADD")] == ["--from=build /opt/kb /opt/kb"]
    run = " ".join(rest for name, rest in final if name == "RUN")
    assert "pip uninstall --yes pip" in run
    assert "apt" not in run
    assert the("STOPSIGNAL") == "SIGTERM"
    assert the("EXPOSE") == "8000"
    assert "org.opencontainers.image.title" in the("LABEL")


def test_versions_are_constrained_and_extras_exist() -> None:
    install = next(rest for name, rest in instructions(0) if name == "RUN" and "install" in rest)
    assert "-c constraints.txt" in install
    extras = re.search(r'"\.\[(.+)\]"', install)
    assert extras
    assert set(extras[1].split(",")) <= set(
        re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    )


def test_the_builder_gets_what_it_copies_and_nothing_else() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    given = {line[1:] for line in ignored if line.startswith("!")}
    copied = {part for name, rest in instructions(0) if name == "COPY" for part in rest.split()[:-1]}
    assert given == copied
    assert all((ROOT / name).exists() for name in given)


@pytest.mark.skipif(shutil.which("docker") is None, reason="there is no docker client")
def test_docker_itself_understands_the_composition() -> None:
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode != 0:
        pytest.skip("this docker client has no compose")
    command = ["docker", "compose", "--project-directory", str(ROOT), "config", "--quiet"]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "POSTGRES_PASSWORD": "x", "KB_QDRANT_API_KEY": "x"}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stderr
    del environment["POSTGRES_PASSWORD"]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert "POSTGRES_PASSWORD" in ran.stderr or (ROOT / ".env").exists()
