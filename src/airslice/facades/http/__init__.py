"""What façades share below their wires; nothing here belongs to one cloud or page.

bodies.py       read a body within bounds; say which field of one is wrong
headers.py      names and values as their readers want them
refusals.py     why a request is refused, as a value that each façade renders
signatures.py   what the clouds' request signatures have in common
openapi.py      the parts that every OpenAPI document is made of
"""
