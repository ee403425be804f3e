"""A Slurm of two nodes on this machine, in namespaces of its own.

Its configuration is mounted over /etc/slurm where nobody else sees it, and its processes live in
a PID namespace, so that none outlives it, however the tests end.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

NODES = ("node1", "node2")
MUNGE = ("key", "pid", "log", "seed")
WHICH = """\
#!/bin/sh
[ "$1" != sacct ] && exec {which} "$@"
""".format(which=shutil.which("which"))
PROGRAMS = (
    "munged",
    "slurmctld",
    "slurmd",
    "sbatch",
    "squeue",
    "unshare",
    "nsenter",
    "setpriv",
    "which",
)

CONFIGURATION = """\
ClusterName=atlas
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory,CR_LLN
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
ReturnToService=2
SlurmdTimeout=10
KillWait=2
MinJobAge=3600
MessageTimeout=10
SlurmdParameters=config_overrides
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
NODE = (
    "NodeName={name} NodeHostname=localhost NodeAddr=127.0.0.1 Port={port} "
    "CPUs=4 RealMemory={memory_mb} State=UNKNOWN"
)


def obstacle() -> str | None:
    """Why no Slurm can be started here; None if one can."""
    if os.geteuid() != 0:
        return "Slurm's daemons need root"
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return (
            f"{', '.join(missing)} not found; on Debian: "
            "apt-get install --no-install-recommends slurm-wlm munge"
        )
    if not Path("/etc/slurm").is_dir():
        return "there is no /etc/slurm to mount a configuration over"
    tried = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"no namespaces: {tried.stderr.strip()}" if tried.returncode else None


@dataclass
class Cluster:
    """The controller, the nodes, and what a test does to them.

    Attributes
    ----------
    folder
        Where logs, spools and the state of the controller lie.
    """

    folder: Path
    _outer: subprocess.Popen = field(init=False)
    _init: psutil.Process = field(init=False)
    _daemons: list[subprocess.Popen] = field(default_factory=list, init=False)

    def __enter__(self) -> "Cluster":
        (self.folder / "etc").mkdir(parents=True)
        (self.folder / "state").mkdir()
        (self.folder / "etc/slurm.conf").write_text(self._configuration())
        (self.folder / "munge.key").write_bytes(os.urandom(128))
        (self.folder / "munge.key").chmod(0o400)
        # When the controller is slow to answer, the plugin looks for sacct and turns to it; there
        # being no accounting database, it would never learn of its jobs again.
        (self.folder / "bin").mkdir()
        (self.folder / "bin/which").write_text(WHICH)
        (self.folder / "bin/which").chmod(0o755)
        # The shell adopts and reaps what loses its parent, as init does.
        kept = 'mount --bind "$0" /etc/slurm && while sleep 1; do :; done'
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self._outer = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *apart, "sh", "-c", kept, str(self.folder / "etc")]
        )
        try:
            outer = psutil.Process(self._outer.pid)
            until(outer.children, 10, "the namespace")
            (self._init,) = outer.children()
            mounted = ("test", "-e", "/etc/slurm/slurm.conf")
            until(lambda: self.run(*mounted).returncode == 0, 10, "the configuration")
            files = [f"--{kind}-file={self.folder}/munge.{kind}" for kind in MUNGE]
            socket_there = self.folder / "munge.socket"
            self._start("munged", "--foreground", "--force", *files, f"--socket={socket_there}")
            until(socket_there.exists, 10, "munge")
            self.start_controller()
            for node in NODES:
                self.start_node(node)
            until(lambda: self.states() == dict.fromkeys(NODES, "idle"), 60, "both nodes")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *reason: object) -> None:
        # With the first process of its namespace every other ends too.
        self._outer.kill()
        for process in (self._outer, *self._daemons):
            process.wait()

    def _configuration(self) -> str:
        memory_mb = psutil.virtual_memory().total >> 20
        controller_port, *ports = free_ports(1 + len(NODES))
        nodes = [
            NODE.format(name=name, port=port, memory_mb=memory_mb)
            for name, port in zip(NODES, ports, strict=True)
        ]
        return CONFIGURATION.format(
            host=socket.gethostname(),
            controller_port=controller_port,
            folder=self.folder,
            nodes="\n".join(nodes),
        )

    def command(self, *arguments: object, folder: Path | None = None) -> list[str]:
        """A command as it is run where the cluster is."""
        inside = ["nsenter", "--target", str(self._init.pid), "--mount", "--pid", "--"]
        path = f"PATH={self.folder}/bin:{os.environ['PATH']}"
        return [*inside, "env", "--chdir", str(folder or self.folder), path, *map(str, arguments)]

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a command of Slurm to its end."""
        return subprocess.run(
            self.command(*arguments), capture_output=True, text=True, check=False, timeout=60
        )

    def _start(self, *arguments: object) -> None:
        with (self.folder / "daemons.log").open("a") as log:
            daemon = subprocess.Popen(self.command(*arguments), stdout=log, stderr=log)
        self._daemons.append(daemon)

    def start_controller(self) -> None:
        """Start the controller, which goes on from the state it saved."""
        self._start("slurmctld", "-D")

    def start_node(self, node: str) -> None:
        """Start a node."""
        self._start("slurmd", "-D", "-N", node)

    def processes(self, *words: str) -> list[psutil.Process]:
        """Processes of the cluster whose command line has every one of these words."""
        # What lost its parent belongs to the first process of the namespace.
        roots = [self._init, *(psutil.Process(daemon.pid) for daemon in self._daemons)]
        found = []
        for process in [child for root in roots for child in root.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                if all(word in " ".join(process.cmdline()) for word in words):
                    found.append(process)
        return found

    def states(self) -> dict[str, str]:
        """State of every node."""
        told = self.run("sinfo", "--noheader", "--Node", "--format", "%N %T").stdout
        return dict(line.split() for line in told.splitlines())

    def running(self) -> dict[str, str]:
        """Node of every job that runs, by the job's number."""
        told = self.run("squeue", "--noheader", "--states=RUNNING", "--format=%i %N").stdout
        return dict(line.split() for line in told.splitlines())

    def ended(self) -> dict[str, str]:
        """State of every job that the controller remembers."""
        told = self.run("squeue", "--noheader", "--states=all", "--format=%i %T").stdout
        return dict(line.split() for line in told.splitlines())

    def logs_of_nodes(self) -> str:
        """What the daemons of the nodes wrote to their logs."""
        return "".join((self.folder / f"slurmd.{node}.log").read_text() for node in NODES)

    def freeze(self, job: str) -> list[psutil.Process]:
        """Stop the processes of a job, as if it hung; the stopped ones, to be resumed."""
        steps = self.processes(f"slurmstepd: [{job}.")
        frozen = [child for step in steps for child in step.children(recursive=True)]
        for process in frozen:
            process.suspend()
        return frozen

    def lose_power(self, node: str) -> None:
        """Kill a node: its daemon, those of its jobs' steps, and all that these started."""
        jobs = [job for job, where in self.running().items() if where == node]
        steps = [step for job in jobs for step in self.processes(f"slurmstepd: [{job}.")]
        doomed = [*self.processes("slurmd", "-N", node), *steps]
        doomed += [child for step in steps for child in step.children(recursive=True)]
        for process in doomed:
            kill(process)

    def stop_controller(self) -> None:
        """Kill the controller."""
        for process in self.processes("slurmctld", "-D"):
            kill(process)
        until(lambda: not self.processes("slurmctld", "-D"), 10, "the end of the controller")


def kill(process: psutil.Process) -> None:
    """Kill a process that may have ended meanwhile."""
    with suppress(psutil.NoSuchProcess):
        process.kill()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def until(holds: Callable[[], object], seconds: float, what: str) -> None:
    """Wait for something; raise ``TimeoutError`` if it takes longer."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not there after {seconds} s")
        time.sleep(0.2)
