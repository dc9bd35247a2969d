"""The wires that clients speak: parse, call a use case, render. Façades decide nothing.

Each knows the use cases and `facades.http`, where they share what is no wire's own; none knows
another.
"""
