"""A Debian of the test's own: a folder made by debootstrap, booted with systemd as its first process.

Invariants: the container has no network but its own loopback; it ends with this process, whatever ends that;
what a run changes is gone with the run, only the debootstrap folder is kept for the next one.
"""

import ctypes
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import time


class Failure(Exception):
    """What is wrong, for a person."""


# So that a wait that never ends fails while something can still be said about it.
COMMAND_SECONDS = 120
BOOT_SECONDS = 60
DEBOOTSTRAP_SECONDS = 900


def run_here(*command, seconds=COMMAND_SECONDS):
    """Runs a command on this machine; it must succeed."""
    result = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)
    if result.returncode != 0:
        raise Failure(f"{' '.join(command)} ended with {result.returncode}:\n{result.stdout[-4000:]}")
    return result.stdout


def debian(folder, suite, packages):
    """The path of a fresh Debian with these packages, made once and kept in `folder`."""
    name = hashlib.sha256(" ".join([suite, *packages]).encode()).hexdigest()[:16]
    base = folder / f"{suite}-{name}"
    if not base.exists():
        # What an interrupted run began is not taken for a whole one.
        unfinished = folder / "unfinished"
        for old in folder.glob("*"):
            shutil.rmtree(old)
        folder.mkdir(parents=True, exist_ok=True)
        run_here(
            "debootstrap", "--variant=minbase", f"--include={','.join(packages)}", suite, str(unfinished),
            seconds=DEBOOTSTRAP_SECONDS)
        shutil.rmtree(unfinished / "var/cache/apt")
        unfinished.rename(base)
    return base


class Container:
    """A booted copy of a Debian folder. Use it in a `with` statement."""

    def __init__(self, base, folder):
        self.root = folder / "root"
        self.console_path = folder / "console"
        self.cgroups = []
        self.process = None
        self.first = None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        run_here("cp", "-a", "--reflink=auto", str(base), str(self.root))

    def __enter__(self):
        try:
            self._boot()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_):
        self._stop()

    def run(self, *command, seconds=COMMAND_SECONDS):
        """Runs a command in the container to its end. stdout and stderr are the result's `stdout`."""
        return subprocess.run(
            self._inside(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=seconds)

    def check(self, *command, seconds=COMMAND_SECONDS):
        """Runs a command that must succeed, and returns what it printed."""
        result = self.run(*command, seconds=seconds)
        if result.returncode != 0:
            raise Failure(f"{' '.join(command)} ended with {result.returncode}:\n{result.stdout}")
        return result.stdout

    def start(self, *command, stdout):
        """Starts a command in the container, which ends with the container at the latest."""
        return subprocess.Popen(self._inside(command), stdin=subprocess.DEVNULL, stdout=stdout)

    def path(self, path):
        """Where a file of the container is on this machine."""
        return self.root / path.lstrip("/")

    def _inside(self, command):
        # All namespaces of the first process; the environment is that of a service, not of who runs the test.
        environment = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
        return ["nsenter", "--target", str(self.first), "--all", *environment, *command]

    def _boot(self):
        self.cgroups = make_cgroups()
        # In a process namespace around it, since otherwise the container outlives a systemd-nspawn that is killed.
        command = [
            "unshare", "--pid", "--fork", "--kill-child", "--mount-proc",
            "systemd-nspawn", "--quiet", "-D", str(self.root), "--register=no", "--keep-unit", "--private-network",
            "--console=pipe", "--boot"]
        with open(self.console_path, "wb") as console:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, preexec_fn=self._enter_cgroups)
        deadline = time.monotonic() + BOOT_SECONDS
        while not self._is_booted():
            if self.process.poll() is not None:
                self._refuse(f"systemd-nspawn ended with {self.process.returncode}")
            if time.monotonic() > deadline:
                self._refuse(f"no boot within {BOOT_SECONDS} s")
            time.sleep(0.1)

    # In the process that becomes "unshare".
    def _enter_cgroups(self):
        die_with_parent()
        for cgroup in self.cgroups:
            (cgroup / "cgroup.procs").write_text(str(os.getpid()))

    def _is_booted(self):
        nspawn = child(self.process.pid)
        self.first = nspawn and child(nspawn)
        if not self.first:
            return False
        state = self.run("systemctl", "is-system-running").stdout.strip()
        if state == "degraded":
            failed = self.run("systemctl", "--failed", "--no-legend").stdout
            raise Failure(f"the container booted, but not all of it:\n{failed}")
        return state == "running"

    def _refuse(self, reason):
        console = self.console_path.read_text(errors="replace")[-4000:]
        raise Failure(f"the container does not boot on this machine: {reason}\n{console}")

    def _stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        for cgroup in self.cgroups:
            remove_cgroup(cgroup)
        shutil.rmtree(self.root, ignore_errors=True)


def child(pid):
    """The first child of a process; None where there is none, or no such process."""
    try:
        pids = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return None
    return int(pids[0]) if pids else None


def die_with_parent():
    """Has the kernel kill this process when the one that started it ends."""
    set_parent_death_signal = 1
    ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGKILL)


def make_cgroups():
    """A cgroup of the container's own in each hierarchy that systemd uses, below that of this process.

    Without them systemd-nspawn makes some next to whatever else is there, and leaves them behind.
    """
    own = {}
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        own[controllers] = path.lstrip("/")
    made = []
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, mount, kind, options, *_ = line.split()
        controllers = "" if kind == "cgroup2" else "name=systemd"
        if kind == "cgroup2" or kind == "cgroup" and controllers in options.split(","):
            cgroup = pathlib.Path(mount, own[controllers], f"stepgate-package-test-{os.getpid()}")
            cgroup.mkdir(exist_ok=True)
            made.append(cgroup)
    return made


def remove_cgroup(cgroup):
    """Removes a cgroup with those below it. Their processes are killed, but the kernel may still be at it."""
    deadline = time.monotonic() + 5
    while cgroup.exists():
        try:
            for path, _, _ in os.walk(cgroup, topdown=False):
                os.rmdir(path)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
