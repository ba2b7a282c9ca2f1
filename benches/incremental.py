#!/usr/bin/env python3
"""An incremental backup in which nothing has changed, beside `restic backup` and a bare walk.

    incremental.py --binary target/release/edms-backup --work FOLDER [--files N] [--rounds N]

Makes N small files (default 100,000, a thousand to a folder) below FOLDER/tree, a first backup with each tool, and then lets each run
again over the unchanged files. Each round runs every tool once. Prints Markdown.
"""
import argparse
import os
import shutil
import subprocess
import sys
import time

import store

CASES = [
    store.Case("find -printf", "find", "find {tree} -printf '%p %s %T@ %C@ %i %m\\n' > {out}/list"),
    store.Case("restic backup", "restic", "cd {tree} && restic -q backup . -r {out}/restic"),
    store.Case("**edms-backup create incremental**", "{binary}", "{binary} create incremental -q --repository {out}/ours --files store={tree} --base {base}"),
    store.Case("edms-backup create incremental --no-verify", "{binary}", "{binary} create incremental -q --no-verify --repository {out}/ours --files store={tree} --base {base}"),
]


def make_tree(tree, count):
    for number in range(count):
        folder = f"{tree}/{number // 1000:04}"
        if number % 1000 == 0:
            os.makedirs(folder)
        with open(f"{folder}/document-{number:07}.txt", "w") as file:
            file.write(f"document {number}\n" * (number % 7))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    work = os.path.abspath(options.work)
    tree, out = f"{work}/tree", f"{work}/out"
    binary = os.path.abspath(options.binary)
    store.empty(work)
    os.makedirs(out)
    try:
        make_tree(tree, options.files)
        # Younger files are hashed, because a change in the same tick of the clock would not show.
        time.sleep(3)
        environment = os.environ | store.ENVIRONMENT
        base = f"{out}/base.tar.gz"
        subprocess.run([binary, "create", "files", "-q", "--files", f"store={tree}", "--output", base], check=True, env=environment)
        cases = [case for case in CASES if case.tool == "{binary}" or shutil.which(case.tool)]
        if shutil.which("restic"):
            subprocess.run(f"restic -q init -r {out}/restic && cd {tree} && restic -q backup . -r {out}/restic", shell=True, check=True, env=environment)
        context = {"binary": binary, "tree": tree, "out": out, "base": base, "env": {"RESTIC_CACHE_DIR": f"{out}/cache"}}
        for number in range(options.rounds):
            for case in cases:
                case.runs.append(store.run(case.command, context))
                print(f"round {number + 1}: {case.name}: {case.runs[-1][0]:.2f} s", file=sys.stderr)
        store.table(f"No change in {options.files:,} files", cases, cases[0])
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
