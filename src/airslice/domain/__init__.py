"""Facts and rules, as frozen values and transition tables. No I/O, no clock."""
