"""Who may see and write which field.

Simplified: every user has the standard objects and fields by profile; custom fields exist
for a user only through permission sets, exactly as after a real deployment. Object
permissions and sharing are not enforced; a standard field can be hidden for one user.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sfsync.local_org.schema import Field, SObject


@dataclass(frozen=True, slots=True)
class PermissionSet:
    """Names of fields (``Case.Contact_Reason__c``) that its holders may read and edit."""

    name: str
    readable: frozenset[str] = frozenset()
    editable: frozenset[str] = frozenset()
    custom_permissions: frozenset[str] = frozenset()


@dataclass(slots=True)
class Access:
    """Field-level security of the whole org."""

    permission_sets: dict[str, PermissionSet] = field(default_factory=dict)
    _assigned: dict[str, set[str]] = field(default_factory=dict)
    _hidden: set[tuple[str, str, str]] = field(default_factory=set)
    _frozen: set[tuple[str, str, str]] = field(default_factory=set)

    def assign(self, user_id: str, permission_set: str) -> None:
        """Give a user a permission set.

        Raises:
            KeyError: the org has no permission set of that name.
        """
        self._assigned.setdefault(user_id, set()).add(self.permission_sets[permission_set].name)

    def unassign(self, user_id: str, permission_set: str) -> None:
        """Take a permission set away again."""
        self._assigned.get(user_id, set()).discard(permission_set)

    def grant(self, user_id: str, sobject: str, names: Iterable[str]) -> None:
        """Let one user read and edit fields, by a permission set of their own."""
        own = f"Own_{user_id}"
        had = self.permission_sets.get(own, PermissionSet(own))
        granted = frozenset(f"{sobject}.{name}" for name in names)
        self.permission_sets[own] = replace(
            had, readable=had.readable | granted, editable=had.editable | granted
        )
        self.assign(user_id, own)

    def hide(self, user_id: str, sobject: str, name: str) -> None:
        """Take away the right to read a field, standard ones included."""
        self._hidden.add((user_id, sobject, name))

    def freeze(self, user_id: str, sobject: str, name: str) -> None:
        """Take away the right to edit a field; it stays readable."""
        self._frozen.add((user_id, sobject, name))

    def can_read(self, user_id: str, sobject: SObject, one: Field) -> bool:
        if (user_id, sobject.name, one.name) in self._hidden:
            return False
        return not one.is_custom or any(
            f"{sobject.name}.{one.name}" in held.readable for held in self._held_by(user_id)
        )

    def can_edit(self, user_id: str, sobject: SObject, one: Field) -> bool:
        """Return whether the user's rights allow a change (the field itself may forbid it)."""
        key = (user_id, sobject.name, one.name)
        if key in self._frozen or key in self._hidden:
            return False
        return not one.is_custom or any(
            f"{sobject.name}.{one.name}" in held.editable for held in self._held_by(user_id)
        )

    def custom_permissions(self, user_id: str) -> set[str]:
        """Return the custom permissions that a user has."""
        return {name for held in self._held_by(user_id) for name in held.custom_permissions}

    def _held_by(self, user_id: str) -> Iterable[PermissionSet]:
        return [self.permission_sets[name] for name in self._assigned.get(user_id, ())]
