"""A PostgreSQL server of the tests' own, gone when they are over."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "throwaway-postgres.sh"


def socket_folder() -> str:
    """Folder of the server's socket; the server is started unless ``TEST_PG_SOCKET`` names one that runs. Its superuser is ``postgres``."""
    given = os.environ.get("TEST_PG_SOCKET")
    if given:
        return given
    folder = tempfile.mkdtemp(prefix="edms-django-")
    # The server may run as another user.
    os.chmod(folder, 0o711)
    subprocess.run([_SCRIPT, "start", folder], check=True)
    owner = os.getpid()

    def stop() -> None:
        if os.getpid() == owner:
            subprocess.run([_SCRIPT, "stop", folder], check=False)
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    os.environ["TEST_PG_SOCKET"] = f"{folder}/postgres/socket"
    return os.environ["TEST_PG_SOCKET"]
