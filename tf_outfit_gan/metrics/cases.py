"""The best and the worst pictures of a measurement, and the sheet that shows them.

Two pictures stand side by side: the photo and what was drawn for it, or a picture before and after a change.
"""

import heapq

from tf_outfit_gan.viz.montage import montage, picture, save_whole

COUNT = 4  # Of the best, and of the worst, of each metric.


class Cases:
    """Remembers the pictures with the highest and the lowest scores of one metric.

    Args:
        name: of the score, for the sheet.
        left: what the left picture of each two is, for the sheet.
        higher_is_better: what a high score means.
    """

    def __init__(self, name, left, higher_is_better):
        self._name, self._left, self._sign = name, left, 1 if higher_is_better else -1
        self._best, self._worst = [], []

    def add(self, samples, scores, left, right):
        """Takes in scores [N], NaN for none, and what is to be shown: two pictures for each, uint8 [N, H, W, 3]."""
        for row, score in enumerate(scores):
            if score != score:
                continue
            place, case = samples.number + row, (score, samples.own.ids[row], left[row].copy(), right[row].copy())
            # The earlier of equals stays; no two places are equal, so cases are never compared themselves.
            for heap, rank in ((self._best, self._sign * score), (self._worst, -self._sign * score)):
                (heapq.heappushpop if len(heap) == COUNT else heapq.heappush)(heap, ((rank, -place), case))

    def rows(self):
        """Two rows of (uint8 [H, W, 3], caption), the best and the worst; none where nothing scored."""
        if not self._best:
            return []
        return [self._row("best", self._best), self._row("worst", self._worst)]

    def _row(self, which, heap):
        row = []
        for _, (score, name, left, right) in sorted(heap, key=lambda item: item[0], reverse=True):
            row += [(left, f"{name}: {self._left}"), (right, f"{which}: {score:.2f} {self._name}")]
        return row


def draw_cases(cases, path):
    """Writes the rows of all `Cases`, or of others that have `rows`, as a PNG; nothing if there are none."""
    rows = [[(picture(pixels), caption) for pixels, caption in row] for case in cases for row in case.rows()]
    if rows:
        save_whole(montage(rows), path)
