"""Media engines, where published audio comes from: a folder each, which never import each other."""
