"""Writes docs/settings.md and .env.example from the settings: `python -m youworker_app.core.settings_docs [--check]`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from youworker_app.core.settings import CONCERNS

_ROOT = Path(__file__).resolve().parents[2]
_HEAD = (
    "# Settings\n\n"
    "Each is an environment variable, or a line in a file `.env` beside the program. All have a default: nothing has to be\n"
    "set. This page is made from the program (`python -m youworker_app.core.settings_docs`); a test keeps it true.\n"
)


def rows() -> Iterator[tuple[str, str, str, str]]:
    """(concern, variable, default, description) of every setting."""
    for concern in CONCERNS:
        name = concern.__name__.removesuffix("Settings")
        prefix = str(concern.model_config.get("env_prefix", ""))
        for field, info in concern.model_fields.items():
            yield name, (prefix + field).upper(), _shown(info.default), info.description or ""


def _shown(default: object) -> str:
    value = default.get_secret_value() if isinstance(default, SecretStr) else default
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def settings_page() -> str:
    """docs/settings.md."""
    lines, last = [_HEAD], ""
    for concern, variable, default, description in rows():
        if concern != last:
            lines.append(f"\n## {concern}\n\n| variable | default | what it does |\n|---|---|---|\n")
            last = concern
        lines.append(f"| `{variable}` | {f'`{default}`' if default else ''} | {description} |\n")
    return "".join(lines)


def env_example() -> str:
    """.env.example: every setting, commented out, with its default."""
    lines = ["# Copy to .env and change what you need. Everything has a default.\n"]
    lines += [f"\n# {description}\n# {variable}={default}\n" for _, variable, default, description in rows()]
    return "".join(lines)


def main() -> int:
    """Writes both files, or with --check says whether they are up to date."""
    stale = False
    for path, text in (
        (_ROOT / "docs" / "settings.md", settings_page()),
        (_ROOT / ".env.example", env_example()),
    ):
        if "--check" in sys.argv:
            stale |= not path.exists() or path.read_text() != text
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
