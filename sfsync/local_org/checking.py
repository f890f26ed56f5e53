"""What may be written into a field: types, lengths, picklists, rights."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from sfsync.local_org.errors import Refusal
from sfsync.local_org.ids import long_id
from sfsync.local_org.moments import Value, parsed, to_second
from sfsync.local_org.schema import NUMBERS, Field, Kind, SObject
from sfsync.local_org.state import OrgState

_SECURITY = (
    "Unable to create/update fields: {}. Please check the security settings of this field "
    "and verify that it is read/write for your profile or permission set."
)
_TEXTS = frozenset(
    {Kind.STRING, Kind.TEXTAREA, Kind.PICKLIST, Kind.MULTIPICKLIST, Kind.EMAIL, Kind.PHONE}
    | {Kind.URL}
)


def known_fields(sobject: SObject, names: Iterable[str]) -> dict[str, Field]:
    """Return the fields of these names, keyed by the spelling of the caller.

    Raises:
        Refusal: INVALID_FIELD for the first name the sObject does not have.
    """
    found: dict[str, Field] = {}
    for name in names:
        field = sobject.find(name)
        if field is None:
            message = f"No such column '{name}' on sobject of type {sobject.name}"
            raise Refusal(400, "INVALID_FIELD", message)
        found[name] = field
    return found


def refuse_without_rights(
    org: OrgState, user_id: str, sobject: SObject, fields: Iterable[Field], *, creating: bool
) -> None:
    """Refuse a write to fields the user may not edit or nobody can.

    Raises:
        Refusal: INVALID_FIELD_FOR_INSERT_UPDATE naming all of them.
    """
    refused = [
        field.name
        for field in fields
        if not (field.is_createable if creating else field.is_updateable)
        or not org.access.can_edit(user_id, sobject, field)
    ]
    if refused:
        message = _SECURITY.format(", ".join(refused))
        raise Refusal(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, refused)


def deserialised(fields: Mapping[str, Field], values: Mapping[str, object]) -> dict[str, Value]:
    """Return JSON values as the org holds them, keyed by the field's true name.

    Raises:
        Refusal: JSON_PARSER_ERROR for a value of the wrong JSON type.
    """
    return {fields[name].name: _value(fields[name], given) for name, given in values.items()}


def _value(field: Field, given: object) -> Value:
    if given is None:
        return None
    if field.kind is Kind.BOOLEAN:
        return given if isinstance(given, bool) else _misfit("boolean", given)
    if field.kind in NUMBERS:
        if isinstance(given, bool) or not isinstance(given, int | float):
            return _misfit("double", given)
        return given
    if not isinstance(given, str):
        return _misfit("string", given)
    return _from_text(field, given)


def _from_text(field: Field, given: str) -> Value:
    if field.kind is Kind.DATETIME:
        return _moment(given)
    if field.kind is Kind.DATE:
        return _date(given)
    if field.kind is Kind.REFERENCE:
        return long_id(given) or _bad_id(field, given)
    # The platform trims text on saving and knows no empty string, only null.
    return given.strip() or None


def _moment(given: str) -> Value:
    try:
        return to_second(parsed(given))
    except ValueError:
        return _misfit("datetime", given)


def _date(given: str) -> Value:
    try:
        return date.fromisoformat(given)
    except ValueError:
        return _misfit("date", given)


def _misfit(wanted: str, given: object) -> Value:
    kind = "VALUE_STRING" if isinstance(given, str) else "VALUE_NUMBER_INT"
    message = (
        f"Cannot deserialize instance of {wanted} from {kind} value {given} or request may be "
        "missing a required field at [line:1, column:2]"
    )
    raise Refusal(400, "JSON_PARSER_ERROR", message)


def _bad_id(field: Field, given: str) -> Value:
    message = f"{field.shown_as}: id value of incorrect type: {given}"
    raise Refusal(400, "MALFORMED_ID", message, [field.name])


def validated(org: OrgState, sobject: SObject, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values as they are stored, numbers rounded to their scale.

    Raises:
        Refusal: STRING_TOO_LONG, INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST,
            NUMBER_OUTSIDE_VALID_RANGE or INVALID_CROSS_REFERENCE_KEY.
    """
    stored: dict[str, Value] = {}
    for name, value in values.items():
        field = sobject.find(name)
        if field is None:
            raise KeyError(name)
        stored[name] = None if value is None else _stored(org, field, value)
    return stored


def _stored(org: OrgState, field: Field, value: Value) -> Value:
    if field.kind in NUMBERS and isinstance(value, int | float):
        return _number(field, value)
    if field.kind is Kind.REFERENCE:
        return _existing(org, field, str(value))
    if field.kind in _TEXTS and isinstance(value, str):
        _refuse_unknown_values(field, value)
        _refuse_too_long(field, value)
    return value


def _number(field: Field, value: float) -> Value:
    unit = Decimal(1).scaleb(-field.scale)
    rounded = Decimal(str(value)).quantize(unit, ROUND_HALF_UP)
    if field.precision and abs(rounded) >= Decimal(10) ** (field.precision - field.scale):
        message = f"{field.shown_as}: value outside of valid range on numeric field: {value}"
        raise Refusal(400, "NUMBER_OUTSIDE_VALID_RANGE", message, [field.name])
    return int(rounded) if field.kind is Kind.INT else float(rounded)


def _existing(org: OrgState, field: Field, value: str) -> Value:
    if any(org.table(name).get(value) for name in field.references):
        return value
    raise Refusal(
        400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [field.name]
    )


def _refuse_unknown_values(field: Field, value: str) -> None:
    if not field.is_restricted:
        return
    known = {one.value for one in field.values if one.is_active}
    given = value.split(";") if field.kind is Kind.MULTIPICKLIST else [value]
    if unknown := [one for one in given if one not in known]:
        message = (
            f"{field.shown_as}: bad value for restricted picklist field: {';'.join(unknown)}"
        )
        raise Refusal(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [field.name])


def _refuse_too_long(field: Field, value: str) -> None:
    if field.length and len(value) > field.length:
        message = f"{field.shown_as}: data value too large: {value} (max length={field.length})"
        raise Refusal(400, "STRING_TOO_LONG", message, [field.name])
