"""What runs inside an evaluator process. Imports as little as it can."""
