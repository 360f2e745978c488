"""A real SLURM cluster of one node, this machine, with accounting; root can start it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psutil

DAEMONS = ("munged", "mariadbd", "slurmdbd", "slurmctld", "slurmd")
ACCOUNT, PARTITION = "lab", "cpu"
START_S = 60
INSTALLED = Path("/etc/slurm/slurm.conf")
"""Where jobs look for it: Snakemake's executor takes all variables of SLURM's from them."""

SLURM_CONF = """
ClusterName=local
SlurmctldHost={node}(127.0.0.1)
SlurmctldPort={ctld}
SlurmdPort={slurmd}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={root}/munge.socket
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={dbd}
AccountingStoragePass={root}/munge.socket
AccountingStorageEnforce=associations
JobAcctGatherType=jobacct_gather/linux
NodeName={node} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mb} State=UNKNOWN
PartitionName={partition} Nodes={node} Default=YES MaxTime=1-0 State=UP
"""
SLURMDBD_CONF = """
AuthType=auth/munge
AuthInfo=socket={root}/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={dbd}
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={mysql}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm
LogFile={root}/slurmdbd.log
PidFile={root}/slurmdbd.pid
"""
GRANT = "CREATE DATABASE slurm; GRANT ALL ON slurm.* TO 'slurm'@'127.0.0.1' IDENTIFIED BY 'slurm';"


def why_not() -> str | None:
    """Return why no cluster can be started here, None where one can."""
    missing = [daemon for daemon in DAEMONS if not shutil.which(daemon, path=_path())]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if INSTALLED.exists():
        return f"{INSTALLED} is of a cluster of its own"
    return None if os.geteuid() == 0 else "SLURM's daemons are started by root"


@contextmanager
def cluster(root: Path) -> Iterator[dict[str, str]]:
    """Run a cluster whose files are in ``root``; give what the environment of its users needs."""
    root.chmod(0o755)
    ports = dict(zip(("ctld", "slurmd", "dbd", "mysql"), _free_ports(4), strict=True))
    facts = {
        "root": root, "node": socket.gethostname().split(".")[0], "partition": PARTITION,
        "cpus": os.cpu_count(), "memory_mb": psutil.virtual_memory().total // 2**20 - 512, **ports,
    }  # fmt: skip
    for name, text in (("slurm.conf", SLURM_CONF), ("slurmdbd.conf", SLURMDBD_CONF)):
        (root / name).write_text(text.format(**facts))
        (root / name).chmod(0o600)
    for folder in ("state", "spool", "mysql"):
        (root / folder).mkdir()
    user = {"SLURM_CONF": str(root / "slurm.conf"), "PATH": _path()}
    INSTALLED.unlink(missing_ok=True)  # a link that a killed test left
    INSTALLED.symlink_to(root / "slurm.conf")
    with ExitStack() as stack:
        stack.callback(INSTALLED.unlink)
        for command, ready in _daemons(root, str(facts["node"]), ports["mysql"]):
            stack.enter_context(_daemon(root, command, {**os.environ, **user}))
            for one in ready:
                _until(root, one, {**os.environ, **user})
        yield user


def _daemons(root: Path, node: str, mysql: int) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Yield each daemon's command in the order of starting, and what succeeds once it is up."""
    (root / "munge.key").write_bytes(os.urandom(64))
    (root / "munge.key").chmod(0o400)
    munge = {
        "key-file": "munge.key", "socket": "munge.socket", "pid-file": "munge.pid",
        "log-file": "munge.log", "seed-file": "munge.seed",
    }  # fmt: skip
    places = [f"--{option}={root / name}" for option, name in munge.items()]
    yield (
        ["munged", "--foreground", "--force", *places],
        [["munge", "--no-input", f"--socket={root / 'munge.socket'}"]],
    )
    data = f"--datadir={root / 'mysql'}"
    local = [f"--port={mysql}", f"--socket={root / 'mysql.socket'}"]
    install = ["mariadb-install-db", "--no-defaults", data, "--user=root", "--skip-test-db"]
    subprocess.run(install, check=True, capture_output=True)
    yield (
        ["mariadbd", "--no-defaults", data, "--user=root", "--bind-address=127.0.0.1", *local],
        [["mariadb", "--no-defaults", *local, f"--execute={GRANT}"]],
    )
    sacctmgr = ["sacctmgr", "--immediate", "add"]
    yield (
        ["slurmdbd", "-D"],
        [
            [*sacctmgr, "cluster", "local"],
            [*sacctmgr, "account", ACCOUNT, "Description=tests", "Organization=tests"],
            [*sacctmgr, "user", "root", f"account={ACCOUNT}"],
        ],
    )
    yield ["slurmctld", "-D"], [["scontrol", "ping"]]
    yield ["slurmd", "-D", "-N", node], [["srun", f"--account={ACCOUNT}", "true"]]


@contextmanager
def _daemon(root: Path, command: list[str], env: dict[str, str]) -> Iterator[None]:
    """Run a daemon, what it prints going to a log; stop it at the end."""
    with (root / f"{command[0]}.out").open("wb") as said:
        daemon = subprocess.Popen(command, env=env, stdout=said, stderr=said)
    try:
        yield
    finally:
        daemon.terminate()
        daemon.wait(START_S)


def _until(root: Path, command: list[str], env: dict[str, str]) -> None:
    """Repeat a command until it succeeds."""
    end = time.monotonic() + START_S
    while (done := subprocess.run(command, env=env, capture_output=True)).returncode:
        logs = [log.read_text(errors="replace")[-2000:] for log in root.glob("*.out")]
        assert time.monotonic() < end, f"{command}: {done.stdout!r} {done.stderr!r} {logs}"
        time.sleep(0.5)


def _free_ports(n: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(n)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _path() -> str:
    """Return the search path with the folders of daemons."""
    return os.pathsep.join([os.environ["PATH"], "/usr/local/sbin", "/usr/sbin", "/sbin"])
