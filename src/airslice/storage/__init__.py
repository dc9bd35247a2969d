"""Where slices are kept: object stores and signed URLs, and the spool and journal on the disk."""
