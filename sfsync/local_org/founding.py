"""The people, queues, record types and products that an org has before its first Case."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sfsync.local_org.moments import Value
from sfsync.local_org.tables import Table

REPRESENTATIVES = ("Ann Bell", "Ben Cole", "Cem Demir", "Dora Egan")
TEAMS = {
    "Ann Bell": "Billing team",
    "Ben Cole": "Delivery team",
    "Cem Demir": "Account team",
    "Dora Egan": "Delivery team",
}
"""Role of each representative."""
CUSTOMERS = ("Gita Hale", "Ian Jung", "Kim Lund", "Max Noor", "Ola Paz", "Rui Sato")
QUEUES = ("Triage", "Tier 1", "Billing Desk")
RECORD_TYPES = {"Support": "Support", "Complaint": "Complaint"}
PRODUCTS = ("Home", "Business", "Mobile")
INTEGRATION_USERNAME = "integration@acme.example"


@dataclass(frozen=True, slots=True)
class Founders:
    """Ids of what every org has from the start."""

    integration: str
    automation: str
    """The user that bots and flows act as."""
    representatives: tuple[str, ...]
    portal_users: tuple[str, ...]
    queues: tuple[str, ...]
    record_types: tuple[str, ...]
    products: tuple[str, ...]


def found(
    tables: Mapping[str, Table], organization: dict[str, Value], now: datetime
) -> Founders:
    """Fill the tables of a new org; return who and what was made."""

    def make(sobject: str, **values: Value) -> str:
        record_id = str(values.pop("Id", None) or tables[sobject].reserve_id())
        stamps: dict[str, Value] = dict.fromkeys(
            ("CreatedDate", "LastModifiedDate", "SystemModstamp"), now
        )
        tables[sobject].put(record_id, {"IsDeleted": False, **stamps, **values})
        return record_id

    def user(name: str, kind: str, username: str = "") -> str:
        first, _, last = name.partition(" ")
        username = username or f"{first}.{last}@acme.example".lower()
        return make(
            "User",
            Name=name,
            FirstName=first,
            LastName=last,
            Username=username,
            Email=username,
            Alias=first[:8].lower(),
            IsActive=True,
            UserType=kind,
            UserRoleId=roles.get(TEAMS.get(name, "")),
            LanguageLocaleKey="en_US",
            TimeZoneSidKey="Europe/London",
        )

    make("Organization", **organization)
    roles = {
        name: make("UserRole", Name=name, DeveloperName=name.replace(" ", "_"))
        for name in dict.fromkeys(TEAMS.values())
    }
    return Founders(
        integration=user("Contact Reason", "Standard", INTEGRATION_USERNAME),
        automation=user("Automated Process", "AutomatedProcess"),
        representatives=tuple(user(name, "Standard") for name in REPRESENTATIVES),
        portal_users=tuple(user(name, "CspLitePortal") for name in CUSTOMERS),
        queues=tuple(
            make("Group", Name=name, DeveloperName=name.replace(" ", "_"), Type="Queue")
            for name in QUEUES
        ),
        record_types=tuple(
            make(
                "RecordType", Name=label, DeveloperName=name, SobjectType="Case", IsActive=True
            )
            for name, label in RECORD_TYPES.items()
        ),
        products=tuple(make("Product2", Name=name, IsActive=True) for name in PRODUCTS),
    )
