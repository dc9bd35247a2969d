"""What the use cases need from the outside: one small Protocol per need, a file per kind of need.

Knows the domain and the slicing core only. Implementations are adapters in the packages beside
`application`.
"""
