"""The doctor's checks, grouped by what they look at: the flow, the course, the recipe."""
