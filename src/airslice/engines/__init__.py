"""Where published audio comes from. One folder per engine; they never import each other."""
