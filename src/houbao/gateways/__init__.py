"""The outside world: refund providers and mail."""
