"""What `make seed` fills a Weft with: workflows of a small shop that sells plants. Nothing leaves the machine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.harness.flows import code, edit, flow, manual, node, webhook

COLUMN, ROW = 220, 140

CREDENTIALS = (
    ("Shop", "httpHeaderAuth", {"name": "X-Shop-Key", "value": "demo"}),
    (
        "Ledger",
        "postgres",
        {"host": "db.juniper.example", "database": "ledger", "user": "reader", "password": "demo"},
    ),
    ("Post office", "smtp", {"host": "mail.juniper.example", "user": "hello@juniper.example"}),
)
VARIABLES: tuple[tuple[str, str, str], ...] = (
    ("company", "Juniper & Daughters", "string"),
    ("approval_limit", "500", "number"),
    ("support_email", "hello@juniper.example", "string"),
    ("vat_rate", "0.19", "number"),
)


@dataclass
class Demo:
    """`calls`: what each run is started with; sent to the webhook `path`, if there is one."""

    document: dict[str, Any]
    tags: tuple[str, ...]
    calls: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    path: str = ""
    published: bool = False
    retried: bool = False


def placed(
    document: dict[str, Any], cells: Mapping[str, tuple[float, float]], note: str = ""
) -> dict[str, Any]:
    """Puts each node into a cell (column, row) of a grid, and a note above them all."""
    for each in document["nodes"]:
        column, row = cells[each["name"]]
        each["position"] = [round(COLUMN * column), round(ROW * row)]
    if note:
        top = min(row for _, row in cells.values())
        size = {"width": 440, "height": 120, "color": 4}
        written = node("Note", "stickyNote", {"content": note, **size})
        document["nodes"].append({**written, "position": [0, round(ROW * top) - 180]})
    return document


def line(*names: str) -> Iterable[tuple[str, str]]:
    """Edges from each to the next."""
    return pairwise(names)


def condition(left: str, operation: str, right: Any, kind: str) -> dict[str, Any]:
    """Conditions with a single one, as If, Filter and each rule of a Switch hold them."""
    only = {
        "id": "1",
        "leftValue": left,
        "rightValue": right,
        "operator": {"type": kind, "operation": operation},
    }
    options = {"caseSensitive": False, "typeValidation": "loose", "version": 2}
    return {"options": options, "combinator": "and", "conditions": [only]}


def chosen(name: str, left: str, operation: str, right: Any, kind: str = "number") -> dict[str, Any]:
    return node(name, "if", {"conditions": condition(left, operation, right, kind), "options": {}}, 2.2)


def every(name: str, **interval: Any) -> dict[str, Any]:
    return node(name, "scheduleTrigger", {"rule": {"interval": [interval]}}, 1.2)


def support(path: str) -> Demo:
    topics = {
        "Billing": "invoice|refund|charged",
        "Delivery": "parcel|arrived|late",
        "Plant care": "leaf|leaves|water",
    }
    rules = [
        {
            "conditions": condition("={{ $json.text }}", "regex", f"/{words}/i", "string"),
            "renameOutput": True,
            "outputKey": topic,
        }
        for topic, words in topics.items()
    ]
    options = {"fallbackOutput": "extra", "renameFallbackOutput": "Other"}
    ticket = {
        "customer": "={{ $json.body.from }}",
        "text": "={{ $json.body.subject }} {{ $json.body.text }}",
        "urgent": "={{ /urgent|dying|twice/i.test($json.body.subject + $json.body.text) }}",
    }
    queues = {
        "Accounts": "Accounts",
        "Warehouse": "Warehouse",
        "Greenhouse": "Greenhouse",
        "Front desk": "Front desk",
    }
    document = flow(
        "Support triage",
        [
            webhook(path),
            edit("Read the ticket", ticket, "string"),
            node("Topic?", "switch", {"mode": "rules", "rules": {"values": rules}, "options": options}, 3.2),
            *(edit(name, {"queue": queue}) for name, queue in queues.items()),
            node(
                "Remember",
                "executionData",
                {
                    "dataToSave": {
                        "values": [
                            {"key": "queue", "value": "={{ $json.queue }}"},
                            {"key": "customer", "value": "={{ $json.customer }}"},
                        ]
                    }
                },
                1,
            ),
            edit("Reply", {"reply": "=Thank you, {{ $json.customer }}. {{ $json.queue }} will answer you."}),
        ],
        *line("Webhook", "Read the ticket", "Topic?"),
        *(("Topic?", output, name) for output, name in enumerate(queues)),
        *((name, "Remember") for name in queues),
        ("Remember", "Reply"),
    )
    cells: dict[str, tuple[float, float]] = {name: (3, row) for row, name in enumerate(queues)}
    cells |= {"Webhook": (0, 1.5), "Read the ticket": (1, 1.5), "Topic?": (2, 1.5)}
    cells |= {"Remember": (4, 1.5), "Reply": (5, 1.5)}
    note = "## Every ticket finds its people\nThe shop's form calls the webhook; the words of a ticket say whose it is."
    tickets = [
        {"from": "Ada", "subject": "My fern is dying", "text": "Brown leaves since Monday. How much water?"},
        {"from": "Grace", "subject": "Charged twice", "text": "Invoice 1042 was paid on the 3rd."},
        {"from": "Edsger", "subject": "Where is my parcel?", "text": "It should have arrived on Friday."},
        {"from": "Radia", "subject": "Opening hours", "text": "Are you open on Sundays?"},
    ]
    return Demo(placed(document, cells, note), ("Customers", "Live"), tickets, path, published=True)


def invoices() -> Demo:
    rows = """const open = [['Hopper Ltd', 420, 0], ['Lovelace & Co', 95.5, 12], ['Dijkstra GmbH', 1280, 41],
  ['Perlman Inc', 61, 3], ['Liskov Labs', 740, 0], ['Turing Bros', 2150, 35]];
return open.map(([customer, net, days_overdue], n) => ({
  json: { invoice: 1040 + n, customer, net, days_overdue },
}));"""
    taxed = {"gross": "={{ Math.round($json.net * (1 + Number($vars.vat_rate ?? 0.19)) * 100) / 100 }}"}
    reminder = {
        "mail": "=Dear {{ $json.customer }}, invoice {{ $json.invoice }} is {{ $json.days_overdue }} days late."
    }
    totals = {"fieldsToSummarize": {"values": [{"aggregation": "sum", "field": "gross"}]}, "options": {}}
    document = flow(
        "Invoice sync",
        [
            every("Every morning", field="days", triggerAtHour=6),
            code("Invoices", rows),
            edit("Add VAT", taxed, "number"),
            chosen("Overdue?", "={{ $json.days_overdue }}", "gt", 7),
            node("One at a time", "splitInBatches", {"batchSize": 1, "options": {}}, 3),
            edit("Write a reminder", reminder),
            node("Total due", "summarize", totals, 1.1),
            node("Ledger file", "convertToFile", {"options": {"fileName": "paid.csv"}}, 1.1),
        ],
        *line("Every morning", "Invoices", "Add VAT", "Overdue?"),
        ("Overdue?", 0, "One at a time"),
        ("Overdue?", 1, "Ledger file"),
        ("One at a time", 0, "Total due"),
        ("One at a time", 1, "Write a reminder"),
        ("Write a reminder", "One at a time"),
    )
    cells = {
        "Every morning": (0, 1.0),
        "Invoices": (1, 1.0),
        "Add VAT": (2, 1.0),
        "Overdue?": (3, 1.0),
    }
    cells |= {
        "One at a time": (4, 0.4),
        "Total due": (5, -0.2),
        "Write a reminder": (5, 0.9),
        "Ledger file": (4, 1.9),
    }
    note = "## Who still owes us?\nLate invoices get a reminder each, the others go into the ledger's file."
    return Demo(placed(document, cells, note), ("Finance", "Live"), [{}, {}, {}], published=True)


def leads(path: str) -> Demo:
    firm = """const domain = $json.email.split('@')[1];
const known = { 'hopper.example': ['Hopper Ltd', 240], 'lovelace.example': ['Lovelace & Co', 12] };
const [company, employees] = known[domain] ?? [domain, 1];
return { company, employees };"""
    orders = """const orders = { 'hopper.example': 7, 'lovelace.example': 0 }[$json.email.split('@')[1]] ?? 0;
return { orders, last_order: orders ? '2026-10-30' : null };"""
    person = {
        "name": "={{ $json.body.name.trim() }}",
        "email": "={{ $json.body.email.trim().toLowerCase() }}",
    }
    score = {"score": "={{ Math.min(100, Math.round($json.employees / 4) + 8 * $json.orders) }}"}
    together = {"mode": "combine", "combineBy": "combineByPosition", "options": {}}
    document = flow(
        "Lead enrichment",
        [
            webhook(path),
            edit("Clean up", person),
            code("Company", firm, "runOnceForEachItem"),
            code("Earlier orders", orders, "runOnceForEachItem"),
            node("Together", "merge", together, 3.1),
            edit("Score", score, "number"),
            chosen("Promising?", "={{ $json.score }}", "gte", 50),
            edit("Call them", {"next": "Sales calls today"}),
            edit("Newsletter", {"next": "Monthly newsletter"}),
        ],
        *line("Webhook", "Clean up", "Company"),
        ("Clean up", "Earlier orders"),
        ("Company", 0, "Together", 0),
        ("Earlier orders", 0, "Together", 1),
        *line("Together", "Score", "Promising?"),
        ("Promising?", 0, "Call them"),
        ("Promising?", 1, "Newsletter"),
    )
    cells = {
        "Webhook": (0, 0.5),
        "Clean up": (1, 0.5),
        "Company": (2, 0.0),
        "Earlier orders": (2, 1.0),
    }
    cells |= {"Together": (3, 0.5), "Score": (4, 0.5), "Promising?": (5, 0.5)}
    cells |= {"Call them": (6, 0), "Newsletter": (6, 1)}
    people = [
        {"name": "Grace", "email": "grace@hopper.example"},
        {"name": " Ada ", "email": "Ada@Lovelace.example"},
        {"name": "Alan", "email": "alan@turing.example"},
    ]
    return Demo(placed(document, cells), ("Sales", "Live"), people, path, published=True)


def alerts() -> Demo:
    probes = """return [['Shop', 182], ['Payments', 2350], ['Mail', 95], ['Greenhouse sensors', 4100]]
  .map(([service, ms]) => ({ json: { service, ms } }));"""
    slow = condition("={{ $json.ms }}", "gt", 2000, "number")
    gate = """// the gateway of this demo wakes up late: the node's own retries reach it
if (Date.now() - DateTime.fromISO($json.asked).toMillis() < 1500) throw new Error('503: the gateway is waking up');
return { ...$json, told: 'on call' };"""
    document = flow(
        "Service alerts",
        [
            every("Every five minutes", field="minutes", minutesInterval=5),
            code("Measure", probes),
            node("Slow ones", "filter", {"conditions": slow, "options": {}}, 2.2),
            node(
                "Slowest first",
                "sort",
                {"sortFieldsUi": {"sortField": [{"fieldName": "ms", "order": "descending"}]}, "options": {}},
            ),
            edit(
                "Word it",
                {"alert": "={{ $json.service }} took {{ $json.ms }} ms", "asked": "={{ $now }}"},
                "string",
            ),
            code(
                "Tell who is on call",
                gate,
                "runOnceForEachItem",
                retryOnFail=True,
                maxTries=5,
                waitBetweenTries=1000,
            ),
        ],
        *line(
            "Every five minutes", "Measure", "Slow ones", "Slowest first", "Word it", "Tell who is on call"
        ),
    )
    cells = {each["name"]: (float(column), 0.0) for column, each in enumerate(document["nodes"])}
    note = "## Slow is the new down\nThe last node tries up to five times, a second apart."
    return Demo(placed(document, cells, note), ("Operations", "Live"), [{}, {}], published=True)


def purchases() -> Demo:
    wish = "return [{ json: { item: 'Ten pots of terracotta', price: 640, wished_by: 'Barbara' } }];"
    limit = "={{ Number($vars.approval_limit ?? 500) }}"
    document = flow(
        "Approve a purchase",
        [
            manual(),
            code("Wish", wish),
            chosen("Above the limit?", "={{ $json.price }}", "gt", limit),
            node("Wait for the boss", "wait", {"resume": "webhook", "options": {}}, 1.1),
            edit("Order it", {"status": "ordered"}),
        ],
        *line("Start", "Wish", "Above the limit?"),
        ("Above the limit?", 0, "Wait for the boss"),
        ("Above the limit?", 1, "Order it"),
        ("Wait for the boss", "Order it"),
    )
    cells: dict[str, tuple[float, float]] = {
        "Start": (0, 0.5),
        "Wish": (1, 0.5),
        "Above the limit?": (2, 0.5),
    }
    cells |= {"Wait for the boss": (3, 0), "Order it": (4, 0.5)}
    note = "## Wait as long as it takes\nThe run sleeps until its address is called. A restart of Weft doesn't wake it."
    return Demo(placed(document, cells, note), ("Finance",))


def payouts() -> Demo:
    rows = """const hours = [['Ada', 'DE89370400440532013000', 120], ['Grace', 'DE00 1234', 80],
  ['Alan', 'GB82WEST12345698765432', 45]];
return hours.map(([name, iban, amount]) => ({ json: { name, iban, amount } }));"""
    check = """const valid = /^[A-Z]{2}\\d{2}[A-Z0-9]{11,30}$/.test($json.iban);
if (!valid) throw new Error(`The IBAN of ${$json.name} is not valid: ${$json.iban}`);
return $json;"""
    document = flow(
        "Pay the freelancers",
        [
            manual(),
            code("Hours", rows),
            code("Check IBANs", check, "runOnceForEachItem"),
            edit("Pay", {"paid": True}),
        ],
        *line("Start", "Hours", "Check IBANs", "Pay"),
    )
    cells = {each["name"]: (float(column), 0.0) for column, each in enumerate(document["nodes"])}
    return Demo(placed(document, cells), ("Finance",), [{}, {}], retried=True)


def newsletter() -> Demo:
    rows = """const plants = [['Monstera', 24.9, 'Likes shade'], ['Olive tree', 89, 'Likes the sun'],
  ['Fern', 12.5, 'Likes rain']];
return plants.map(([plant, price, why]) => ({ json: { plant, price, why } }));"""
    page = """<!DOCTYPE html>
<html><body style="font-family: Georgia, serif; max-width: 560px; margin: 24px auto; color: #1d3b32">
<h1>New in the greenhouse</h1>
<ul>{{ $json.plants.map((one) => `<li><b>${one.plant}</b>, ${one.price} €. ${one.why}.</li>`).join('') }}</ul>
<p>Yours, {{ $vars.company ?? 'Juniper & Daughters' }}</p>
</body></html>"""
    together = {"aggregate": "aggregateAllItemData", "destinationFieldName": "plants", "options": {}}
    document = flow(
        "Monthly newsletter",
        [
            every("First of the month", field="months", triggerAtDayOfMonth=1, triggerAtHour=9),
            code("New plants", rows),
            node("All in one", "aggregate", together),
            node("Lay it out", "html", {"operation": "generateHtmlTemplate", "html": page}, 1.2),
        ],
        *line("First of the month", "New plants", "All in one", "Lay it out"),
    )
    cells = {each["name"]: (float(column), 0.0) for column, each in enumerate(document["nodes"])}
    return Demo(placed(document, cells), ("Customers",), [{}, {}])


def demos(paths: str) -> list[Demo]:
    """`paths`: what the paths of the webhooks begin with, which are one installation's."""
    return [
        newsletter(),
        payouts(),
        purchases(),
        alerts(),
        leads(f"{paths}/lead"),
        invoices(),
        support(f"{paths}/ticket"),
    ]
