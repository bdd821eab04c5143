"""Floor 5: one person's run, as spec, changes and position; where it is kept; how it is shown."""
