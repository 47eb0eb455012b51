#!/usr/bin/env bash
# Every test that can run here: unit and property, contract and integration, e2e in both ways to run, faults, browser.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

step() { printf '\n== %s\n' "$1"; }

step "web page"; (cd frontend && npm run --silent test)
step "unit, property, contract, integration"
pytest -q -n 2 --dist loadfile -m "not faults and not browser and not e2e" \
  --cov=weft_engine --cov=weft_expressions --cov=weft_orchestrator --cov=weft_kit.bus --cov-branch --cov-report=term:skip-covered
for gate in "80 engine" "95 expressions" "80 orchestrator" "80 kit/bus"; do
  read -r least part <<<"$gate"
  coverage report --include="*/weft_${part}/*" --fail-under="$least" --format=total >/dev/null ||
    { echo "under $least % of weft_$part are covered" >&2; exit 1; }
done
step "end to end, both ways to run"; pytest -q -m e2e tests/e2e
step "faults"; pytest -q -m faults tests/faults
step "browser"; pytest -q -m browser tests/browser
