"""Demand of months to come, from the months that were: pure, whatever they were read from."""
