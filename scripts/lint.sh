#!/usr/bin/env bash
# Format, rules, types, import contracts, generated files, protos, the web page. Fails at the first that is wrong.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

step() { printf '\n== %s\n' "$1"; }

step "format"; ruff format --check .
step "rules"; ruff check .
step "types"
packages=()
for folder in libs/*/src/* services/*/src/*; do
  [ -d "$folder" ] && packages+=(-p "$(basename "$folder")")
done
mypy "${packages[@]}" -p tests.compat
step "import contracts"; lint-imports
step "generated files"; python scripts/gen.py --check
step "protos"; npx --yes --silent @bufbuild/buf@1.75.0 lint proto
step "web page"; (cd frontend && [ -d node_modules ] || npm ci --silent --no-audit --no-fund; npm run --silent lint)
