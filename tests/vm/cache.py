# SPDX-License-Identifier: GPL-2.0-only
"""What puts something into the cache: Debian's packages, locks, words on how it goes.

A script that does so says at its end

  program(main)

and raises Fail where it cannot go on. What it prints on stderr begins with its name.
"""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

CACHE = Path(os.environ.get("XSYNC_CACHE") or
             Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "xsync")
NAME = Path(sys.argv[0]).name
# Where Debian has what is newer than the machine's own suites.
NEWEST = "trixie-backports"


class Fail(Exception):
    """One line that says what is wrong and what to do."""


def say(text):
    print(f"{NAME}: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(text, detail=lambda: ""):
    """Say what is being done, and every so often for how long already."""
    tty = sys.stderr.isatty()
    start, done = time.monotonic(), threading.Event()

    def elapsed():
        return f"{text}: {time.monotonic() - start:.0f} s{detail()}"

    def tick():
        while not done.wait(1 if tty else 20):
            if tty:
                print(f"\r\033[K{NAME}: {elapsed()}", end="", file=sys.stderr, flush=True)
            else:
                say(elapsed())

    if not tty:
        say(text)
    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        print("\r\033[K" if tty else "", end="", file=sys.stderr)
    if time.monotonic() - start > 2:
        say(elapsed())


@contextlib.contextmanager
def locked(name):
    """One process at a time: the second caller finds the work done."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            with step(f"waiting for another run that prepares {name}"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def need_space(megabytes, what):
    free = shutil.disk_usage(CACHE).free >> 20
    if free < megabytes:
        raise Fail(f"{what} needs {megabytes} MB in {CACHE}, {free} MB are free: "
                   "make room, or set XSYNC_CACHE to a folder on a larger disk")


# --- apt ------------------------------------------------------------------

def mirror():
    out = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"],
                         capture_output=True, text=True).stdout.split()
    sites = [s for s in out if s.rstrip("/").endswith("/debian")]
    if not sites:
        raise Fail("apt knows no Debian mirror: add one to /etc/apt/sources.list "
                   "and run `apt-get update`")
    return sites[0]


class Apt:
    """Debian's packages: the machine's own suites, or one more suite kept apart from them."""

    def __init__(self, suite=None, component="main"):
        self.opts = ["-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2"]
        self.private = suite is not None
        if suite is None:
            return
        home = CACHE / "apt" / (suite if component == "main" else f"{suite}-{component}")
        for sub in ("lists/partial", "cache/archives/partial"):
            (home / sub).mkdir(parents=True, exist_ok=True)
        (home / "sources.list").write_text(
            "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
            f"{mirror()} {suite} {component}\n")
        self.opts += ["-o", f"Dir::Etc::sourcelist={home}/sources.list",
                      "-o", "Dir::Etc::sourceparts=/dev/null",
                      "-o", f"Dir::State::lists={home}/lists",
                      "-o", f"Dir::Cache={home}/cache"]

    def unreachable(self):
        # A private suite has no list to update by hand: what fails there is the network.
        return Fail(f"cannot reach the Debian mirror {mirror()}; check the network, "
                    "run `apt-get update` or fix /etc/apt/sources.list")

    def update(self):
        if not self.private and os.geteuid() != 0:
            raise self.unreachable()
        with step("apt-get update"):
            res = subprocess.run(["apt-get", *self.opts, "update", "-qq",
                                  "--error-on=any"] if self.private else
                                 ["apt-get", *self.opts, "update", "-qq"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if res.returncode:
            raise self.unreachable()

    def field(self, package, field):
        out = subprocess.run(["apt-cache", *self.opts, "show", "--no-all-versions", package],
                             capture_output=True, text=True).stdout
        found = re.search(rf"^{field}: (.*)$", out, re.M)
        return found.group(1) if found else None

    def names(self, pattern):
        out = subprocess.run(["apt-cache", *self.opts, "pkgnames", pattern],
                             capture_output=True, text=True).stdout
        return out.split()

    def depends(self, package, pattern):
        """The packages whose names match that PACKAGE depends on."""
        names = re.findall(r"[a-z0-9][a-z0-9+.-]+", self.field(package, "Depends") or "")
        return [n for n in dict.fromkeys(names) if re.fullmatch(pattern, n)]

    def unpack(self, packages, into, what):
        """Download and unpack; the .deb files do not stay."""
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="debs-") as tmp:
            for attempt in ("with the lists there are", "with new lists"):
                with step(f"fetching {what}"):
                    res = subprocess.run(["apt-get", *self.opts, "-qq", "download", *packages],
                                         cwd=tmp, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL)
                if res.returncode == 0:
                    break
                if attempt == "with new lists":
                    raise self.unreachable()
                self.update()
            with step(f"unpacking {what}"):
                for deb in Path(tmp).glob("*.deb"):
                    run(["dpkg-deb", "-x", str(deb), str(into)], f"unpacking {deb.name}")


def run(cmd, what, **kw):
    res = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw)
    if res.returncode:
        say(res.stdout[-3000:])
        raise Fail(f"{what} failed ({cmd[0]} returned {res.returncode}), see above")


@contextlib.contextmanager
def fresh(folder):
    """An empty folder that does not outlive a failure to fill it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def program(main):
    """Run it; what goes wrong is one line that says what to do."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except Fail as why:
        sys.exit(f"{NAME}: {why}")
    except OSError as why:
        is_program = why.filename and "/" not in str(why.filename)
        todo = "run `make deps`" if is_program else "XSYNC_CACHE has to name a folder with room that can be written"
        sys.exit(f"{NAME}: {why.filename or CACHE}: {why.strerror or why}: {todo}")
    except KeyboardInterrupt:
        sys.exit(130)
