"""A row of the table: its contenders, and the bars that p11mime is held against."""
import dataclasses

MEMORY_BAR = 24  # MiB of peak resident memory for mails of any size


@dataclasses.dataclass
class Bar:
    """What p11mime's time is held against: at most so many times the other's, or at least so many times its speed."""

    of: str
    limit: float
    speed: bool = False

    def holds(self, ratio):
        return ratio >= self.limit if self.speed else ratio <= self.limit

    def text(self):
        return f"{'≥' if self.speed else '≤'} {self.limit:g}"


@dataclasses.dataclass
class Row:
    key: str
    title: str
    contenders: list
    bars: tuple = ()
    peak_bar: bool = False  # MEMORY_BAR counts
    notes: list = dataclasses.field(default_factory=list)
    runs: int = 5
    warm_up: bool = True
    compared: bool = True  # the contenders do the same work
    values: dict = dataclasses.field(default_factory=dict)  # what is counted, not timed

    def bar_of(self, name):
        return next((bar for bar in self.bars if bar.of == name), None)

    def ratio(self, name):
        ours, theirs = self.contenders[0], next(c for c in self.contenders if c.name == name)
        if not self.compared or ours is theirs or not ours.samples or not theirs.samples:
            return None
        bar = self.bar_of(name)
        ratio = ours.seconds() / theirs.seconds()
        return 1 / ratio if bar and bar.speed else ratio

    def judge_memory(self):
        peak = self.contenders[0].peak_mib() if self.contenders else None
        if self.peak_bar and peak is not None:
            holds = peak <= MEMORY_BAR
            self.values["peak_holds"] = holds
            self.notes.append(f"peak memory {peak:.1f} MiB, bar ≤ {MEMORY_BAR} MiB: {'ok' if holds else 'OVER'}")

    def as_dict(self):
        return {
            "row": self.key,
            "title": self.title,
            "values": self.values,
            "notes": self.notes,
            "contenders": [
                {
                    "name": c.name,
                    "seconds": c.seconds(),
                    "processor_seconds": c.processor(),
                    "peak_mib": c.peak_mib(),
                    "samples": [dataclasses.asdict(sample) for sample in c.samples],
                    "ratio": self.ratio(c.name),
                    "bar": (bar := self.bar_of(c.name)) and bar.text(),
                    "holds": bar and self.ratio(c.name) is not None and bar.holds(self.ratio(c.name)),
                    "reason": c.reason or None,
                    "remark": c.remark or None,
                }
                for c in self.contenders
            ],
        }
