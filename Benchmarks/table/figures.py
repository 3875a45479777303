"""What a line of the table says."""
import dataclasses, statistics


@dataclasses.dataclass
class Figure:
    """A figure beside what is promised of it."""
    name: str
    what: str
    value: float
    unit: str = "×"
    # The promise: at least, or at most, this. None for figures that stand there for themselves.
    least: float | None = None
    most: float | None = None
    # What was measured, by who it is of, each a list with one value for each round, in `measured_in`.
    measured: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    measured_in: str = "s"
    note: str = ""
    # Smaller than what the promise is of.
    reduced: bool = False

    def __post_init__(self):
        self.measured = dict(self.measured)

    @property
    def met(self):
        if self.least is not None:
            return self.value >= self.least
        return self.value <= self.most if self.most is not None else None

    @property
    def promise(self):
        if self.least is not None:
            return f"≥ {number(self.least)} {self.unit}"
        return f"≤ {number(self.most)} {self.unit}" if self.most is not None else "–"

    @property
    def share(self):
        """The figure as a share of its promise, 1 and more being kept; None without one."""
        if self.least is not None:
            return self.value / self.least
        if self.most is not None:
            return self.most / self.value if self.value > 0 else float("inf")
        return None


def number(value):
    """Three digits, without an exponent."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.1 else f"{value:.3f}"


def spread(values):
    middle = statistics.median(values)
    return f"{number(middle)} ({number(min(values))}–{number(max(values))})" if len(values) > 1 else number(middle)


def faster(measured, one, other):
    """How many times as fast one is as another: their medians over the same rounds."""
    return statistics.median(measured[other]) / statistics.median(measured[one])


def slower(measured, one, other):
    return 1 / faster(measured, one, other)
