"""The wires that clients speak: parse, call a use case, render. Façades decide nothing."""
