"""What turns gradients into learning: optimizers, schedules, clipping, data, a plan, a run."""
