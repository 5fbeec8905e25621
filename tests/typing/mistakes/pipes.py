"""One planted mistake on each marked line: a text of mypy, then one of pyright."""

from __future__ import annotations

import kindling as k

app = k.App("mistakes")
orders = app.source("orders", k.csv("o.csv"))


def none() -> k.DataFrame:
    raise NotImplementedError


def one(df: k.DataFrame) -> k.DataFrame:
    return df


def two(a: k.DataFrame, b: k.DataFrame) -> k.DataFrame:
    return a.join(b, "id")


def with_context(context: k.Context, df: k.DataFrame) -> k.DataFrame:
    context.log.info("seen")
    return df


def number(df: k.DataFrame) -> int:
    return df.count()


def takes_text(text: str) -> k.DataFrame:
    raise NotImplementedError(text)


good = app.pipe(orders)(one)

app.pipe(orders)(two)  # E: Argument 1 has incompatible type | Extra parameter "b"
app.pipe(orders, orders)(one)  # E: Argument 1 has incompatible type | too few positional parameters
app.pipe(orders)(none)  # E: Argument 1 has incompatible type | too few positional parameters
app.pipe()(one)  # E: Argument 1 has incompatible type | Extra parameter "df"
app.pipe(orders)(with_context)  # E: Argument 1 has incompatible type | is not assignable to type "(D1@pipe) -> DataFrame"
app.pipe(orders, context=True)(one)  # E: Argument 1 has incompatible type | too few positional parameters
app.pipe(orders)(number)  # E: Value of type variable "R_co" | Function return type "int" is incompatible
app.pipe(orders)(takes_text)  # E: Value of type variable "D1" | Parameter 1: type "D1@pipe" is incompatible
app.pipe("orders")(one)  # E: No overload variant of "pipe" | No overloads for "pipe"
app.pipe(one)(one)  # E: No overload variant of "pipe" | No overloads for "pipe"
app.pipe(orders, tagss=["a"])(one)  # E: No overload variant of "pipe" | No overloads for "pipe"
app.pipe(orders, write="append")(one)  # E: No overload variant of "pipe" | No overloads for "pipe"
app.pipe(orders, write=k.append)(one)  # E: No overload variant of "pipe" | No overloads for "pipe"
app.pipe(orders, incremental=k.merge(on=["a"]))(one)  # E: No overload variant of "pipe" | No overloads for "pipe"
app.pipe(orders, expect=["a > 1"])(one)  # E: No overload variant of "pipe" | No overloads for "pipe"
app.pipe(orders, storage="delta")(one)  # E: No overload variant of "pipe" | No overloads for "pipe"
app.pipe(orders, timeout_s="5")(one)  # E: No overload variant of "pipe" | No overloads for "pipe"
app.sql("gold", "SELECT 1", inputs=[orders])  # E: incompatible type "list[Entity]" | "list[Entity]" is not assignable
app.sql("gold", "SELECT 1", inputs={"o": "orders"})  # E: incompatible type "str" | "Literal['orders']" is not assignable to "Entity"
app.sql("gold", "SELECT 1")  # E: Missing named argument "inputs" | Argument missing for parameter "inputs"
app.sql("gold", "SELECT 1", inputs={}, tagss=["a"])  # E: Unexpected keyword argument "tagss" | No parameter named "tagss"
app.source("orders", "o.csv")  # E: incompatible type "str" | "Literal['o.csv']" is not assignable
app.source("orders")  # E: Missing positional argument "storage" | Argument missing for parameter "storage"
app.ref("gold.orders")  # E: Missing positional argument "name" | Argument missing for parameter "name"
app.include("other")  # E: incompatible type "str" | "Literal['other']" is not assignable
app.sources  # E: "App" has no attribute "sources" | Cannot access attribute "sources"
good.nme  # E: has no attribute "nme" | Cannot access attribute "nme"
