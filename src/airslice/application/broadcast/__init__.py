"""Live jobs on air: from their start to their last frame, and what players and owners are told.

What an owner keeps between broadcasts lies in `catalogue`.
"""
