"""How much of a run is done and how long the rest takes: expected seconds of every part, corrected by what was really seen.

A run is a list of stages, a stage a list of parts (loops whose steps cost about the same). Expected seconds are those of two ordinary cores;
only their ratios matter, because the pace of the run itself scales them::

    remaining = sum over parts of (expected seconds that are left) x pace

For the part that is going the pace is its own, the more of its steps are done; for the later ones it is that of the whole run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FIRST_FRACTION, FIRST_S = 0.05, 3.0
"""Until so much of a run is done, or so many seconds have gone, nothing is said of the time that remains."""


@dataclass(frozen=True)
class Part:
    """A loop within a stage: steps that it is expected to take, and the expected seconds of one."""

    steps: int
    step_s: float

    @property
    def seconds(self) -> float:
        return self.steps * self.step_s


class TimeEstimate:
    """Counts what is done of a plan ``{stage: expected seconds}`` and foresees the rest.

    `begin` a stage, `advance` within its present part, `next_part` when that has ended (earlier or later than expected), `end` the stage.
    """

    def __init__(self, plan: Mapping[str, float]) -> None:
        self._plan = dict(plan)
        self._done_s = 0.0
        self._stage = ""
        self._parts: list[Part] = []
        self._steps = 0
        self._before = 0
        self._began = 0.0
        self._first: float | None = None

    @property
    def steps(self) -> int:
        """Steps that the present stage is expected to have in all."""
        return self._before + sum(part.steps for part in self._parts)

    @property
    def done(self) -> int:
        """Steps of the present stage that are done."""
        return self._before + self._steps

    def begin(self, stage: str, parts: Sequence[Part], now: float) -> None:
        """A stage begins at `now` (seconds since the start); without the expected seconds of its parts it has those of the plan."""
        total = sum(part.seconds for part in parts)
        if total <= 0:
            steps = sum(part.steps for part in parts)
            parts = [Part(steps, self._plan.get(stage, 0.0) / max(1, steps))]
        self._first = now if self._first is None else self._first
        self._stage, self._parts, self._before, self._steps, self._began = stage, list(parts), 0, 0, now

    def resize(self, steps: int) -> None:
        """The present part will take so many steps; a step costs as much as before."""
        if self._parts:
            self._parts[0] = Part(max(1, steps), self._parts[0].step_s)

    def advance(self, steps: int) -> None:
        """Steps of the present part are done; of a loop that goes on beyond what was expected every step may be the last."""
        self._steps += steps
        if not self._parts:
            return
        part = self._parts[0]
        if self._steps > part.steps:
            self._parts[0] = Part(self._steps, part.step_s)

    def next_part(self, now: float) -> None:
        """The loop has ended: the next part begins. A part that counted no steps has done all of them."""
        part = self._parts.pop(0)
        steps = self._steps or part.steps
        self._done_s += steps * part.step_s
        self._before, self._steps, self._began = self._before + steps, 0, now

    def end(self) -> None:
        """The stage has ended, whatever was expected of it."""
        self._done_s += sum((self._steps or part.steps) * part.step_s for part in self._parts[:1])
        self._plan.pop(self._stage, None)
        self._parts, self._steps = [], 0

    def _left(self) -> tuple[float, float, float]:
        """Expected seconds: done, left in the present part, left later."""
        later = sum(seconds for stage, seconds in self._plan.items() if stage != self._stage)
        if not self._parts:
            return self._done_s, 0.0, later
        part = self._parts[0]
        here = max(0, part.steps - self._steps) * part.step_s
        later += sum(p.seconds for p in self._parts[1:])
        return self._done_s + self._steps * part.step_s, here, later

    def fraction(self) -> float:
        """The share of the expected seconds that is done."""
        done, here, later = self._left()
        return done / (done + here + later) if done > 0 else 0.0

    def remaining(self, now: float) -> float | None:
        """Seconds that remain at `now`; None while too little is done to tell."""
        done, here, later = self._left()
        if done <= 0 or (self.fraction() < FIRST_FRACTION and now < FIRST_S):
            return None
        # What was compiled or loaded before the first stage says nothing of the pace.
        pace = (now - (self._first or 0.0)) / done
        seen = self._steps * self._parts[0].step_s if self._parts else 0.0
        own = (now - self._began) / seen if seen > 0 else pace
        trust = self._steps / (self._steps + 1.0)
        return here * (trust * own + (1 - trust) * pace) + later * pace
