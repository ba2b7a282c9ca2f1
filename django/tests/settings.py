"""The sample EDMS, as the tests run it."""

import os

from . import server

os.environ["DB_HOST"] = server.socket_folder()
os.environ["DB_USER"] = "postgres"
os.environ["DB_NAME"] = "edms"
# Every test has folders of its own.
os.environ.setdefault("STORAGE_ROOT", "/nonexistent")
os.environ.pop("BACKUP_ROOT", None)

from config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
