#!/usr/bin/env python3
"""Backs up, verifies and restores one store with this program and with the usual tools, side by side.

    store.py --binary target/release/edms-backup --store FOLDER --out FOLDER [--rounds N] [--only NAME,...]

Each round runs every tool once, so that a slow moment of the machine hits all of them. Tools that are not installed are
left out. Prints Markdown: the best and the median round, CPU time, memory, and the ratio to `cat`.
"""
import argparse
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field


@dataclass
class Case:
    """One thing to measure. `before` runs untimed; `{store}`, `{out}` and `{binary}` are filled in."""

    name: str
    tool: str
    command: str
    before: str = ""
    keep: bool = False  # the output, for the cases that read it; others go at once, or they push the input out of the page cache
    runs: list = field(default_factory=list)
    stored: int = 0


BACKUP = [
    Case("cat", "cat", "find {store} -type f -print0 | sort -z | xargs -0 cat > {out}/cat"),
    Case("tar c \\| zstd -1 -T2", "zstd", "tar -C {store} -c . | zstd -q -1 -T2 -o {out}/tar.zst", keep=True),
    Case("tar c \\| pigz -1", "pigz", "tar -C {store} -c . | pigz -1 > {out}/tar.gz", keep=True),
    Case("borg create -C lz4", "borg", "cd {store} && borg create -C lz4 {out}/borg::one .", "borg init -e none {out}/borg", keep=True),
    Case("restic backup", "restic", "cd {store} && restic -q backup . -r {out}/restic", "restic -q init -r {out}/restic", keep=True),
    Case("rustic backup", "rustic", "cd {store} && rustic backup . -r {out}/rustic", "rustic init -r {out}/rustic"),
    Case("**edms-backup create files**", "{binary}", "{binary} create files -q --no-verify --files store={store} --output {out}/ours.tar.gz", keep=True),
    Case("edms-backup create files, and verify", "{binary}", "{binary} create files -q --files store={store} --output {out}/verified.tar.gz"),
    Case("edms-backup create files --no-sha256", "{binary}", "{binary} create files -q --no-verify --no-sha256 --files store={store} --output {out}/nosha.tar.gz"),
    Case("edms-backup --compression zstd", "{binary}", "{binary} create files -q --no-verify --compression zstd --files store={store} --output {out}/ours.tar.zst"),
]
VERIFY = [
    Case("zstd -t", "zstd", "zstd -qt {out}/tar.zst"),
    Case("pigz -t", "pigz", "pigz -t {out}/tar.gz"),
    Case("borg check --verify-data", "borg", "borg check --verify-data {out}/borg"),
    Case("restic check --read-data", "restic", "restic -q check --read-data -r {out}/restic"),
    Case("**edms-backup verify**", "{binary}", "{binary} verify -q {out}/ours.tar.gz"),
    Case("edms-backup verify --quick", "{binary}", "{binary} verify -q --quick {out}/ours.tar.gz"),
]
RESTORE = [
    Case("zstd -d \\| tar x", "zstd", "zstd -qdc {out}/tar.zst | tar -C {out}/restored -x", "mkdir {out}/restored"),
    Case("pigz -d \\| tar x", "pigz", "pigz -dc {out}/tar.gz | tar -C {out}/restored -x", "mkdir {out}/restored"),
    Case("borg extract", "borg", "cd {out}/restored && borg extract {out}/borg::one", "mkdir {out}/restored"),
    Case("restic restore", "restic", "restic -q restore latest -r {out}/restic --target {out}/restored"),
    Case("**edms-backup restore**", "{binary}", "{binary} restore -q {out}/ours.tar.gz --target {out}/restored --force"),
]
ENVIRONMENT = {"RESTIC_PASSWORD": "bench", "RUSTIC_PASSWORD": "bench", "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"}


def run(command, context):
    """Seconds of wall clock and CPU, and the largest resident size of any process in MiB."""
    meter = "import os,resource,subprocess,sys; code = subprocess.call(['bash', '-o', 'pipefail', '-c', sys.argv[1]]); " \
            "u = resource.getrusage(resource.RUSAGE_CHILDREN); print(u.ru_utime + u.ru_stime, u.ru_maxrss, file=sys.stderr); os._exit(code)"
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", meter, command.format(**context)], env=os.environ | ENVIRONMENT | context["env"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wall = time.monotonic() - start
    if done.returncode:
        sys.exit(f"{command.format(**context)}\nfailed with {done.returncode}:\n{done.stderr}")
    cpu, rss = done.stderr.strip().splitlines()[-1].split()
    return wall, float(cpu), int(rss) / 1024


def size_of(path):
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names)


def empty(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)


def remove(path):
    if os.path.isfile(path):
        os.remove(path)
    else:
        shutil.rmtree(path)


def rounds(cases, context, count, label, prepare):
    for number in range(count):
        prepare()
        for case in cases:
            before = set(os.listdir(context["out"]))
            if case.before:
                subprocess.run(case.before.format(**context), shell=True, check=True, env=os.environ | ENVIRONMENT | context["env"], stdout=subprocess.DEVNULL)
            case.runs.append(run(case.command, context))
            made = [f"{context['out']}/{name}" for name in set(os.listdir(context["out"])) - before]
            case.stored = sum(size_of(path) for path in made)
            for path in made if not case.keep else []:
                remove(path)
            print(f"{label} round {number + 1}: {case.name}: {case.runs[-1][0]:.2f} s", file=sys.stderr)


def table(title, cases, reference):
    base = min(wall for wall, _, _ in reference.runs)
    print(f"\n### {title}\n\n| | best, s | median, s | CPU, s | memory, MiB | stored, MiB | × {reference.name.replace('**', '')} |\n|---|---|---|---|---|---|---|")
    for case in cases:
        walls = [wall for wall, _, _ in case.runs]
        cpu = min(cpu for _, cpu, _ in case.runs)
        rss = max(rss for _, _, rss in case.runs)
        stored = f"{case.stored / 2**20:.0f}" if case.stored else ""
        print(f"| {case.name} | {min(walls):.2f} | {statistics.median(walls):.2f} | {cpu:.2f} | {rss:.0f} | {stored} | {min(walls) / base:.2f} |")


def one_file(context):
    """Time to read one file in the middle of the archive, and how many bytes of the archive that reads."""
    archive = f"{context['out']}/ours.tar.gz"
    names = sorted(os.path.relpath(os.path.join(folder, name), context["store"])
                   for folder, _, files in os.walk(context["store"]) for name in files)
    entry = f"files/store/{names[len(names) // 2]}"
    command = [context["binary"], "cat", archive, entry]
    times = []
    for _ in range(10):
        start = time.monotonic()
        content = subprocess.run(command, check=True, capture_output=True).stdout
        times.append(time.monotonic() - start)
    print(f"\n### One file\n\n`edms-backup cat` of one file of {len(content)} bytes: {min(times) * 1000:.1f} ms at best, "
          f"{statistics.median(times) * 1000:.1f} ms as a median of 10", end="")
    if shutil.which("strace"):
        trace = subprocess.run(["strace", "-f", "-y", "-e", "trace=read,pread64,preadv,preadv2", *command], capture_output=True).stderr.decode(errors="replace")
        read = sum(int(match) for match in re.findall(rf"<{re.escape(os.path.realpath(archive))}>.*= (\d+)$", trace, re.M))
        size = os.path.getsize(archive)
        print(f"; {read} bytes of the archive's {size} read ({100 * read / size:.3f} %)", end="")
    print(".")


def version(tool):
    """Name and version of an installed tool."""
    flag = "version" if tool == "restic" else "--version"
    text = subprocess.run([tool, flag], capture_output=True, text=True)
    return f"{tool} {re.search(r'[0-9]+([.][0-9]+)+', text.stdout + text.stderr)[0]}"


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    memory = int(re.search(r"MemTotal:\s+(\d+)", open("/proc/meminfo").read())[1]) / 2**20
    return f"{os.cpu_count()} × {model}, {memory:.0f} GiB of memory, Linux {platform.release()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--store", required=True)
    parser.add_argument("--out", required=True, help="a folder that does not exist yet, best on tmpfs; removed at the end")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="names of tools, comma separated, besides edms-backup and cat")
    options = parser.parse_args()
    binary = os.path.realpath(options.binary)
    context = {"binary": binary, "store": os.path.realpath(options.store), "out": os.path.realpath(options.out),
               "env": {"HOME": f"{options.out}.home"}}
    wanted = options.only.split(",") + ["cat", "{binary}"] if options.only else None

    def usable(cases):
        return [case for case in cases if (wanted is None or case.tool in wanted) and shutil.which(case.tool.format(**context))]

    backup, verify, restore = usable(BACKUP), usable(VERIFY), usable(RESTORE)
    os.makedirs(options.out)
    os.makedirs(f"{options.out}.home")
    try:
        subprocess.run(f"find {context['store']} -type f -print0 | xargs -0 cat > /dev/null", shell=True, check=True)
        rounds(backup, context, options.rounds, "backup", lambda: empty(options.out))
        rounds(verify, context, options.rounds, "verify", lambda: None)
        rounds(restore, context, options.rounds, "restore", lambda: None)
        files = sum(len(names) for _, _, names in os.walk(context["store"]))
        versions = ", ".join(version(tool) for tool in ("tar", "zstd", "pigz", "borg", "restic", "rustic") if shutil.which(tool))
        print(f"{machine()}; {files} files, {size_of(context['store']) / 2**20:.0f} MiB in the page cache, output on "
              f"{subprocess.run(['stat', '-f', '-c', '%T', options.out], capture_output=True, text=True).stdout.strip()}; "
              f"{options.rounds} rounds. {versions}.")
        table("Backup", backup, next(case for case in backup if case.tool == "cat"))
        table("Verify", verify, next(case for case in verify if case.name.startswith("**")))
        table("Restore", restore, next(case for case in restore if case.name.startswith("**")))
        one_file(context)
    finally:
        shutil.rmtree(options.out, ignore_errors=True)
        shutil.rmtree(f"{options.out}.home", ignore_errors=True)


if __name__ == "__main__":
    main()
