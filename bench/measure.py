"""Runs programs and measures them: seconds, processor time, peak resident memory."""
import dataclasses
import os
import pathlib
import statistics
import subprocess


@dataclasses.dataclass
class Sample:
    seconds: float  # by the clock
    processor: float  # seconds of processor time, user and system
    peak_kib: int  # resident


@dataclasses.dataclass
class Contender:
    """A program that does a row's work, or the reason why it does not."""

    name: str
    arguments: list = None
    reason: str = ""
    remark: str = ""  # what one should know of the comparison
    environment: dict = dataclasses.field(default_factory=dict)
    each: pathlib.Path = None  # a list of files: one process for each
    outputs: tuple = ()  # files removed before each run; directories emptied
    samples: list = dataclasses.field(default_factory=list)

    def seconds(self):
        return statistics.median(sample.seconds for sample in self.samples) if self.samples else None

    def processor(self):
        return statistics.median(sample.processor for sample in self.samples) if self.samples else None

    def peak_mib(self):
        return max(sample.peak_kib for sample in self.samples) / 1024 if self.samples else None


class Launcher:
    """Starts programs through p11mime-bench-launch, whose own memory does not show in theirs."""

    def __init__(self, program, directory, environment):
        self.program = program
        self.result = directory / "result"
        self.log = directory / "log"
        self.environment = environment | {"LC_ALL": "C"}

    def run(self, contender):
        """One run. Raises RuntimeError with what the program said where it fails."""
        for path in contender.outputs:
            empty(path)
        each = ["--each", contender.each] if contender.each else []
        with open(self.log, "wb") as log:
            subprocess.run(
                [self.program, self.result, *each, *contender.arguments],
                env=self.environment | contender.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=True,
            )
        seconds, processor, peak, status = self.result.read_text().split()
        if status != "0":
            said = self.log.read_text(errors="replace").strip().splitlines()[-3:]
            raise RuntimeError(f"{' '.join(map(str, contender.arguments[:4]))} …: status {status}: {' / '.join(said)}")
        return Sample(float(seconds), float(processor), int(peak))


def empty(path):
    if path.is_dir():
        for entry in path.iterdir():
            entry.unlink()
    else:
        path.unlink(missing_ok=True)


def compare(launcher, contenders, runs, warm_up, tell):
    """Runs the contenders in turn, so that what else the machine does falls on all of them alike. One that fails is
    taken out, with what it said as the reason; returns the names of those."""
    failed = []
    for turn in range(runs + (1 if warm_up else 0)):
        for contender in contenders:
            if contender.reason:
                continue
            tell(f"{contender.name} {turn + (0 if warm_up else 1)}/{runs}" if turn or not warm_up else contender.name)
            try:
                sample = launcher.run(contender)
            except RuntimeError as error:
                contender.reason = str(error)
                failed.append(contender.name)
                continue
            if turn or not warm_up:
                contender.samples.append(sample)
    for contender in contenders:
        for path in contender.outputs:
            empty(path)
    return failed


def machine():
    """What the figures depend on."""
    model = [
        line.split(":", 1)[1].strip()
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {"processor": model[0] if model else "", "cores": os.cpu_count(), "load": os.getloadavg()[0]}
