"""A measured number with what it can be at best and at worst: the form of every result."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """One number of a model.

    `ceiling` is what the photos reach, measured in the same way as if the model had drawn them; `floor` is what photos
    of other entries reach: perfect pictures of the wrong thing. None where nothing can be measured.
    """

    value: float | None
    ceiling: float | None = None
    floor: float | None = None
    unit: str = ""
    higher_is_better: bool = True

    @property
    def standing(self):
        """Where the value is between floor and ceiling: 0 at the floor, 1 at the ceiling, None without both."""
        if None in (self.value, self.ceiling, self.floor) or self.ceiling == self.floor:
            return None
        return (self.value - self.floor) / (self.ceiling - self.floor)

    def to_dict(self):
        """The figure as JSON has it."""
        return asdict(self)


def mean(values):
    """The mean over values [N] that are not NaN, as a float; None if there is none."""
    values = [value for value in values if value == value]
    return float(sum(values) / len(values)) if values else None
