"""Mask the classified columns of what a pipe reads, by the rules that act on it. It computes no mask itself.

The expressions come from masking plugins. Key material goes to the session once, beside the expressions;
where pipe code could reach the session, masked rows are computed and the keys dropped before it runs.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kindling.errors import KindlingError, PluginError, RunError
from kindling.hooks.masking import Keyed, Masking, MaskingSpec, MaskRequest
from kindling.hooks.platform import Keys, Shares
from kindling.lineage import EVERY_COLUMN, spread
from kindling.plan.rights import masks_of
from kindling.schemas import Schema, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kindling.hooks import Frame
    from kindling.hooks.platform import Session
    from kindling.lineage import Classes
    from kindling.plan.project import Project
    from kindling.plan.rights import MaskRule
    from kindling.secret import Secret

CHANGE = "_change"
"""Column of `k.changes(deletes="include")`: what happened to a row, no value of it."""


@dataclass(frozen=True, slots=True)
class Governed:
    """A frame as its reader gets it.

    Attributes:
        frame: The frame.
        classes: Classes by column that its columns still carry: what a column was masked for is gone.
        masked: `(column, mask)` of each masked column.
        keys: References of the keys that were used.
        is_keyed: Whether the frame needs key views of the session.
    """

    frame: Frame
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    masked: tuple[tuple[str, str], ...] = ()
    keys: tuple[str, ...] = ()
    is_keyed: bool = False


class Masks:
    """The masking plugins of one process, each opened once.

    Args:
        project: The opened project.
        secret: Resolves the reference of a key; the value is redacted from then on.
        hide: Redacts a text from now on: what a mask makes of a key.
    """

    def __init__(
        self, project: Project, secret: Callable[[str], Secret], hide: Callable[[str], None]
    ) -> None:
        self._project = project
        self._secret = secret
        self._hide = hide
        self._open: dict[str, Masking] = {}

    def is_keyed(self, name: str) -> bool:
        """Tell whether a mask needs a key."""
        return "keyed" in self._project.catalog.find(f"masking:{name}").features

    def mask(self, name: str) -> Masking:
        """Return the mask `masking:<name>`."""
        if name not in self._open:
            settings = dict(self._project.settings.plugin(f"masking:{name}"))
            spec = MaskingSpec(self._project.environment, settings)
            self._open[name] = self._project.loader.masking(name).factory(spec)
        return self._open[name]

    def keys(self, rule: MaskRule) -> Mapping[str, bytes]:
        """Return the key columns' values of a keyed rule.

        Raises:
            PluginError: KDL-GOV-005, the mask declares `keyed` and gives no keys.
        """
        mask = self.mask(rule.mask)
        if not isinstance(mask, Keyed):
            raise PluginError(
                "KDL-GOV-005",
                f"the mask {rule.mask!r} gives no keys",
                why="its plugin declares the feature 'keyed', and has no keys()",
                hint="tell the plugin's author: its conformance suite shows it",
            )
        keys = mask.keys(self._secret(rule.key))
        for value in keys.values():
            self._hide(value.hex())
            self._hide(b64encode(value).decode())
        return keys


def governed(
    session: Session, masks: Masks | None, frame: Frame, classes: Classes, rules: Sequence[MaskRule]
) -> Governed:
    """Return a frame with its classified columns masked, lazily.

    Args:
        session: The reader's session.
        masks: The masking plugins; None where there are no rules.
        frame: The frame as it is kept.
        classes: Classes by column; those of `*` are every column's.
        rules: The rules that act on the reader.

    Raises:
        ConfigError: A mask cannot mask a column, or its key is no key.
        RunError: KDL-GOV-006, the session cannot hide keys.
        PluginError: KDL-GOV-005, a mask does not do what it declares.
    """
    if EVERY_COLUMN in classes:
        names = session.schema(frame).names
        classes = spread(classes, (name for name in names if name != CHANGE))
    named = masks_of(rules, classes)
    if masks is None or not named:
        return Governed(frame, dict(classes))
    return _Application(session, masks, frame, session.schema(frame)).masked(classes, named)


class _Application:
    """Rules applied to one frame."""

    def __init__(self, session: Session, masks: Masks, frame: Frame, schema: Schema) -> None:
        self._session = session
        self._masks = masks
        self._frame = frame
        self._schema = schema
        self._keys: dict[str, bytes] = {}
        self._aliases: dict[str, dict[str, str]] = {}
        self._used: list[str] = []

    def masked(self, classes: Classes, named: Mapping[str, MaskRule]) -> Governed:
        """Apply the rules of classified columns; those that the frame lacks stay as they are."""
        chosen: dict[str, MaskRule] = {}
        left: dict[str, tuple[str, ...]] = {}
        for column, some in classes.items():
            kept, rule = self._schema.field(column), named.get(column)
            rest = some
            if kept is not None and rule is not None:
                chosen[kept.name] = rule
                rest = tuple(one for one in some if not rule.is_about((one,)))
            if rest:
                left[column] = rest
        if not chosen:
            return Governed(self._frame, left)
        columns = [(name, self._column(name, chosen.get(name))) for name in self._schema.names]
        told = tuple((name, chosen[name].mask) for name in self._schema.names if name in chosen)
        if not self._keys:
            return Governed(self._session.select(self._frame, columns), left, told)
        return Governed(self._with_keys(columns), left, told, tuple(self._used), is_keyed=True)

    def _with_keys(self, columns: Sequence[tuple[str, str]]) -> Frame:
        if "keys" not in self._session.features or not isinstance(self._session, Keys):
            raise RunError(
                "KDL-GOV-006",
                f"a keyed mask cannot act on the platform {self._session.platform!r}",
                why="its sessions lack the feature 'keys'",
                hint="use a mask without a key, or another platform",
            )
        return self._session.select_with_keys(self._frame, columns, self._keys)

    def _column(self, name: str, rule: MaskRule | None) -> str:
        if rule is None:
            return quoted(name)
        types = {field.name: field.type for field in self._schema.fields}
        try:
            request = MaskRequest(
                column=quoted(name),
                type=types[name],
                options=rule.chosen(),
                keys=self._key_columns(rule) if self._masks.is_keyed(rule.mask) else {},
                columns={other: quoted(other) for other in types},
                types=types,
            )
            return self._masks.mask(rule.mask).expression(request)
        except KindlingError as error:
            error.where = error.where or f"policy.masks.{rule.name}, column {name!r}"
            raise

    def _key_columns(self, rule: MaskRule) -> dict[str, str]:
        """Return the references of a rule's key columns; names that no column of the frame has."""
        place = f"{rule.mask}\0{rule.key}"
        if place not in self._aliases:
            number = len(self._aliases)
            taken = {name.lower() for name in self._schema.names}
            found: dict[str, str] = {}
            for name, value in self._masks.keys(rule).items():
                alias = f"kdl_key_{number}_{name}"
                while alias.lower() in taken:
                    alias = f"_{alias}"
                self._keys[alias] = value
                found[name] = quoted(alias)
            self._aliases[place] = found
            self._used.append(rule.key)
        return self._aliases[place]


def without_keys(session: Session, frame: Frame, name: str) -> Frame:
    """Compute a masked frame once, and drop the keys that it needed: pipe code may see it then.

    Args:
        session: The task's session.
        frame: A frame of `governed`.
        name: Unique in the run.

    Raises:
        RunError: KDL-GOV-006, the session cannot share.
    """
    if not isinstance(session, Shares) or not isinstance(session, Keys):
        raise RunError(
            "KDL-GOV-006",
            f"a keyed mask cannot act on a Python pipe on the platform {session.platform!r}",
            why="its sessions lack the feature 'share': pipe code could reach the key",
            hint="use a mask without a key, SQL, or another platform",
        )
    kept = session.attach(session.share(frame, name))
    session.drop_keys()
    return kept
