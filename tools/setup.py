"""Set up `.venv` from the lock file, with nothing but Python.

Brings uv along where there is none: no root, nothing outside this folder, and a system Python that is
"externally managed" is left alone. Run as `python3 tools/setup.py [--dev]`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
OLDEST = (3, 11)
UV = "uv==0.13.9"


def fail(message):
    """One clear line, and a non-zero exit code."""
    sys.exit(f"setup: {message}")


def run(*command, quiet=False):
    """Run a command from the project's folder; its exit code is returned."""
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, cwd=ROOT, stdout=output, stderr=output, check=False).returncode


def find_uv():
    """The uv in use, or None."""
    here = SCRIPTS / ("uv.exe" if os.name == "nt" else "uv")
    return str(here) if here.exists() else shutil.which("uv")


def bring_uv():
    """Install uv into `.venv`; where venv lacks pip (Debian without python3-venv), through the system's pip."""
    print("setup: bringing uv into .venv", flush=True)
    if run(sys.executable, "-m", "venv", str(VENV), quiet=True) == 0:
        python = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
        if run(str(python), "-m", "pip", "install", "--quiet", UV) == 0:
            return find_uv()
    target = ROOT / "build" / "uv"
    if run(sys.executable, "-m", "pip", "install", "--quiet", "--target", str(target), UV) == 0:
        return str(target / "bin" / "uv")
    return None


def main():
    """Bring `.venv` in line with uv.lock."""
    if sys.version_info < OLDEST:
        found, wanted = (".".join(map(str, version)) for version in (sys.version_info[:2], OLDEST))
        fail(
            f"Python {found} is too old; install Python {wanted} or later, or name one: make run PYTHON=python{wanted}"
        )
    if not os.access(ROOT, os.W_OK):
        fail(f"{ROOT} cannot be written to; copy the project to a folder of your own")
    uv = find_uv() or bring_uv()
    if uv is None:
        fail("uv could not be installed; install python3-venv or uv, check the network, and try again")
    groups = ["--group", "dev"] if "--dev" in sys.argv[1:] else ["--no-dev"]
    if "--bench" in sys.argv[1:]:
        groups += ["--group", "bench"]
    environment = dict(os.environ, UV_PROJECT_ENVIRONMENT=str(VENV))
    command = [uv, "sync", "--quiet", "--frozen", "--inexact", "--python", sys.executable, *groups]
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0:
        fail(
            "the locked packages could not be installed; see the lines above, check the network, and try again"
        )


if __name__ == "__main__":
    main()
