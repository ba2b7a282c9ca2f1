#!/usr/bin/env python3
"""Makes a document store for benchmarks: make_store.py FOLDER [MIB [FILES]], by default 2048 MiB in 6000 files.

Four fifths of the bytes do not shrink, as in PDF, JPEG and DOCX; the rest is text, CSV and XML. Deterministic.
"""
import os
import random
import sys
import zlib

WORDS = 6000
POOL = 24 << 20


def vocabulary(rng):
    letters = "eeeetttaaaooiinnsshhrrdlucmfwygpbvk"
    return ["".join(rng.choices(letters, k=rng.randint(2, 10))) for _ in range(WORDS)]


def pools(rng):
    """Long texts of which each file is a piece: making every file's text anew would take minutes."""
    words = vocabulary(rng)
    weights = [1 / (rank + 3) for rank in range(WORDS)]

    def text(make):
        parts, size = [], 0
        while size < POOL:
            part = make(rng.choices(words, weights, k=2000))
            parts.append(part)
            size += len(part)
        return "".join(parts).encode()

    def rows(some):
        return "".join(f"{rng.randrange(10**6)};{a} {b};{rng.randrange(10**5) / 100:.2f};2024-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}\n"
                       for a, b in zip(some[::2], some[1::2]))

    def markup(some):
        return "".join(f'  <field name="{a}" id="{rng.randrange(10**5)}">{b} {c}</field>\n'
                       for a, b, c in zip(some[::3], some[1::3], some[2::3]))

    return {"txt": text(" ".join), "csv": text(rows), "xml": text(markup)}


def piece(pool, start, size):
    """`size` bytes of the pool from `start`, going round at its end."""
    data = b""
    while len(data) < size:
        data += pool[start:start + size - len(data)]
        start = 0
    return data


def incompressible(rng, kind, size):
    body = rng.randbytes(size)
    if kind == "docx":  # deflated members behind local headers, as in a zip file
        return b"PK\x03\x04" + zlib.compress(body, 0)[2:] + b"PK\x05\x06"
    if kind == "pdf":
        return b"%PDF-1.7\n4 0 obj <</Filter/FlateDecode>> stream\n" + body + b"\nendstream endobj\n%%EOF\n"
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + body + b"\xff\xd9"


def main():
    folder = sys.argv[1]
    mib = int(sys.argv[2]) if len(sys.argv) > 2 else 2048
    files = int(sys.argv[3]) if len(sys.argv) > 3 else 6000
    rng = random.Random(7)
    pool = pools(rng)
    kinds = ["pdf", "jpg", "docx", "pdf", "txt", "csv", "pdf", "jpg", "xml", "docx"]
    compressible = {"txt", "csv", "xml"}
    # Sizes vary as real ones do: many small files, a few large ones.
    plan = [(kinds[n % len(kinds)], rng.lognormvariate(0, 1.3)) for n in range(files)]
    for group, share in ((False, 0.8), (True, 0.2)):
        total = sum(weight for kind, weight in plan if (kind in compressible) == group)
        scale = mib * (1 << 20) * share / total
        for number, (kind, weight) in enumerate(plan):
            if (kind in compressible) != group:
                continue
            size = int(weight * scale)
            if group:
                data = piece(pool[kind], rng.randrange(POOL), size)
            else:
                data = incompressible(rng, kind, size)
            path = f"{folder}/{number % 64:02x}/{number:05}.{kind}"
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "xb") as out:
                out.write(data)


if __name__ == "__main__":
    main()
