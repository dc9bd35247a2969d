"""What is sent in Volcengine's words: callbacks about slices, rooms, users and streams."""
