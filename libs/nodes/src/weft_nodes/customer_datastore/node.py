"""Customer Datastore: five people from novels that the courses of n8n work with; their notes are our own."""

from typing import Any, Final

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import value

_PEOPLE: Final = (
    ("23423532", "Jay Gatsby", "gatsby@west-egg.com", "Gives parties", "US", "1925-04-10"),
    ("23423533", "José Arcadio Buendía", "jab@macondo.co", "Founded a town", "CO", "1967-05-05"),
    ("23423534", "Max Sendak", "info@in-and-out-of-weeks.org", "Sails far", "US", "1963-04-09"),
    ("23423535", "Zaphod Beeblebrox", "captain@heartofgold.com", "Travels a lot", None, "1979-10-12"),
    ("23423536", "Edmund Pevensie", "edmund@narnia.gov", "Likes sweets", "UK", "1950-10-16"),
)
_FIELDS: Final = ("id", "name", "email", "notes", "country", "created")


def _count(parameters: dict[str, Any]) -> int:
    if parameters.get("operation", "getOnePerson") == "getOnePerson":
        return 1
    if parameters.get("returnAll") is True:
        return len(_PEOPLE)
    limit = value(parameters.get("limit", 5))
    if not isinstance(limit, int | float) or limit < 0:
        raise NodeRunError(f"The limit {limit!r} is no number", parameter=("limit",))
    return int(limit)


async def run(ctx: RunContext) -> Outputs:
    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        people = _PEOPLE[: _count(parameters)]
        return [made(dict(zip(_FIELDS, person, strict=True)), index) for person in people]

    return [await map_items(ctx, handle)]
