"""Diagnostics of a training: mode collapse, discriminator saturation, R1 explosion, input starvation, skipped updates."""

import statistics
from collections import Counter, deque

# Thresholds of a tick. They are far from what healthy runs show (mean signs of scores around 0.6, losses of the
# generator of 1 to 3, R1 adding some 0.05 to the loss, a spread of fakes of half that of photos and more), so that a
# warning is worth reading. R1 grows from next to nothing when a level begins: it counts when it rules the loss.
SATURATED_SIGN, SATURATED_LOSS = 0.95, 5.0
R1_LOSS, R1_TIMES_MEDIAN, R1_TICKS = 1.0, 10.0, 5
COLLAPSED_SPREAD = 0.25
STARVED_SHARE = 0.25

# Ticks in a row that must show it; 1 unless said otherwise. Pictures may be alike, and data slow, for a moment.
_IN_A_ROW = {"collapsed": 3, "starved": 2}


class Diagnostics:
    """Checks the statistics of each tick."""

    def __init__(self):
        self._in_a_row = Counter()
        self._height, self._r1_losses = None, deque(maxlen=25)

    def update(self, record):
        """Takes the next tick.

        Args:
            record: as it goes to stats.jsonl. A diagnostic whose numbers it lacks is not found.

        Returns:
            (names of all diagnostics found now, {name: a line for people} of those not found before)
        """
        found = dict(self._found(record))
        self._in_a_row = Counter({name: self._in_a_row[name] + 1 for name in found})
        shown = [name for name in found if self._in_a_row[name] >= _IN_A_ROW.get(name, 1)]
        return shown, {name: found[name] for name in shown if self._in_a_row[name] == _IN_A_ROW.get(name, 1)}

    def _found(self, record):
        """Yields (name, line) of what this tick alone shows."""
        sign_real, sign_fake, loss = (record.get(name, 0.0) for name in ("sign_real", "sign_fake", "loss_generator"))
        if sign_real > SATURATED_SIGN and sign_fake < -SATURATED_SIGN and loss > SATURATED_LOSS:
            yield (
                "saturated",
                (
                    f"the discriminator makes no mistakes any more (sign_real {sign_real:.2f}, sign_fake {sign_fake:.2f}, "
                    f"loss_generator {loss:.1f}), and the generator learns little from it: try a higher r1_gamma or a "
                    "lower learning_rate, and ada_target=0.6 where the catalogue is small"
                ),
            )

        # R1 of one level says nothing of another's.
        if record.get("height") != self._height:
            self._height = record.get("height")
            self._r1_losses.clear()
        if "r1_loss" in record:  # None of the steps of a short tick may have had it.
            r1 = record["r1_loss"]
            usual = statistics.median(self._r1_losses) if len(self._r1_losses) >= R1_TICKS else r1
            self._r1_losses.append(r1)
            if r1 > max(R1_LOSS, R1_TIMES_MEDIAN * usual):
                yield (
                    "r1_explodes",
                    (
                        f"R1 adds {r1:.1f} to the discriminator's loss, more than {R1_TIMES_MEDIAN:.0f} times its median of "
                        "the ticks before: the discriminator becomes unstable; if it lasts, go back to a snapshot from "
                        "before, with a higher r1_gamma or a lower learning_rate"
                    ),
                )

        spread_real, spread_fake = record.get("spread_real", 0.0), record.get("spread_fake", 0.0)
        if spread_fake < COLLAPSED_SPREAD * spread_real:
            yield (
                "collapsed",
                (
                    f"fakes differ from each other by {spread_fake / spread_real:.0%} of what photos do (spread_fake "
                    f"{spread_fake:.3f}, spread_real {spread_real:.3f}): mode collapse, fakes are nearly identical; go back "
                    "to a snapshot from before, with a lower learning_rate or a higher r1_gamma"
                ),
            )

        if record.get("input_wait", 0.0) > STARVED_SHARE:
            yield (
                "starved",
                (
                    f"the steps wait for data {record['input_wait']:.0%} of the time: 'outfit-gan benchmark input' shows "
                    "what the data can give; a faster disk, more cores or --data-service help"
                ),
            )

        if record.get("skipped_updates"):
            yield (
                "skipped",
                (
                    f"{record['skipped_updates']} updates were skipped since the last tick, as their gradients were not "
                    "finite: a few do no harm, many mean that the learning_rate is too high or r1_gamma too low"
                ),
            )
