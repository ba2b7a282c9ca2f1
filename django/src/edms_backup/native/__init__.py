"""The engine, as Python calls it. Nothing else in this package knows the C interface.

>>> from edms_backup import native
>>> with native.start("create", {"kind": "files", "output": "/tmp", "files": {"documents": "/srv/documents"}}) as job:  # doctest: +SKIP
...     while not job.wait(1.0):
...         print(job.progress()["bytes_done"])
...     record = job.result()

A request is the name of a command and a mapping with the fields of the command line's options: ``--skip-files`` is ``skip_files=True``, what may be
repeated is a list, ``NAME=VALUE`` pairs are a mapping. Results are what the command line prints with ``--json``.
"""

from .errors import (
    ArchiveError,
    BusyError,
    CancelledError,
    EngineError,
    LibraryPanic,
    NotConfirmedError,
    NotFoundError,
    OutOfSpaceError,
    RunningError,
    UsageError,
    WrongProcessError,
)
from .handles import Job, Progress, run, start, version

__all__ = [
    "ArchiveError",
    "BusyError",
    "CancelledError",
    "EngineError",
    "Job",
    "LibraryPanic",
    "NotConfirmedError",
    "NotFoundError",
    "OutOfSpaceError",
    "Progress",
    "RunningError",
    "UsageError",
    "WrongProcessError",
    "run",
    "start",
    "version",
]
