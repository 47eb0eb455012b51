"""Debug Helper: fails on purpose, uses memory, or makes random data."""

import resource
from collections.abc import Callable, Mapping
from typing import Any, Final

from faker import Faker
from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import for_each, made
from weft_node_sdk.values import NotConvertible, text_of, to_number, value, well_formed

_MOST_MEGABYTES: Final = 256
_MOST_ITEMS: Final = 10_000

Make = Callable[[Faker], dict[str, Any]]


def _address(fake: Faker) -> dict[str, Any]:
    return {
        "firstname": fake.first_name(),
        "lastname": fake.last_name(),
        "street": fake.street_address(),
        "city": fake.city(),
        "zip": fake.postcode(),
        "state": fake.state(),
        "country": fake.country(),
    }


def _credit_card(fake: Faker) -> dict[str, Any]:
    return {
        "type": fake.credit_card_provider(),
        "number": fake.credit_card_number(),
        "ccv": fake.credit_card_security_code(),
        "exp": fake.credit_card_expire(),
        "holder_name": fake.name(),
    }


def _user(fake: Faker) -> dict[str, Any]:
    return {
        "uid": fake.uuid4(),
        "email": fake.email(),
        "firstname": fake.first_name(),
        "lastname": fake.last_name(),
        "password": fake.password(8),
    }


_KINDS: Final[Mapping[str, Make]] = {
    "address": _address,
    "latLong": lambda fake: {"location": f"{fake.latitude():.6f}, {fake.longitude():.6f}"},
    "creditCard": _credit_card,
    "email": lambda fake: {"email": fake.email(), "confirmed": fake.boolean()},
    "ipv4": lambda fake: {"ip": fake.ipv4()},
    "ipv6": lambda fake: {"ipv6": fake.ipv6()},
    "macAddress": lambda fake: {"mac": fake.mac_address().replace(":", "-")},
    "url": lambda fake: {"url": fake.url().rstrip("/")},
    "user": _user,
    "uuid": lambda fake: {"uuid": fake.uuid4()},
    "semver": lambda fake: {"version": ".".join(str(fake.random_int(0, 99)) for _ in range(3))},
}


def _whole(given: Any, name: str, low: int, high: int) -> int:
    try:
        number = to_number(value(given))
    except NotConvertible:
        number = None
    if number is None or not low <= number <= high:
        raise NodeRunError(f"The {name} must be a number from {low} to {high}")
    return int(number)


def _maker(parameters: Mapping[str, Any]) -> Make:
    kind = text_of(parameters.get("randomDataType", "user"))
    if kind == "nanoid":
        alphabet = str(value(parameters.get("nanoidAlphabet")) or "")
        length = _whole(parameters.get("nanoidLength", 16), "length", 1, 1000)
        if not alphabet:
            raise NodeRunError("The alphabet has no characters")
        return lambda fake: {"nanoId": "".join(fake.random_elements(alphabet, length))}
    make = _KINDS.get(kind)
    if make is None:
        raise NodeRunError(f"'{kind}' is no known kind of data")
    return make


def _random(fake: Faker, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    make = _maker(parameters)
    count = _whole(parameters.get("randomDataCount", 10), "number of items", 0, _MOST_ITEMS)
    rows = [make(fake) for _ in range(count)]
    return [{"generatedItems": rows}] if parameters.get("randomDataSingleArray") is True else rows


def _memory(parameters: Mapping[str, Any]) -> dict[str, Any]:
    size = _whole(parameters.get("memorySizeValue", 10), "memory in megabytes", 1, _MOST_MEGABYTES)
    used = bytearray(size * 1024 * 1024)
    return {"allocated": len(used), "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


async def run(ctx: RunContext) -> Outputs:
    output: list[Item] = []
    fakes: dict[str, Faker] = {}

    def handle(index: int, _: Item, parameters: dict[str, Any]) -> None:
        category = value(parameters.get("category", "throwError"))
        if category == "throwError":
            raise NodeRunError(str(value(parameters.get("throwErrorMessage", ""))))
        if category == "oom":
            output.append(made(_memory(parameters), index))
        elif category == "randomData":
            seed = well_formed(text_of(parameters.get("randomDataSeed")))
            if seed not in fakes:
                fakes[seed] = Faker("en_US", use_weighting=False)
                fakes[seed].seed_instance(seed or None)
            output.extend(made(json, index) for json in _random(fakes[seed], parameters))
        elif category != "doNothing":
            raise NodeRunError(f"'{category}' is not a known category")

    def failed(index: int, error: NodeRunError) -> None:
        output.append(ctx.failed_item(error, index))

    await for_each(ctx, handle, failed)
    return [output]
