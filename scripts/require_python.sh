#!/usr/bin/env bash
# Says exactly what to install when the given Python cannot make a virtual environment. Usage: require_python.sh [python]
set -u
python=${1:-}
if [ -z "$python" ]; then
  echo "YouWorker needs Python 3.11 or newer, and found none. On Debian 12 or newer: sudo apt-get install python3 python3-venv" >&2
  exit 1
fi
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
  version=$("$python" -c 'import sys; print(f"{sys.version_info.major}.{sys.version_info.minor}")')
  echo "This Python cannot make virtual environments. On Debian: sudo apt-get install python$version-venv" >&2
  exit 1
fi
