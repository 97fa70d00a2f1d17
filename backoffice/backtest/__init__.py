"""Replay a factory's year: what would have been promised, and what really came. No database, no clock, only the seed."""
