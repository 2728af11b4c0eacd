"""Orders and complaints coming in from outside, as commands."""
