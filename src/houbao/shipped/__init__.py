"""What ships with Houbao as data."""

from importlib import resources


def policy_text() -> str:
    """The policy that ships (TOML)."""
    return (resources.files(__name__) / "policy.toml").read_text(encoding="utf-8")
