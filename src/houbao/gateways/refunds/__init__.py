"""Refund providers."""
