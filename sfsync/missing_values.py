"""Values that the org's picklists lack: which Cases wait for them, and the one notice."""

from classifier import leases
from sfsync.cases import SObjectDescription
from sfsync.models import Notice, WriteBack

Hold = WriteBack.Hold
NOTICE = "picklist-values-missing"
VALUES_NAMED = 10  # in the notice; more would not be read
SEPARATOR = ": "  # no field name contains it


def detail_of(field: str, value: str) -> str:
    """Return what a write-back keeps of the value it waits for."""
    return f"{field}{SEPARATOR}{value}"


def release_known(description: SObjectDescription) -> None:
    """Make due what waited for a value that the org has by now."""
    known = [detail for detail in _details() if _is_known(detail, description)]
    if known:
        WriteBack.objects.held(Hold.PICKLIST).filter(hold_detail__in=known).make_due(
            leases.now()
        )
        tell()


def tell() -> None:
    """Keep the one notice about missing values up to date."""
    details, moment = _details(), leases.now()
    if not details:
        Notice.clear(NOTICE, moment)
        return
    pairs = [detail.partition(SEPARATOR) for detail in details]
    values = list(dict.fromkeys(value for _, _, value in pairs))
    named = ", ".join(f"“{value}”" for value in values[:VALUES_NAMED])
    more = f" and {len(values) - VALUES_NAMED} more" if len(values) > VALUES_NAMED else ""
    where = ", ".join(dict.fromkeys(field for field, _, _ in pairs))
    text = (
        f"Salesforce does not know {named}{more} as a value of {where}."
        f" {WriteBack.objects.held(Hold.PICKLIST).count()} Case(s) wait for it. Run"
        " `python manage.py salesforce_metadata DIR --only-missing` and deploy DIR, or give the"
        " category the value that the org already uses: they are then written by themselves."
    )
    Notice.raise_for(NOTICE, Notice.Level.WARNING, text, moment)


def _details() -> list[str]:
    waiting = WriteBack.objects.held(Hold.PICKLIST)
    return sorted(set(waiting.order_by().values_list("hold_detail", flat=True)))


def _is_known(detail: str, description: SObjectDescription) -> bool:
    name, _, value = detail.partition(SEPARATOR)
    described = description.fields.get(name)
    # A field that is gone or free by now refuses nothing; the next look sorts it out.
    return (
        described is None or not described.is_restricted or value in described.picklist_values
    )
