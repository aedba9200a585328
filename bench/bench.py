#!/usr/bin/env python3
"""Times p11mime against openssl cms, gpgsm and NSS cmsutil on the same work, and against the limits of the libraries.

usage: run bench [MIB] [--runs N] [--only ROW]... [--profile ROW]

Prints one table and writes it to build/bench.json. No time decides: the exit status is 1 only if p11mime or one of the
limits failed to do the work.
"""
import argparse
import contextlib
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import measure
import office
import rows
import table
from row import MEMORY_BAR, Row

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
TMPFS = pathlib.Path("/dev/shm")


def arguments():
    parser = argparse.ArgumentParser(prog="run bench", description=__doc__.splitlines()[0])
    parser.add_argument("mib", nargs="?", type=int, default=512, help="MiB of attachment in the large mail (512)")
    parser.add_argument("--runs", type=int, help="measured runs of each program (5; 51 for one small mail)")
    parser.add_argument("--only", action="append", metavar="ROW", help="this row alone; may be repeated")
    parser.add_argument("--profile", metavar="ROW", help="where p11mime spends its time in a row, by perf")
    options = parser.parse_args()
    known = rows.Bench.rows(rows.Bench.__new__(rows.Bench))
    for key in (options.only or []) + ([options.profile] if options.profile else []):
        if key not in known:
            parser.error(f"no row {key}; the rows are {', '.join(known)}")
    return options


def installed(program, directory):
    """A copy, as installing makes one: what the linker has written lies scattered in memory, which each start pays."""
    directory.mkdir()
    return shutil.copy2(program, directory)


@contextlib.contextmanager
def desk(program):
    """An office in a directory of its own on tmpfs, gone at the end, on a signal too."""
    place = TMPFS if TMPFS.is_dir() else None
    directory = pathlib.Path(tempfile.mkdtemp(prefix="p11mime-bench-", dir=place))
    spill = BUILD / directory.name
    made = office.Office(directory, spill, installed(program, spill))
    try:
        made.set_up()
        yield made
    finally:
        made.end()


def tell(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def run_steps(launcher, row):
    """The row of large files: each step once, its files made and removed as it goes."""
    failed = []
    for prepare, contender in row.steps:
        if prepare:
            prepare()
        if contender:
            tell(f"{row.key}: {contender.name}")
            try:
                contender.samples.append(launcher.run(contender))
            except RuntimeError as error:
                contender.reason = str(error)
                return [contender.name]
    return failed


def run_row(launcher, row, runs):
    if hasattr(row, "steps"):
        failed = run_steps(launcher, row)
        over = [c.name for c in row.contenders if c.samples and c.peak_mib() > MEMORY_BAR]
        row.notes.append(f"peak memory, bar ≤ {MEMORY_BAR} MiB: {'OVER: ' + ', '.join(over) if over else 'ok'}")
        return failed
    failed = measure.compare(
        launcher, row.contenders, runs or row.runs, row.warm_up, lambda text: tell(f"{row.key}: {text}")
    )
    row.judge_memory()
    return [name for name in failed if name == "p11mime" or name.startswith("limit")]


def profile(launcher, row, made):
    """Runs p11mime under perf record and shows the libraries and functions that take the most."""
    if not shutil.which("perf"):
        raise SystemExit("run bench: --profile needs perf, of the package linux-perf")
    record = made.path("perf.data")
    contender = row.contenders[0]
    contender.arguments = ["perf", "record", "-q", "-o", record, "--", *contender.arguments]
    launcher.run(contender)
    for columns in ("dso", "dso,symbol"):
        report = ["perf", "report", "-q", "-i", record, "--stdio", "--percent-limit", "1", "--sort", columns]
        subprocess.run(report, check=False, stderr=subprocess.DEVNULL)


def measure_all(options, launcher, bench):
    done, failed = [], []
    print(table.heading(), flush=True)
    for key, make in bench.rows().items():
        if options.only and key not in options.only:
            continue
        tell(f"{key}: making its files")
        try:
            row = make()
            failed += [f"{key}: {name}" for name in run_row(launcher, row, options.runs)]
        except RuntimeError as error:
            row = Row(key, key, [], notes=[str(error).strip()])
            failed.append(f"{key}: its files")
        tell("")
        print("\n".join(table.lines(row)), flush=True)
        done.append(row)
        bench.forget(bench.path("mail.eml"))
    return done, failed


def main():
    options = arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    start = time.monotonic()
    with desk(BUILD / "p11mime") as made:
        launcher = measure.Launcher(BUILD / "bench/p11mime-bench-launch", made.directory, made.environment)
        bench = rows.Bench(made, BUILD / "bench/p11mime-bench-limits", options.mib)
        if options.profile:
            profile(launcher, bench.rows()[options.profile](), made)
            return 0
        done, failed = measure_all(options, launcher, bench)
    about = {"machine": measure.machine(), "attachment_mib": options.mib, "seconds": round(time.monotonic() - start)}
    (BUILD / "bench.json").write_text(table.as_json(done, about))
    print(f"\n{about['seconds']} s; as JSON in build/bench.json")
    for line in failed:
        print(f"failed: {line}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
