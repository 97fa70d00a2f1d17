"""The lab: a planner's what-if on a model in a file, answered by the engine that answers the shop. No database."""
