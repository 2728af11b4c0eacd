"""Houbao, the open-source after-sales guarantee for marketplaces."""

__version__ = "0.1.0"
