"""Tables, the five functions that differ between databases, and the read side."""
