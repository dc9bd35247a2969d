"""Codecs and containers: slices to files, recordings to PCM, Opus packets to PCM and back.

Nothing outside of this package calls a codec; what is in a slice is decided in `slicing`.
"""
