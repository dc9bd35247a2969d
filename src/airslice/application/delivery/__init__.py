"""What leaves the server: slices to their buckets, callbacks to their receivers, again until done.

Knows records and ports; what is delivered, and why, is decided elsewhere.
"""
