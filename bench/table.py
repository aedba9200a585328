"""The table for people and the JSON for programs."""
import json


def number(seconds):
    if seconds is None:
        return ""
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds:.2f} s"


def lines(row):
    """A row's lines: p11mime first, then each that it is compared with and p11mime's ratio to it."""
    yield f"\n{row.title}"
    for contender in row.contenders:
        bar = row.bar_of(contender.name)
        ratio = row.ratio(contender.name)
        cells = [
            f"  {contender.name:<34}",
            f"{number(contender.seconds()):>10}",
            f"{number(contender.processor()):>10}",
            f"{'' if ratio is None else f'{ratio:.2f}':>8}",
            f"{bar.text() if bar else '':>9}",
            f"{'' if bar is None or ratio is None else ('ok' if bar.holds(ratio) else 'OVER'):>5}",
            f"{'' if contender.peak_mib() is None else f'{contender.peak_mib():.1f}':>9}",
        ]
        yield "".join(cells).rstrip() + (f"  {contender.reason or contender.remark}".rstrip())
    for note in row.notes:
        yield f"  {note}"


def heading():
    return f"{'':<36}{'time':>10}{'processor':>10}{'ratio':>8}{'bar':>9}{'':>5}{'peak MiB':>9}"


def as_json(rows, about):
    return json.dumps(about | {"rows": [row.as_dict() for row in rows]}, indent=2) + "\n"
