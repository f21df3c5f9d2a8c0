"""The one way in which options refuse a value."""

from sodlift.errors import ConfigError


def require(holds: bool, key: str, value: object, expected: str) -> None:
    """Raise ConfigError for the ``value`` of the option ``key`` unless it holds; ``expected`` says what is allowed."""
    if not holds:
        raise ConfigError(f"{value!r} is not allowed", where=key, expected=expected)
