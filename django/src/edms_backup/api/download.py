"""Downloads: streamed, with ranges, or handed to the web server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from ..conf import backup_settings

_PIECE = 1 << 20


def archive_response(request: HttpRequest, path: Path, sha256: str) -> HttpResponseBase:
    """The archive at ``path``, or the part of it that the request wants.

    :raises OSError: it cannot be read.
    """
    file = path.open("rb")
    size = path.stat().st_size
    etag = f'"{sha256}"' if sha256 else None
    first, last, status = 0, size - 1, 200
    wanted = request.headers.get("Range")
    condition = request.headers.get("If-Range")
    if wanted and (condition is None or condition == etag):
        found = _range(wanted, size)
        if found == "unsatisfiable":
            file.close()
            return _headers(HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"}), path, etag)
        if isinstance(found, tuple):
            (first, last), status = found, 206
    header = backup_settings.SENDFILE_HEADER
    if header:
        file.close()
        # The web server reads the file, and the range of the request, itself.
        response: HttpResponseBase = HttpResponse(content_type="application/octet-stream")
        response[header] = f"{backup_settings.SENDFILE_PREFIX}{path.name}" if header == "X-Accel-Redirect" else str(path)
        return _headers(response, path, etag)
    if request.method == "HEAD":
        file.close()
        response = HttpResponse(status=status, content_type="application/octet-stream")
    else:
        file.seek(first)
        response = StreamingHttpResponse(_pieces(file, last - first + 1), status=status, content_type="application/octet-stream")
    response["Content-Length"] = str(last - first + 1)
    if status == 206:
        response["Content-Range"] = f"bytes {first}-{last}/{size}"
    return _headers(response, path, etag)


def _headers(response: HttpResponseBase, path: Path, etag: str | None) -> HttpResponseBase:
    response["Accept-Ranges"] = "bytes"
    response["Content-Disposition"] = content_disposition_header(True, path.name) or "attachment"
    response["Cache-Control"] = "private, no-store"
    if etag:
        response["ETag"] = etag
    return response


def _range(header: str, size: int) -> tuple[int, int] | str | None:
    """First and last byte; "unsatisfiable"; or None for what is not one range of bytes and is therefore ignored."""
    match = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", header.strip())
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        return (size - length, size - 1) if length else "unsatisfiable"
    begin, end = int(first), min(int(last), size - 1) if last else size - 1
    if last and int(last) < begin:
        return None
    return (begin, end) if begin < size else "unsatisfiable"


def _pieces(file: IO[bytes], length: int) -> Iterator[bytes]:
    with file:
        while length > 0:
            piece = file.read(min(_PIECE, length))
            if not piece:
                # Content-Length promised more: the client sees a broken download, which it is.
                return
            length -= len(piece)
            yield piece
