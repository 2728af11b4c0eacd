"""The rules: pure functions and plain records. Standard library and msgspec only."""
