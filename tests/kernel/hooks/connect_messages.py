"""Messages of Spark Connect's protocol as far as their walkers look; pyspark is not installed here."""

from __future__ import annotations

from itertools import count
from typing import Any

_IDS = count(1)


class Message:
    """One message: unset fields are empty, as protobuf's are."""

    def __init__(self, chosen: str = "", **fields: Any) -> None:
        self.chosen = chosen
        self.fields = fields

    def __getattr__(self, name: str) -> Any:
        return self.fields.get(name, ())

    def HasField(self, name: str) -> bool:  # noqa: N802  # protobuf's name
        return name in self.fields

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802  # the same
        return self.chosen or None


def relation(kind: str, **fields: Any) -> Message:
    """Return a relation of one type, with a plan id of its own."""
    return Message(kind, common=Message(plan_id=next(_IDS)), **{kind: Message(**fields)})


def expression(kind: str, chosen: str = "", **fields: Any) -> Message:
    """Return an expression of one type."""
    return Message(kind, **{kind: Message(chosen, **fields)})


def column(name: str, of: Message | None = None) -> Message:
    """Return a column by its name, or by the frame that it is of."""
    plan = {"plan_id": of.common.plan_id} if of is not None else {}
    return expression("unresolved_attribute", unparsed_identifier=name, **plan)


def call(name: str, *arguments: Message) -> Message:
    """Return a function's call."""
    return expression("unresolved_function", function_name=name, arguments=list(arguments))


def alias(node: Message, *names: str) -> Message:
    """Return an expression under other names."""
    return expression("alias", expr=node, name=list(names))


LITERAL = expression("literal", "string", string="x")
