"""Where finished slices go: adapters of the ObjectStore port."""
