"""Options and fixtures of the suites that start whole installations."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="the long random runs of `make faults`")
