"""Prints the document of one case."""

import json
import sys

from tests.compat.cases import CASES

json.dump(CASES[sys.argv[1]][sys.argv[2]]["document"], sys.stdout, indent=1)
