"""What is posted to addresses that users gave: a package for each cloud's words.

Here is what they share: where posts may lead, and how one is made.
"""
