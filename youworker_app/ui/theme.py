"""The design tokens: colour, space, type, radius, shadow, motion. Everything in assets/css speaks in these names.

Must not know a component. Contrasts: text and muted reach 4.5:1 on every background of their theme.
"""

from collections.abc import Mapping
from typing import Final

SCALE: Final[Mapping[str, str]] = {
    "font": '"Inter Variable", system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
    "mono": 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
    "text-xs": "0.75rem",
    "text-sm": "0.8125rem",
    "text-md": "0.9375rem",
    "text-lg": "1.0625rem",
    "text-xl": "1.375rem",
    "text-2xl": "1.75rem",
    "space-1": "0.25rem",
    "space-2": "0.5rem",
    "space-3": "0.75rem",
    "space-4": "1rem",
    "space-5": "1.5rem",
    "space-6": "2rem",
    "space-7": "3rem",
    "space-8": "4rem",
    "radius-s": "6px",
    "radius-m": "10px",
    "radius-l": "16px",
    "radius-full": "999px",
    "quick": "120ms cubic-bezier(0.2, 0, 0, 1)",
    "calm": "220ms cubic-bezier(0.2, 0, 0, 1)",
    "sidebar": "17rem",
    "column": "46rem",
    "panel": "30rem",
}

LIGHT: Final[Mapping[str, str]] = {
    "bg": "#fdfcfa",
    "surface": "#ffffff",
    "side": "#f6f4f0",
    "sunken": "#f2efe9",
    "hover": "#edeae3",
    "line": "#e8e4dc",
    "line-strong": "#d3cdc1",
    "line-field": "#948e82",
    "text": "#1f1d1a",
    "muted": "#655f56",
    "accent": "#0c6b5e",
    "accent-hover": "#08564b",
    "accent-soft": "#e2f0ed",
    "accent-text": "#0a5f53",
    "on-accent": "#ffffff",
    "danger": "#b3261e",
    "danger-soft": "#fcebe9",
    "on-danger": "#ffffff",
    "warn": "#7a4d00",
    "warn-soft": "#fbf1dc",
    "good": "#1b6b3f",
    "mark": "#ffe7a0",
    "mark-text": "#1f1d1a",
    "scrim": "rgb(31 29 26 / 0.38)",
    "shadow-s": "0 1px 2px rgb(60 50 30 / 0.06)",
    "shadow-m": "0 1px 2px rgb(60 50 30 / 0.05), 0 6px 20px rgb(60 50 30 / 0.07)",
    "shadow-l": "0 2px 6px rgb(60 50 30 / 0.06), 0 18px 50px rgb(60 50 30 / 0.16)",
    "ring": "#0c6b5e",
}

DARK: Final[Mapping[str, str]] = {
    "bg": "#191816",
    "surface": "#211f1d",
    "side": "#141311",
    "sunken": "#282623",
    "hover": "#2d2a27",
    "line": "#302d29",
    "line-strong": "#48443d",
    "line-field": "#857f74",
    "text": "#edeae5",
    "muted": "#aba499",
    "accent": "#4fc4b0",
    "accent-hover": "#74d5c4",
    "accent-soft": "#193530",
    "accent-text": "#74d5c4",
    "on-accent": "#07211c",
    "danger": "#ff9088",
    "danger-soft": "#3b1d1a",
    "on-danger": "#2b0906",
    "warn": "#e9bd6a",
    "warn-soft": "#352913",
    "good": "#7fcf9f",
    "mark": "#6a5312",
    "mark-text": "#fff7df",
    "scrim": "rgb(0 0 0 / 0.6)",
    "shadow-s": "0 1px 2px rgb(0 0 0 / 0.3)",
    "shadow-m": "0 1px 2px rgb(0 0 0 / 0.3), 0 6px 20px rgb(0 0 0 / 0.35)",
    "shadow-l": "0 2px 6px rgb(0 0 0 / 0.35), 0 18px 50px rgb(0 0 0 / 0.55)",
    "ring": "#4fc4b0",
}


def tokens_css() -> str:
    """The tokens as custom properties, for the head of every page."""
    return f":root{{{_lines(SCALE)}{_lines(LIGHT)}}}:root.dark{{{_lines(DARK)}}}"


def _lines(tokens: Mapping[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in tokens.items())
