"""Who is in a room: publishers and their streams, what happens in rooms, and who is banned.

Knows nothing of tasks, broadcasts or listeners: they look at rooms, rooms do not look at them.
"""
