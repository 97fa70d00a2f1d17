"""Pages, a module per area: each reads what was typed, asks the door, and draws."""
