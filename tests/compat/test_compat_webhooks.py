"""Callers of webhooks get here what they got from n8n, or known.json says why not."""

import uuid
from collections.abc import Iterator

import pytest

from tests.compat import goldens, known
from tests.compat.cases.webhooks import Hooked, cases
from tests.compat.hooks import GROUP, answered, difference, placed
from tests.harness.embedded import Embedded
from tests.harness.user import User


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    weft = Embedded(tmp_path_factory.mktemp("compat") / "home")
    weft.start()
    yield User(weft.base).register()
    weft.stop()
    weft.close()


def found(owner: User, case: Hooked) -> goldens.Golden:
    path = uuid.uuid4().hex
    workflow = owner.import_workflow(placed(case, path))
    try:
        return answered(owner.base, path, case)
    finally:
        owner.call("DELETE", f"/workflows/{workflow}")


@pytest.mark.timeout(600)
def test_callers_get_what_they_got_from_n8n(owner: User) -> None:
    recorded, unlike, wrong = goldens.read(GROUP), known.read().get(GROUP, {}), {}
    for name, case in cases().items():
        differs = difference(recorded[name], found(owner, case))
        if bool(differs) != (name in unlike):
            wrong[name] = differs or "equal by now"
    assert wrong == {}


def test_recordings_are_of_the_cases_as_they_are() -> None:
    recorded = goldens.read(GROUP)
    assert [name for name, case in cases().items() if recorded[name]["of"] != goldens.mark(case)] == []
