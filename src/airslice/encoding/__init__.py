"""Audio from the slicing core to file bytes, and Opus packets to PCM."""
