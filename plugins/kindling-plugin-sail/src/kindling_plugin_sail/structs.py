"""Arrow structs as Sail needs them: below a null struct its fields are null too.

Sail takes a field of a struct without looking whether the struct is null, and Arrow leaves anything there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def masked(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch whose null structs have null fields; the batch itself where it has no structs."""
    import pyarrow as pa

    if not any(pa.types.is_nested(field.type) for field in batch.schema):
        return batch
    return pa.RecordBatch.from_arrays([_masked(column) for column in batch.columns], schema=batch.schema)


def _masked(column: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_struct(kind) and len(kind):
        fields = [_masked(pc.struct_field(column, place)) for place in range(len(kind))]
        return pa.StructArray.from_arrays(fields, fields=list(kind), mask=column.is_null())
    if pa.types.is_list(kind) and pa.types.is_nested(kind.value_type) and not column.offset:
        values = _masked(column.values)
        return pa.ListArray.from_arrays(column.offsets, values, type=kind, mask=column.is_null())
    return column
