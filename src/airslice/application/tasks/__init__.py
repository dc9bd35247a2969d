"""Slice tasks: from StartSegment to recorded slices, over restarts and crashes.

What becomes of a recorded slice is decided in `delivery`.
"""
