"""What runs inside an evaluator process: `python -m weft_expressions.worker`. Imports as little as it can."""
