"""The long PDF: Octave's manual as Debian ships it (package octave-doc), 1,158 pages of text; else one made of as many."""

import shutil
import subprocess
from pathlib import Path

from bench.texts import text
from tests.files import pdf_of, wrapped

PAGES = 1_158
_INSTALLED = Path("/usr/share/doc/octave/octave.pdf")
_PATIENCE_S = 60


def long_pdf(folder: Path) -> tuple[Path, str]:
    """(the file, what it is). Fetched into `folder` where it is not installed and a package can be had."""
    if _INSTALLED.is_file():
        return _INSTALLED, "octave-doc"
    fetched = folder / "octave" / _INSTALLED.relative_to("/")
    if fetched.is_file() or _fetch(folder / "octave", fetched):
        return fetched, "octave-doc"
    made = folder / "made.pdf"
    if not made.is_file():
        made.write_bytes(pdf_of([wrapped(text(1_900, page)) for page in range(PAGES)]))
    return made, "made, octave-doc could not be had"


def _fetch(folder: Path, wanted: Path) -> bool:
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return False
    folder.mkdir(exist_ok=True)
    try:
        subprocess.run(
            ["apt-get", "download", "octave-doc"],  # noqa: S607 - Debian's, wherever it lies
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=_PATIENCE_S,
        )
        package = next(folder.glob("octave-doc_*.deb"))
        subprocess.run(["dpkg-deb", "-x", str(package), str(folder)], check=True, timeout=_PATIENCE_S)  # noqa: S607
    except (subprocess.SubprocessError, StopIteration, OSError):
        return False
    return wanted.is_file()
