"""One planted mistake on each marked line: a text of mypy, then one of pyright."""

from __future__ import annotations

import kindling as k

app = k.App("mistakes")
orders = app.source("orders", k.csv("o.csv"))


@app.pipe(orders)
def silver(df: k.DataFrame) -> k.DataFrame:
    return df.wehre("id > 0")  # E: "Column" not callable | Object of type "Column" is not callable


@app.pipe(orders)
def gold(df: k.DataFrame) -> k.DataFrame:
    return df.count()  # E: Incompatible return value type | "int" is not assignable to "DataFrame"


def a_test(frame: k.DataFrame, context: k.Context, key: k.TaskKey) -> None:
    silver(frame)
    silver()  # E: Too few arguments | Expected 1 more positional argument
    silver(frame, frame)  # E: Too many arguments | Expected 1 positional argument
    silver("rows")  # E: incompatible type "str" | "Literal['rows']" is not assignable
    k.F.cl("a")  # E: Module has no attribute "cl" | "cl" is not a known attribute
    k.Window.partitionby("a")  # E: has no attribute "partitionby" | Cannot access attribute "partitionby"
    k.types.Long()  # E: Module has no attribute "Long" | "Long" is not a known attribute
    k.dedupe(frame, on=["id"])  # E: Missing named argument "order_by" | Argument missing for parameter "order_by"
    k.dedupe(frame, ["id"], ["ts"])  # E: Too many positional arguments | Expected 1 positional argument
    context.session  # E: "Context" has no attribute "session" | Cannot access attribute "session"
    context.setting(5)  # E: incompatible type "int" | "Literal[5]" is not assignable
    key.entity = "b"  # E: Property "entity" defined in "TaskKey" is read-only | Attribute "entity" is read-only


k.merge()  # E: Missing named argument "on" | Argument missing for parameter "on"
k.merge(["id"])  # E: Too many positional arguments | Expected 0 positional arguments
k.merge(on=5)  # E: incompatible type "int" | "Literal[5]" is not assignable
k.by_time("ts")  # E: Missing named argument "every" | Argument missing for parameter "every"
k.changes(delete="ignore")  # E: Unexpected keyword argument "delete" | No parameter named "delete"
k.csv("o.csv", null_value=["NA"])  # E: incompatible type "list[str]" | "list[str]" is not assignable to type "Option"
k.mrege  # E: Module has no attribute "mrege" | "mrege" is not a known attribute
k.Address("delta")  # E: Missing positional arguments "location", "parts" | Arguments missing for parameters
k.Schema("id int")  # E: incompatible type "str" | "Literal['id int']" is not assignable
k.App()  # E: Missing positional argument "name" | Argument missing for parameter "name"
