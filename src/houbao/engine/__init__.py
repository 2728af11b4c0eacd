"""The order of things: decide, then write, then act."""
