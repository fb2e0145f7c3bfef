"""The server's definition: compose.yaml, the image, the web server and the example of settings fit one another."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SERVER = ROOT / "server"
COMPOSE: dict[str, Any] = yaml.safe_load((SERVER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
VARIABLE = re.compile(r"\$\{(\w+)(?::[-?]([^}]*))?\}")
NGINX = (SERVER / "nginx.conf").read_text(encoding="utf-8")


def settings() -> dict[str, str]:
    lines = (SERVER / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def mounts(service: str) -> dict[str, str]:
    """Where each source is mounted, by the place in the container."""
    found = {}
    for volume in SERVICES[service].get("volumes", []):
        parts = VARIABLE.sub(lambda match: f"${match[1]}", volume).split(":")
        found[parts[1]] = parts[0]
    return found


def test_each_variable_is_in_the_example_and_the_needed_ones_say_what_is_missing() -> None:
    used = VARIABLE.findall((SERVER / "compose.yaml").read_text(encoding="utf-8"))
    assert {name for name, _ in used} == set(settings())
    for name in set(settings()) - {"PORT"}:
        assert any(said.endswith("server/.env") for one, said in used if one == name), name


def test_services_wait_for_services_that_can_be_waited_for() -> None:
    assert set(SERVICES) == {"database", "prefect", "deployments", "worker", "web"}
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "test" in SERVICES[other]["healthcheck"], f"{name} waits for the health of {other}"
            else:
                assert (how["condition"], SERVICES[other]["restart"]) == ("service_completed_successfully", "no")


def test_volumes_are_declared_and_nothing_but_the_web_server_can_be_reached() -> None:
    named = {source for name in SERVICES for source in mounts(name).values() if re.fullmatch(r"\w+", source)}
    assert named == set(COMPOSE["volumes"])
    assert [name for name, service in SERVICES.items() if service.get("ports")] == ["web"]
    assert all(":ro" in volume for volume in SERVICES["web"]["volumes"])


def test_the_web_server_finds_what_it_is_given_and_asks_for_a_password() -> None:
    given = mounts("web")
    for path in ("/etc/nginx/tls", "/etc/nginx/passwords"):
        assert path in given and path in NGINX
    assert given["/etc/nginx/conf.d/default.conf"] == "./nginx.conf"
    assert re.search(r"^\s{4}auth_basic ", NGINX, re.MULTILINE) and "auth_basic off" not in NGINX
    assert "proxy_pass http://prefect:4200;" in NGINX
    worker = SERVICES["worker"]["environment"]
    assert worker["REDCAP_CDISC_BUILDS"] == "/builds" and given["/builds"] == mounts("worker")["/builds"]
    assert worker["REDCAP_CDISC_PAGES"] == "${PUBLIC_URL}/builds/" and "location /builds/" in NGINX
    assert "location ^~ /builds/snapshots" in NGINX


def test_commands_are_those_of_the_image() -> None:
    from typer.main import get_command

    from flows.command_line import application
    from flows.place.bootstrap import POOL

    deploy = SERVICES["deployments"]["command"]
    assert deploy[:2] == ["redcap-cdisc", "deploy"]
    assert "deploy" in get_command(application).commands  # type: ignore[attr-defined]
    worker = SERVICES["worker"]["command"]
    assert worker[:3] == ["prefect", "worker", "start"] and worker[worker.index("--pool") + 1] == POOL
    names = {name for name, service in SERVICES.items() if service["image"] == "redcap-cdisc"}
    assert names == {"prefect", "deployments", "worker"}
    context = SERVER / SERVICES["worker"]["build"]["context"]
    assert (context / SERVICES["worker"]["build"]["dockerfile"]).resolve() == SERVER / "Dockerfile"


def test_docker_compose_takes_it(tmp_path: Path) -> None:
    command = compose_command()
    if not command:
        pytest.skip("no docker compose on this machine; the other tests read the file")
    values = {**settings(), "DATABASE_PASSWORD": "secret", "ENCRYPTION_KEY": "key"}
    (tmp_path / "env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    asked = [*command, "--env-file", str(tmp_path / "env"), "-f", str(SERVER / "compose.yaml"), "config"]
    done = subprocess.run(asked, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["services"]["worker"]["environment"]["REDCAP_CDISC_STUDIES"] == "/studies"
    (tmp_path / "env").write_text("PORT=1\n")
    missing = subprocess.run(asked, capture_output=True, text=True)
    assert missing.returncode != 0 and "server/.env" in missing.stderr


def compose_command() -> list[str]:
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and subprocess.run([*command, "version"], capture_output=True).returncode == 0:
            return command
    return []


def install_steps() -> list[str]:
    text = (SERVER / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    steps = [line.removeprefix("RUN ") for line in text.splitlines() if line.startswith("RUN ")]
    return [step for step in steps if not step.startswith("useradd")]


def test_the_image_is_installed_by_the_lock_and_run_by_no_root() -> None:
    text = (SERVER / "Dockerfile").read_text(encoding="utf-8")
    installing = [step for step in install_steps() if " install " in step]
    assert [("--require-hashes" in step, step.split()[-1]) for step in installing] == [
        (True, "uv.lock.txt"), (True, "requirements.lock"), (False, "."),
    ]  # fmt: skip
    assert re.search(r"^USER redcap-cdisc$", text, re.MULTILINE)
    assert (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()[:2] == [".git", ".venv"]


@pytest.mark.soak
def test_the_install_steps_make_a_place_in_a_fresh_environment(tmp_path: Path) -> None:
    """As the image does it, from the files that git has; then the deployments are read where no checkout is."""
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(tmp_path / "software")], check=True)
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    programs = tmp_path / "venv" / "bin"
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PYTHON", "VIRTUAL_"))
    }
    environment = {**kept, "PATH": f"{programs}:/usr/bin:/bin", "HOME": str(tmp_path)}
    for step in install_steps():
        done = subprocess.run(
            ["/bin/sh", "-ec", step], cwd=tmp_path / "software", env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{step}\n{done.stderr}"
    asked = (
        "from flows.place.deployments import SHIPPED, definition_file, definitions_for\n"
        "from prefect.flows import load_flow_from_entrypoint as load\n"
        "assert definition_file() == SHIPPED\n"
        "print(*sorted({load(one['entrypoint']).name for one in definitions_for('mine')}))\n"
    )
    told = [str(programs / "python"), "-c", asked]
    done = subprocess.run(told, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert {"clean-up", "drift-check", "study-build", "study-release"} <= set(shlex.split(done.stdout))
