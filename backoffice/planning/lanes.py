"""The busy stretches of one lane, and the earliest gap between them.

Stretches are kept in short chunks. Each chunk knows a bound no gap before one of its stretches exceeds, so a search for a
long gap skips whole chunks. Taking time only narrows gaps and leaves the bounds true; giving it back raises them; a
search that has looked through a chunk in vain makes its bound exact. A copy shares its chunks with the lane that it was
made of, until one of both changes them. Source of the method: max-gap index over bisected interval lists.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

_CHUNK = 96


class Lane:
    """Busy stretches in working time (integers >= 0): sorted, disjoint, neighbours merged."""

    __slots__ = ("_bounds", "_ends", "_lasts", "_own", "_starts")

    def __init__(self, busy: Iterable[tuple[int, int]] = ()) -> None:
        """Take the busy stretches (start, end); overlapping ones count once."""
        merged = merge(busy)
        step = _CHUNK // 2
        parts = [merged[place : place + step] for place in range(0, len(merged), step)]
        self._starts = [[start for start, _ in part] for part in parts]
        self._ends = [[end for _, end in part] for part in parts]
        self._lasts = [part[-1][1] for part in parts]
        # Until somebody looks, the bound is what nothing exceeds: the end of all work known so far.
        self._bounds = [part[-1][1] for part in parts]
        self._own = [True] * len(parts)  # which chunks no other lane shares

    def copy(self) -> Lane:
        """Return a lane with the same stretches. It costs as much as there are chunks, however long they are."""
        other = Lane.__new__(Lane)
        other._starts, other._ends = self._starts[:], self._ends[:]
        other._lasts, other._bounds = self._lasts[:], self._bounds[:]
        self._own, other._own = [False] * len(self._own), [False] * len(self._own)
        return other

    def look(self) -> Lane:
        """Make every bound exact, once for all copies to come; return itself."""
        work = 0
        for chunk, last in enumerate(self._lasts):
            self._look_through(chunk, work, last + 1)
            work = last
        return self

    def is_free(self, start: int, end: int) -> bool:
        """Tell whether [start, end) may be reserved."""
        return start >= end or self.gap(start, end - start) == start

    def stretches(self) -> list[tuple[int, int]]:
        """Return the busy stretches in order."""
        pairs = zip(self._starts, self._ends, strict=True)
        return [stretch for starts, ends in pairs for stretch in zip(starts, ends, strict=True)]

    def gap(self, work: int, length: int) -> int:
        """Return the earliest start at or after `work` of a free stretch of `length` (> 0)."""
        lasts = self._lasts
        chunk, count = bisect_right(lasts, work), len(lasts)
        if chunk == count:
            return work
        starts, ends = self._starts[chunk], self._ends[chunk]
        for place in range(bisect_right(ends, work), len(ends)):
            if starts[place] - work >= length:
                return work
            work = ends[place]
        bounds = self._bounds
        for later in range(chunk + 1, count):
            if bounds[later] >= length:
                found = self._look_through(later, work, length)
                if found is not None:
                    return found
            work = lasts[later]
        return work

    def _look_through(self, chunk: int, work: int, length: int) -> int | None:
        """Return where a gap of `length` begins in a chunk, `work` being the end of the one before; or None."""
        widest = 0
        for start, end in zip(self._starts[chunk], self._ends[chunk], strict=True):
            if start - work >= length:
                return work
            if start - work > widest:
                widest = start - work
            work = end
        self._bounds[chunk] = widest
        return None

    def gap_before(self, end: int, length: int) -> int:
        """Return the latest start of a free stretch of `length` (> 0) that is over at `end`; below 0: there is none."""
        for chunk in range(min(bisect_left(self._lasts, end), len(self._lasts) - 1), -1, -1):
            starts, ends = self._starts[chunk], self._ends[chunk]
            if ends[-1] <= end:
                if end - ends[-1] >= length:
                    return end - length
                if self._bounds[chunk] < length:
                    end = starts[0]
                    continue
            for place in range(bisect_left(starts, end) - 1, -1, -1):
                if end - ends[place] >= length:
                    return end - length
                end = starts[place]
        return end - length

    def reserve(self, start: int, end: int) -> None:
        """Mark the free stretch [start, end) busy."""
        chunk = bisect_right(self._lasts, start)
        place = bisect_left(self._starts[chunk], start) if chunk < len(self._starts) else 0
        left = (chunk, place - 1) if place else (chunk - 1, -1)
        joins_left = left[0] >= 0 and self._ends[left[0]][left[1]] == start
        joins_right = chunk < len(self._starts) and self._starts[chunk][place] == end
        if joins_left:
            if joins_right:
                end = self._ends[chunk][place]
            self._end_at(left[0], left[1], end)
            if joins_right:
                self._remove(chunk, place)
        elif joins_right:
            self._changing(chunk)
            self._starts[chunk][place] = start
        else:
            self._insert(chunk, place, start, end)

    def release(self, start: int, end: int) -> None:
        """Take back `reserve(start, end)`."""
        chunk = bisect_left(self._lasts, end)
        place = bisect_right(self._starts[chunk], start) - 1
        first, last = self._starts[chunk][place], self._ends[chunk][place]
        if first == start and last == end:
            chunk, place = self._remove(chunk, place)
        elif first == start:
            self._changing(chunk)
            self._starts[chunk][place] = end
        else:
            self._end_at(chunk, place, start)
            chunk, place = self._following(chunk, place)
            if last != end:
                self._insert(chunk, place, end, last)
                return
        self._raise_bound(chunk, place)

    def _changing(self, chunk: int) -> None:
        """Make a chunk ours alone before it is changed."""
        if not self._own[chunk]:
            self._starts[chunk], self._ends[chunk] = self._starts[chunk][:], self._ends[chunk][:]
            self._own[chunk] = True

    def _end_at(self, chunk: int, place: int, end: int) -> None:
        self._changing(chunk)
        ends = self._ends[chunk]
        ends[place] = end
        self._lasts[chunk] = ends[-1]

    def _following(self, chunk: int, place: int) -> tuple[int, int]:
        return (chunk, place + 1) if place + 1 < len(self._starts[chunk]) else (chunk + 1, 0)

    def _insert(self, chunk: int, place: int, start: int, end: int) -> None:
        """Put a stretch before the one at (chunk, place)."""
        if chunk == len(self._starts):
            if not chunk:
                self._starts, self._ends, self._lasts, self._bounds, self._own = [[start]], [[end]], [end], [start], [True]
                return
            chunk, place = chunk - 1, len(self._starts[-1])
        self._changing(chunk)
        starts, ends = self._starts[chunk], self._ends[chunk]
        starts.insert(place, start)
        ends.insert(place, end)
        self._lasts[chunk] = ends[-1]
        self._raise_bound(chunk, place)
        if len(starts) > _CHUNK:
            self._split(chunk)

    def _split(self, chunk: int) -> None:
        starts, ends, half = self._starts[chunk], self._ends[chunk], _CHUNK // 2
        self._starts[chunk : chunk + 1] = [starts[:half], starts[half:]]
        self._ends[chunk : chunk + 1] = [ends[:half], ends[half:]]
        self._lasts[chunk : chunk + 1] = [ends[half - 1], ends[-1]]
        self._bounds.insert(chunk, self._bounds[chunk])
        self._own.insert(chunk, True)

    def _remove(self, chunk: int, place: int) -> tuple[int, int]:
        """Drop the stretch at (chunk, place) and return where the one after it is now."""
        self._changing(chunk)
        starts, ends = self._starts[chunk], self._ends[chunk]
        del starts[place], ends[place]
        if not starts:
            del self._starts[chunk], self._ends[chunk], self._lasts[chunk], self._bounds[chunk], self._own[chunk]
            return chunk, 0
        self._lasts[chunk] = ends[-1]
        return (chunk, place) if place < len(starts) else (chunk + 1, 0)

    def _raise_bound(self, chunk: int, place: int) -> None:
        """Make the bound of a chunk cover the gap before its stretch at `place`."""
        if chunk == len(self._starts):
            return
        earlier = self._lasts[chunk - 1] if chunk else 0
        before = self._ends[chunk][place - 1] if place else earlier
        self._bounds[chunk] = max(self._bounds[chunk], self._starts[chunk][place] - before)


def merge(intervals: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the union of `intervals` as sorted, disjoint intervals that do not touch; empty ones are left out."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(intervals):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
