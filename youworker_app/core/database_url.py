"""What an administrator may write as the database's address, and how it is told without its password. Connects to nothing."""

from typing import Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

_DRIVERS: Final = {
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}
# What may stand after the question mark: the name that clients of PostgreSQL use, and the driver's.
_OPTIONS: Final = {
    "sslmode": "ssl",
    "ssl": "ssl",
    "prepared_statement_cache_size": "prepared_statement_cache_size",
}
_TLS: Final = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
_SHAPE: Final = "must look like postgresql://user:password@host:5432/database or sqlite:///path"


def connectable(url: str) -> str:
    """The URL with the driver that the product uses; "" stays "". Raises ValueError, which never repeats the URL."""
    if not url:
        return url
    scheme, separator, rest = url.strip().partition("://")
    driver = _DRIVERS.get(scheme.lower())
    if driver is None or not separator:
        raise ValueError(_SHAPE)
    return f"{driver}://{_postgres(rest) if 'postgresql' in driver else _sqlite(rest)}"


def told_url(url: str) -> str:
    """The database for people: `host:port/name` or the file, without user and password."""
    parts = urlsplit(url)
    if parts.scheme.startswith("sqlite"):
        return parts.path.removeprefix("/")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or 5432}{unquote(parts.path)}"


def _sqlite(rest: str) -> str:
    if not rest.startswith("/") or rest == "/" or "?" in rest:
        raise ValueError(_SHAPE)
    return rest


def _postgres(rest: str) -> str:
    try:
        parts = urlsplit(f"//{rest}")
        has_target = bool(parts.hostname and parts.port != 0 and parts.path.strip("/"))
    except ValueError:
        has_target = False
    if not has_target or parts.fragment or parts.netloc.count("@") > 1 or "/" in parts.path[1:]:
        raise ValueError(f"{_SHAPE}; write special characters of a password as %XX (@ is %40, / is %2F)")
    return f"{parts.netloc}{parts.path}{_query(parts.query)}"


def _query(query: str) -> str:
    options = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in _OPTIONS:
            raise ValueError(f"takes no options after the question mark but {', '.join(sorted(_OPTIONS))}")
        if _OPTIONS[name] == "ssl" and value not in _TLS:
            raise ValueError(f"sslmode must be one of {', '.join(sorted(_TLS))}")
        if _OPTIONS[name] != "ssl" and not value.isdecimal():
            raise ValueError(f"{name} must be a number")
        options[_OPTIONS[name]] = value
    return f"?{urlencode(options)}" if options else ""
