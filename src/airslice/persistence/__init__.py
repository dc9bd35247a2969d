"""Where tasks and slices are remembered: adapters of the TaskStore port."""
