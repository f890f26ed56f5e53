"""What an Outbound Message looks like on the wire (SOAP API guide, outbound messaging)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

API = "66.0"


@dataclass(frozen=True, slots=True)
class Told:
    """One notification: a record as it is at the moment of sending."""

    id: str
    """``04l…``: the same when it is sent again."""
    record_id: str
    fields: Mapping[str, str] = field(default_factory=dict)
    """API name → value as text; blank fields are left out, as Salesforce does."""
    sobject: str = "Case"


def to_envelope(
    org_id: str,
    action_id: str,
    notifications: Sequence[Told],
    *,
    session_id: str = "",
    host: str = "acme.my.salesforce.com",
) -> bytes:
    """Return the SOAP body. Since February 2026 no session id is sent (help 005232763)."""
    session = (
        f"<SessionId>{escape(session_id)}</SessionId>"
        if session_id
        else '<SessionId xsi:nil="true"/>'
    )
    soap = f"https://{host}/services/Soap"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n <soapenv:Body>\n'
        '  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">\n'
        f"   <OrganizationId>{org_id}</OrganizationId>\n"
        f"   <ActionId>{action_id}</ActionId>\n   {session}\n"
        f"   <EnterpriseUrl>{soap}/c/{API}/{org_id[:15]}</EnterpriseUrl>\n"
        f"   <PartnerUrl>{soap}/u/{API}/{org_id[:15]}</PartnerUrl>\n"
        + "".join(_notification(one) for one in notifications)
        + "  </notifications>\n </soapenv:Body>\n</soapenv:Envelope>\n"
    ).encode()


def _notification(one: Told) -> str:
    fields = {"Id": one.record_id, **one.fields}
    told = "".join(
        f"     <sf:{name}>{escape(value)}</sf:{name}>\n" for name, value in fields.items()
    )
    return (
        f"   <Notification>\n    <Id>{one.id}</Id>\n"
        f'    <sObject xsi:type="sf:{one.sobject}"'
        f' xmlns:sf="urn:sobject.enterprise.soap.sforce.com">\n{told}'
        "    </sObject>\n   </Notification>\n"
    )
