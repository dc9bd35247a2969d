"""The sans-IO core: packets in, slices out.

Nothing here knows a clock, file, socket, thread or event loop; time is an argument.
Nothing here imports another part of airslice.
"""
