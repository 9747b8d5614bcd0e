#!/usr/bin/env bash
# Installs the programs that the tests run against, as root on Debian; elsewhere it says which are missing.
set -u
# program or file, and the Debian package that brings it
needed=(
  "chromium chromium"
  "/usr/lib/postgresql/*/bin/initdb postgresql"
  "/usr/share/debian-reference/debian-reference.en.pdf debian-reference-en"
)
missing=()
for entry in "${needed[@]}"; do
  read -r program package <<<"$entry"
  # shellcheck disable=SC2086  # the file names are patterns
  command -v "$program" >/dev/null || compgen -G "$program" >/dev/null || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "Installing for the tests: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" fonts-dejavu-core >/dev/null && exit 0
fi
echo "The tests need programs that are not installed: ${missing[*]}. On Debian: sudo apt-get install ${missing[*]}" >&2
exit 1
