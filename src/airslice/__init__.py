"""Cut the live audio of WebRTC rooms into slices, on the wire of Volcengine RTC's slicing API."""

__version__ = "0.1.0"
