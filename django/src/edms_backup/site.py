"""The project as the engine sees it: database, file roots and references, taken from Django's settings and models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage
from django.db import connections, models

from .conf import backup_settings

#: Connection options of psycopg that mean the same to the engine; others concern psycopg alone.
_CONNECTION_OPTIONS = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "passfile",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslrootcert",
    "target_session_attrs",
]


@dataclass
class FileRoots:
    """Where the project keeps files, and which columns name them."""

    #: Name -> folder.
    roots: dict[str, Path] = field(default_factory=dict)
    #: ``[[references]]`` rules.
    references: list[dict[str, Any]] = field(default_factory=list)
    #: File fields whose files are not in any root, and why: "app.Model.field" -> reason.
    uncovered: dict[str, str] = field(default_factory=dict)


def database_url() -> str:
    """The project's database as a connection string, with its password. It must reach no log and no command line."""
    configured = connections[backup_settings.DATABASE].settings_dict
    if "postgresql" not in configured["ENGINE"] and "postgis" not in configured["ENGINE"]:
        raise ImproperlyConfigured(f"DATABASES[{backup_settings.DATABASE!r}] is not PostgreSQL: only PostgreSQL can be backed up")
    options = configured.get("OPTIONS", {})
    if "service" in options:
        raise ImproperlyConfigured("DATABASES names a connection service: name host, database and user instead")
    words = {
        "dbname": configured["NAME"],
        "user": configured["USER"],
        "password": configured["PASSWORD"],
        "host": configured["HOST"],
        "port": configured["PORT"],
        **{name: options[name] for name in _CONNECTION_OPTIONS if name in options},
    }
    return " ".join(f"{name}={_quoted(str(value))}" for name, value in words.items() if value not in (None, ""))


def file_roots() -> FileRoots:
    """Every folder in which the project keeps files: those that are set, ``MEDIA_ROOT``, and the storages of all file fields."""
    found = FileRoots({name: Path(folder) for name, folder in backup_settings.FILES.items()})
    if not backup_settings.FIND_FILES:
        return found
    if settings.MEDIA_ROOT:
        _add_root(found, "media", Path(settings.MEDIA_ROOT))
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy or not model._meta.managed:
            continue
        for column in model._meta.local_fields:
            if isinstance(column, models.FileField):
                _add_field(found, model, column)
    return found


def request(*, user: str | None = None, schedule: Sequence[dict[str, Any]] = (), **fields: Any) -> dict[str, Any]:
    """A request about this project: its common options, and ``fields`` without those that are None. ``user`` is who asks, for the engine's
    journal; ``schedule`` are configurations whose retention counts.
    """
    roots = file_roots()
    configuration: dict[str, Any] = {
        "repository": {"path": str(backup_settings.repository)},
        "files": {name: str(folder) for name, folder in roots.roots.items()},
        "system": {"paths": [str(path) for path in backup_settings.SYSTEM_FILES]},
        "references": roots.references,
        "schedule": list(schedule),
        "sanitize": {"user_tables": [f"public.{get_user_model()._meta.db_table}"], "rules": backup_settings.SANITIZE_RULES},
    }
    common = {
        "settings": configuration,
        "database_url": database_url(),
        "jobs": backup_settings.JOBS,
        "identity_file": str(backup_settings.IDENTITY_FILE) if backup_settings.IDENTITY_FILE else None,
        "face": "django",
        "user": user or None,
    }
    return {name: value for name, value in {**common, **fields}.items() if value is not None}


def _add_field(found: FileRoots, model: type[models.Model], column: models.FileField) -> None:
    label = f"{model._meta.label}.{column.name}"
    storage = column.storage
    if not isinstance(storage, FileSystemStorage):
        found.uncovered[label] = f"its storage, {type(storage).__name__}, is not a folder"
        return
    folder = Path(storage.location)
    name = _add_root(found, _storage_name(storage) or folder.name, folder)
    if name is None:
        found.uncovered[label] = f"its folder {folder} lies within another root: its files are backed up, its rows are not compared"
        return
    rule = {"table": f"public.{model._meta.db_table}", "path_column": column.column, "root": name}
    checksum = backup_settings.CHECKSUMS.get(label)
    if checksum:
        # A name that is no field is an error of the system checks.
        columns = {other.name: other.column for other in model._meta.concrete_fields}
        rule.update({"checksum_column": columns[checksum]} if checksum in columns else {})
    found.references.append(rule)


def _add_root(found: FileRoots, name: str, folder: Path) -> str | None:
    """The name of the root at ``folder``, added when it is new; None when it lies within another."""
    folder = Path(folder).absolute()
    for known, other in found.roots.items():
        if other.absolute() == folder:
            return known
        if other.absolute() in folder.parents:
            return None
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", name).lstrip(".") or "files"
    unique, number = name, 2
    while unique in found.roots:
        unique, number = f"{name}-{number}", number + 1
    # A folder above others takes them in.
    for known in [known for known, other in found.roots.items() if folder in other.absolute().parents]:
        if known not in backup_settings.FILES:
            del found.roots[known]
            found.references = [rule for rule in found.references if rule["root"] != known]
    found.roots[unique] = folder
    return unique


def _storage_name(storage: FileSystemStorage) -> str | None:
    """The alias in ``STORAGES`` of a storage, if it has one that says more than "default"."""
    from django.core.files.storage import storages

    for alias in getattr(settings, "STORAGES", {}):
        if alias in ("default", "staticfiles"):
            continue
        if storages[alias] == storage:
            return alias
    return None


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
