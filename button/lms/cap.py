"""How many calls a server takes at once, told from the share of 429s among its answers.

Some servers say 429 when they are full, some now and then for no reason. One rejection means nothing; their share in
a window of answers does:

    over 1/8     cut to what the server still carried, at most to a quarter; the same cap found again is trusted longer
    under 1/20   after enough such windows in a row, try a quarter more
"""

CUT_SHARE = 1 / 8
CALM_SHARE = 1 / 20
SMALLEST_WINDOW = 16  # answers
LONGEST_PATIENCE = 16  # calm windows


class Cap:
    """The adaptive limit: `limit` is in [1, highest] calls; `epoch` counts the cuts."""

    def __init__(self, highest: int) -> None:
        self.highest = highest
        self.limit = highest
        self.epoch = 0
        self._answers = 0
        self._rejections = 0
        self._carried = highest  # the fewest calls that a rejection left in flight in this window
        self._calm_windows = 0
        self._patience = 1
        self._last_cut = 0

    def note(self, *, rejected: bool, epoch: int, others_in_flight: int) -> None:
        """Count one answer to a call that started in `epoch`, while `others_in_flight` calls were still unanswered."""
        if epoch != self.epoch:  # from before a cut: it says nothing about the limit now
            return
        self._answers += 1
        if rejected:
            self._rejections += 1
            self._carried = min(self._carried, others_in_flight)
        if self._answers < max(SMALLEST_WINDOW, 2 * self.limit):
            return
        share, carried = self._rejections / self._answers, self._carried
        self._answers = self._rejections = 0
        self._carried = self.highest
        if share > CUT_SHARE and self.limit > 1:
            self._cut(carried)
        elif share < CALM_SHARE and self.limit < self.highest:
            self._calm_windows += 1
            if self._calm_windows >= self._patience:
                self._calm_windows = 0
                self.limit = min(self.highest, self.limit + max(1, self.limit // 4))

    def _cut(self, carried: int) -> None:
        lowest = max(1, self.limit // 4)
        cut = max(lowest, min(carried, self.limit - 1))
        found_again = abs(cut - self._last_cut) <= max(1, self._last_cut // 4)
        self._patience = min(2 * self._patience, LONGEST_PATIENCE) if found_again else 1
        self.limit = self._last_cut = cut
        self.epoch += 1
        self._calm_windows = 0
