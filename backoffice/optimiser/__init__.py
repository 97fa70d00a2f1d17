"""The optimiser: better sequences than first come, first served. It proposes; the planning engine dates and judges."""
