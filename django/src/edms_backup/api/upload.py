"""Uploads: streamed into a private file below a size limit, removed unless a job takes them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from ..conf import backup_settings
from .errors import Refused


class ArchiveUploadHandler(FileUploadHandler):
    """Writes an upload into the upload folder; stops reading when it is too large."""

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self.is_too_large = False
        self._file: Any = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.remove()
        folder = backup_settings.upload_folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made with mode 0600. The engine goes by content, the ending is for people.
        self._file = tempfile.NamedTemporaryFile(dir=folder, prefix="upload-", suffix=".archive", delete=False)
        self._len = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._len += len(raw_data)
        if self._len > backup_settings.MAX_UPLOAD_BYTES:
            self.is_too_large = True
            self.remove()
            raise StopUpload(connection_reset=True)
        self._file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        self._file.flush()
        return UploadedFile(self._file, self.file_name, self.content_type, file_size)

    def upload_interrupted(self) -> None:
        self.remove()

    def check(self) -> None:
        """
        :raises Refused: the upload was too large.
        """
        if self.is_too_large:
            limit = backup_settings.MAX_UPLOAD_BYTES
            raise Refused(413, "upload_too_large", f"the upload has more than {limit} bytes", "Put the file on the server and use restore_backup --from-file.")

    def keep(self) -> str:
        """Gives the file to the caller, who removes it; its path."""
        path = self._file.name
        self._file.close()
        self._file = None
        return path

    def remove(self) -> None:
        """Removes what was written and not kept."""
        if self._file is not None:
            self._file.close()
            Path(self._file.name).unlink(missing_ok=True)
            self._file = None
