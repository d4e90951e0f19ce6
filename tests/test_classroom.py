"""The class: the hub's configuration says what it must, users are made with care, and the values for Kubernetes read."""

import configparser
import json
import os
import re
import stat
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import learner_server
import pytest
import roster
import yaml
from jupyter_client.manager import start_new_kernel
from patience import PATIENCE
from traitlets.config import Config

ROOM = Path(__file__).parents[1] / "classroom"


@pytest.fixture
def called():
    """The commands that the configuration calls."""
    return []


@pytest.fixture
def configured(monkeypatch, tmp_path, called):
    """Return what jupyterhub_config.py says, at an address, with or without systemd on the machine."""

    monkeypatch.setattr(subprocess, "run", lambda command, check: called.append([str(part) for part in command]))

    def read(address=None, systemd=False):
        monkeypatch.setenv("CLASSROOM_STATE", str(tmp_path / "state"))
        if address is None:
            monkeypatch.delenv("CLASSROOM_ADDRESS", raising=False)
        else:
            monkeypatch.setenv("CLASSROOM_ADDRESS", address)
        monkeypatch.setattr(Path, "is_dir", lambda path: systemd if path == Path("/run/systemd/system") else path.exists())
        config, path = Config(), ROOM / "jupyterhub_config.py"
        exec(compile(path.read_text(encoding="utf-8"), path, "exec"), {"get_config": lambda: config, "__file__": str(path)})
        return config

    return read


def test_the_hub_listens_on_this_machine_only(configured, tmp_path):
    config = configured()
    assert config.JupyterHub.bind_url == "http://127.0.0.1:8000"
    assert config.JupyterHub.hub_bind_url.startswith("http://127.0.0.1:")
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


@pytest.mark.parametrize("address", ["http://0.0.0.0:8000", "http://classroom.example:8000", "http://:8000", "0.0.0.0:8000"])
def test_a_rooms_network_needs_tls(configured, address):
    with pytest.raises(ValueError, match=f"CLASSROOM_ADDRESS must be on this machine, or https.*{address}"):
        configured(address)


def test_this_machine_may_be_called_by_its_name(configured):
    assert configured("http://localhost:8000").JupyterHub.bind_url == "http://localhost:8000"


def test_on_a_rooms_network_cookies_are_secure_ones(configured, tmp_path):
    hub = configured("https://0.0.0.0:443").JupyterHub
    assert hub.tornado_settings["cookie_options"] == {"SameSite": "Lax", "secure": True}
    assert (hub.ssl_cert, hub.ssl_key) == (f"{tmp_path}/state/tls.crt", f"{tmp_path}/state/tls.key")


def test_only_who_is_in_the_class_gets_in_by_their_own_password(configured):
    config = configured()
    assert config.JupyterHub.authenticator_class == "pam"
    assert config.PAMAuthenticator.allowed_groups == {roster.CLASS}
    assert set(config.PAMAuthenticator) == {"allowed_groups"}
    assert "Authenticator" not in config


def test_the_hub_draws_the_charts_before_anybody_comes(configured, called):
    configured()
    assert called == [[sys.executable, str(ROOM / "draw.py")]]


@pytest.mark.parametrize("systemd", [False, True])
def test_each_learner_has_limits(configured, systemd):
    config = configured(systemd=systemd)
    assert config.Spawner.mem_limit == "1G"
    if systemd:
        assert config.JupyterHub.spawner_class == "systemd"
        assert config.SystemdSpawner.unit_extra_properties["TasksMax"] == "256"
    else:
        assert config.JupyterHub.spawner_class == "localprocess"
        assert {"prlimit", "--nproc=256", f"--data={2**30}"} <= set(config.Spawner.cmd)
    assert config.Spawner.cmd[-1] == str(ROOM / "learner_server.py")


def test_who_is_idle_is_stopped_by_a_service_that_may_do_no_more(configured):
    hub = configured().JupyterHub
    [service], [role] = hub.services, hub.load_roles
    assert "jupyterhub_idle_culler" in service["command"]
    assert "--timeout=3600" in service["command"]
    assert role["services"] == [service["name"]]
    assert set(role["scopes"]) == {"list:users", "read:users:activity", "read:servers", "delete:servers"}


def test_no_file_of_the_class_holds_a_secret_or_turns_a_guard_off():
    for path in (path for path in ROOM.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"[0-9a-fA-F]{32}|BEGIN [A-Z ]*KEY|disable_check_xsrf|xsrf_cookies|DummyAuth|allow_all", text), path


def test_the_trainers_switches_reach_the_learners_servers(configured, monkeypatch):
    assert not {"FABRICBOOK_PLAN", "FABRICBOOK_UNLOCKED"} & set(configured().Spawner.environment)
    monkeypatch.setenv("FABRICBOOK_PLAN", "90-minutes")
    monkeypatch.setenv("FABRICBOOK_UNLOCKED", "1")
    given = configured().Spawner.environment
    assert (given["FABRICBOOK_PLAN"], given["FABRICBOOK_UNLOCKED"]) == ("90-minutes", "1")
    monkeypatch.setenv("FABRICBOOK_PLAN", "a-week")
    with pytest.raises(ValueError, match="plan 'a-week' is not known"):
        configured()


def test_a_learner_gets_the_lessons_or_the_plan_that_the_hub_names(tmp_path, monkeypatch):
    monkeypatch.delenv("FABRICBOOK_PLAN", raising=False)
    assert learner_server.lay_out(tmp_path / "all") == "00_start_here.ipynb"
    monkeypatch.setenv("FABRICBOOK_PLAN", "90-minutes")
    assert learner_server.lay_out(tmp_path / "plan") == "plan.ipynb"
    assert len(list((tmp_path / "plan").glob("*.ipynb"))) == 6


def test_a_learners_server_is_a_fresh_process_of_jupyterhub(tmp_path, monkeypatch):
    began = []
    monkeypatch.setattr(os, "execv", lambda program, command: began.append([program, *command]))
    monkeypatch.setattr(os, "umask", lambda _: None)
    monkeypatch.setattr(os, "environ", os.environ | {"HOME": str(tmp_path)})
    monkeypatch.setattr(sys, "argv", ["learner_server.py", "--debug"])
    monkeypatch.chdir(tmp_path)
    learner_server.main()
    start = [sys.executable, sys.executable, "-P", "-c", learner_server.START, "--debug"]
    assert began == [start + learner_server.options()]
    assert (tmp_path / "work" / "00_start_here.ipynb").is_file()


def test_a_learners_server_leaves_out_what_the_hub_alone_asks_of(tmp_path):
    hub = tmp_path / "jupyterhub"
    hub.mkdir()
    (hub / "__init__.py").touch()
    (hub / "singleuser.py").write_text("""import sys
import alembic.command, alembic.config, requests
from alembic.script import ScriptDirectory
def main(): print(sys.argv[1:], alembic.command.upgrade(), requests.get())
""", encoding="utf-8")
    said = subprocess.run([sys.executable, "-c", learner_server.START, "--debug"], env=os.environ | {"PYTHONPATH": str(tmp_path)},
                          capture_output=True, text=True, check=True).stdout
    assert said.startswith("['--debug'] <MagicMock ")
    assert said.count("<MagicMock ") == 2


def test_a_learners_server_shares_nothing_with_the_others():
    options = learner_server.options()
    assert "--KernelManager.transport=ipc" in options
    assert not [option for option in options if "token" in option or "0.0.0.0" in option]
    for name in learner_server.LEFT_OUT:
        assert f"'{name}': False" in next(option for option in options if "jpserver_extensions" in option)


def test_a_learners_kernel_is_the_usual_one_without_its_debugger(tmp_path, monkeypatch):
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(learner_server.KERNEL), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    manager, kernel = start_new_kernel(PATIENCE, kernel_name="python3", stderr=subprocess.DEVNULL)
    try:
        said = kernel.execute("import sys", user_expressions={"it": "sys.modules['debugpy']"}, reply=True, timeout=PATIENCE)
    finally:
        kernel.stop_channels()
        manager.shutdown_kernel()
    assert said["content"]["user_expressions"]["it"]["data"]["text/plain"] == "None"


def test_passwords_are_read_off_paper_and_never_alike():
    made = {roster.password() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"([a-hj-km-np-z2-9]{4}-){2}[a-hj-km-np-z2-9]{4}", word) for word in made)


def test_names_are_read_one_a_line():
    assert roster.names_in("# Monday\nmaria\n\n  jan-2 \nmaria\n") == ["maria", "jan-2"]
    for wrong in ("Maria", "-rf", "a b", "x" * 32, "root:x", "../a"):
        with pytest.raises(ValueError, match="name must be at most 31 small letters"):
            roster.names_in(wrong)


@pytest.fixture
def machine(monkeypatch):
    """The commands that would change the machine, and what they are given; no user is of the class but `old`."""
    called = []
    monkeypatch.setattr(roster, "_run", lambda *command, given="": called.append((command, given)))
    monkeypatch.setattr(roster, "_members", lambda: ["old"])
    known = roster.pwd.getpwnam("root")

    def getpwnam(name):
        if name not in ("root", "old"):
            raise KeyError(name)
        return known

    monkeypatch.setattr(roster.pwd, "getpwnam", getpwnam)
    return called


def test_a_new_learner_gets_a_home_that_only_they_read_and_a_password_by_a_pipe(machine):
    made = roster.add(["old", "maria"])
    assert list(made) == ["maria"]
    [useradd] = [command for command, _ in machine if command[0] == "useradd"]
    assert useradd[-1] == "maria"
    assert {"HOME_MODE=0700", "/usr/sbin/nologin", "classroom"} <= set(useradd)
    assert machine[-1] == (("chpasswd",), f"maria:{made['maria']}\n")
    assert not [command for command, _ in machine if made["maria"] in command]


@pytest.mark.parametrize(("stops_at", "problem"), [("chpasswd", OSError("no success")), ("jan", KeyboardInterrupt())])
def test_whoever_would_have_no_password_is_no_user(machine, monkeypatch, stops_at, problem):
    noted = roster._run

    def stopped(*command, given=""):
        noted(*command, given=given)
        if command[0] != "userdel" and stops_at in command:
            raise problem

    monkeypatch.setattr(roster, "_run", stopped)
    with pytest.raises(type(problem)):
        roster.add(["old", "maria", "jan"])
    made = {command[-1] for command, _ in machine if command[0] == "useradd"}
    assert {command[-1] for command, _ in machine if command[0] == "userdel"} == made - ({"jan"} if stops_at == "jan" else set())


@pytest.mark.parametrize("change", [roster.add, roster.renew, roster.remove])
def test_a_user_who_is_not_of_the_class_is_left_alone(machine, change):
    with pytest.raises(ValueError, match="'root' is a user of this machine who is not in the class"):
        change(["root"])
    assert not [command for command, _ in machine if command[0] != "groupadd"]


def test_nobody_is_removed_where_one_name_is_wrong(machine):
    with pytest.raises(ValueError, match="'nobody-here' is not in the class"):
        roster.remove(["old", "nobody-here"])
    assert machine == []


def test_the_service_starts_what_is_there():
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(ROOM / "classroom.service", encoding="utf-8")
    config = unit["Service"]["ExecStart"].split()[-1]
    assert (ROOM.parent / Path(config).relative_to("/opt/course")).is_file()
    assert unit["Service"]["StateDirectoryMode"] == "0700"


def test_the_values_for_kubernetes_limit_each_and_let_nobody_in_unasked():
    values = yaml.safe_load((ROOM / "zero-to-jupyterhub" / "values.yaml").read_text(encoding="utf-8"))
    single = values["singleuser"]
    assert values["hub"]["config"]["JupyterHub"]["authenticator_class"] == "null"
    assert values["cull"]["enabled"] is True
    assert (single["memory"]["limit"], single["cpu"]["limit"], single["uid"]) == ("1G", 1, 1000)
    assert single["allowPrivilegeEscalation"] is False
    recipe = (ROOM / "zero-to-jupyterhub" / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^FROM python:\d+\.\d+\.\d+-", recipe, re.M)
    assert re.search(rf"^USER {single['uid']}$", recipe, re.M)
    assert set(re.findall(r"/opt/classroom/(\w+\.py)", f"{recipe} {single['cmd']}")) == {"draw.py", "learner_server.py"}
    for file in re.findall(r"classroom/\w+\.py|constraints.txt", " ".join(re.findall(r"^COPY (.*) ", recipe, re.M))):
        assert (ROOM.parent / file).is_file(), file


def test_the_image_takes_one_wheel_and_what_it_copies_is_sent():
    recipe = (ROOM / "zero-to-jupyterhub" / "Dockerfile").read_text(encoding="utf-8")
    nothing, *sent = [line for line in (ROOM.parent / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    version = tomllib.loads((ROOM.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert nothing == "*"
    assert f"\nARG VERSION={version}\n" in recipe
    for copied in re.findall(r"^COPY (.*) ", recipe, re.M):
        for file in copied.split():
            assert "*" not in file, "a second one would be copied, too"
            assert any(fnmatch(file, pattern.removeprefix("!")) for pattern in sent), file
