"""A node as data: what the editor draws, the API lists, the importer checks and the scheduler needs to know.

`definition.json` in a node's folder is a `NodeDefinition`, `credentials/<type>.json` in a package a
`CredentialDefinition`. Conditions (`show`, `hide`, `when`) map a parameter to the values that fulfil them; a
key `/name` looks at the root, `@version` at the node's version, and `{"_cnd": {"gte": 2}}` stands for a
comparison (eq, not, gt, gte, lt, lte, between, startsWith, endsWith, includes, regex, exists). All keys must
be fulfilled by one of their values to show, any one of them hides.
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Conditions = dict[str, list[Any]]

PropertyType = Literal[
    "string",
    "number",
    "boolean",
    "options",
    "multiOptions",
    "collection",
    "fixedCollection",
    "json",
    "dateTime",
    "color",
    "filter",
    "assignmentCollection",
    "resourceLocator",
    "resourceMapper",
    "workflowSelector",
    "credentials",
    "credentialsSelect",
    "code",
    "notice",
    "hidden",
]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Option(Model):
    """One choice. `value` is what the workflow stores."""

    name: str
    value: str | int | float | bool
    description: str = ""


class Group(Model):
    """A named part of a fixed collection."""

    name: str
    display_name: str
    fields: list["Property"]


class Property(Model):
    """A parameter of a node or a field of a credential.

    collection: `fields` are optional members. fixedCollection: `groups`, each a list of entries where
    `multiple`. `no_expression`: its value is always literal. `loader`: names the source of dynamic options.
    `secret`: never shown again. `default` None stands for the empty value of the type.
    """

    name: str
    type: PropertyType
    display_name: str
    description: str
    default: Any = None
    required: bool = False
    no_expression: bool = False
    multiple: bool = False
    secret: bool = False
    placeholder: str = ""
    loader: str = ""
    language: Literal["", "javascript", "python", "sql", "html", "json"] = ""
    rows: int = 1
    options: list[Option] = Field(default_factory=list)
    fields: list["Property"] = Field(default_factory=list)
    groups: list[Group] = Field(default_factory=list)
    show: Conditions = Field(default_factory=dict)
    hide: Conditions = Field(default_factory=dict)

    @model_validator(mode="after")
    def _parts_fit_type(self) -> Self:
        if self.groups and self.type != "fixedCollection":
            raise ValueError(f"{self.name}: only a fixedCollection has groups")
        if self.fields and self.type != "collection":
            raise ValueError(f"{self.name}: only a collection has fields")
        if self.options and self.type not in {"options", "multiOptions"}:
            raise ValueError(f"{self.name}: only options and multiOptions have options")
        return self


class ExtraPort(Model):
    """One more port at the end, `when` it holds. `label_from`: the parameter that names it."""

    when: Conditions
    label: str
    label_from: str = ""


class PortRule(Model):
    """Main ports of a node. The first rule of a list whose `when` holds counts.

    There is one port per entry of `labels`, then as many as the number in parameter `number_of` says, or one
    per entry of the list in parameter `list_of` (labelled by the entry's `label_key`, else by its index);
    `default` of them where that parameter is not set.
    """

    when: Conditions = Field(default_factory=dict)
    labels: list[str] = Field(default_factory=list)
    number_of: str = ""
    list_of: str = ""
    label_key: str = ""
    default: int = 0
    extra: list[ExtraPort] = Field(default_factory=list)


class CredentialUse(Model):
    """A credential type that the node takes, while `show` holds."""

    type: str
    required: bool = False
    show: Conditions = Field(default_factory=dict)


class VersionGroup(Model):
    """Versions of a node that share one set of parameters."""

    versions: list[float]
    inputs: list[PortRule]
    outputs: list[PortRule]
    credentials: list[CredentialUse] = Field(default_factory=list)
    properties: list[Property] = Field(default_factory=list)


class TraitChange(Model):
    """Scheduling facts that differ `when` the raw parameters say so; see `weft_contracts.traits.Traits`."""

    when: Conditions = Field(default_factory=dict)
    idempotency: Literal["safe", "keyed", "unsafe"] | None = None
    suspends: bool | None = None
    waits_for_all: bool | None = None
    loops: bool | None = None
    responds: bool | None = None


class NodeDefinition(Model):
    """`type` is our short name; `aliases` are the names that documents use, the first one is written on
    export."""

    type: str
    aliases: list[str] = Field(min_length=1)
    display_name: str
    description: str
    icon: str = "icon.svg"
    categories: list[str] = Field(min_length=1)
    keywords: list[str] = Field(default_factory=list)
    trigger: Literal[
        "", "manual", "webhook", "schedule", "sub_workflow", "error", "form", "chat", "poll", "listen"
    ] = ""
    pool: Literal["default", "code", "heavy", "ai"] = "default"
    executable: bool = True
    """False: it only decorates the canvas (Sticky Note)."""
    traits: list[TraitChange] = Field(default_factory=list)
    """Applied in order, later ones win."""
    default_version: float
    versions: list[VersionGroup] = Field(min_length=1)


class Additions(Model):
    """What a credential adds to a request. In all texts `{field}` stands for a field of the credential, and
    `{access_token}` for what a sign-in by OAuth2 has given; a header or query parameter whose fields are all
    empty is left out. `basic`: user and password of basic authentication."""

    headers: dict[str, str] = Field(default_factory=dict)
    query: dict[str, str] = Field(default_factory=dict)
    body: dict[str, str] = Field(default_factory=dict)
    basic: list[str] = Field(default_factory=list, max_length=2)


class FailureRule(Model):
    """An answer that means no although its status is good: the value at `path` (`a.b`) is `value`. `message`: the
    path of the service's reason."""

    path: str
    value: str | int | float | bool | None
    message: str = ""


class TrialRequest(Model):
    """A call that only a good credential gets a status below 400 for; texts with fields, as in `Additions`."""

    method: Literal["GET", "POST"] = "GET"
    url: str
    headers: dict[str, str] = Field(default_factory=dict)
    query: dict[str, str] = Field(default_factory=dict)
    json_body: dict[str, Any] | None = None
    failures: list[FailureRule] = Field(default_factory=list)


class CredentialTest(Model):
    """How a credential is tried: by a request, or by `run`, a function of the package (`postgres.check:check`), see
    `weft_node_sdk.credentials.Check`."""

    request: TrialRequest | None = None
    run: str = ""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.request is None) == (not self.run):
            raise ValueError("a test is a request or a function")
        return self


class CredentialDefinition(Model):
    """A kind of credential and the fields that make it.

    `extends`: the kind whose fields (those of the same name are replaced), `authenticate`, `test` and `sign_in` it
    has where it says nothing itself. A hidden field's default is a text with fields, too. `hosts`: where it may be
    sent, `*.example.org` for all below; texts with fields; none: anywhere. `sign_in`: the user consents at the
    service, which gives tokens.
    """

    type: str
    display_name: str
    description: str
    extends: str = ""
    fields: list[Property]
    authenticate: Additions | None = None
    test: CredentialTest | None = None
    sign_in: Literal["", "oauth1", "oauth2"] = ""
    hosts: list[str] = Field(default_factory=list)
    usable: bool = True
    """False: it can be stored and travels with workflows; no node can use it yet."""
