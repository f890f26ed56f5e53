"""Describe: what the org says about its sObjects to one user."""

from sfsync.local_org.moments import Value
from sfsync.local_org.schema import NUMBERS, Field, Kind, SObject
from sfsync.local_org.state import OrgState

Json = dict[str, object]
_SOAP = {
    Kind.ID: "tns:ID",
    Kind.REFERENCE: "tns:ID",
    Kind.BOOLEAN: "xsd:boolean",
    Kind.INT: "xsd:int",
    Kind.DOUBLE: "xsd:double",
    Kind.PERCENT: "xsd:double",
    Kind.DATETIME: "xsd:dateTime",
    Kind.DATE: "xsd:date",
    Kind.ANYTYPE: "xsd:anyType",
}


def describe_all(org: OrgState) -> Json:
    """Return the global describe: one short entry per sObject."""
    return {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [_summary(sobject) for sobject in org.schema],
    }


def describe_one(org: OrgState, user_id: str, sobject: SObject) -> Json:
    """Return the full describe of one sObject. Fields the user may not read are not in it."""
    fields = [
        _field(org, user_id, sobject, one)
        for one in sobject.fields
        if org.access.can_read(user_id, sobject, one)
    ]
    children = [
        {
            "cascadeDelete": name in sobject.cascades,
            "childSObject": child,
            "deprecatedAndHidden": False,
            "field": pointer,
            "relationshipName": name,
            "restrictedDelete": False,
        }
        for name, (child, pointer) in sobject.children.items()
        if org.schema.find(child)
    ]
    return {
        **_summary(sobject),
        "fields": fields,
        "childRelationships": children,
        "recordTypeInfos": _record_types(org, sobject),
    }


def _summary(sobject: SObject) -> Json:
    base = f"/services/data/v66.0/sobjects/{sobject.name}"
    return {
        "name": sobject.name,
        "label": sobject.label,
        "labelPlural": f"{sobject.label}s",
        "keyPrefix": sobject.prefix,
        "custom": sobject.name.endswith("__c"),
        "createable": sobject.is_createable,
        "updateable": sobject.is_updateable,
        "deletable": sobject.is_deletable,
        "queryable": True,
        "retrieveable": True,
        "replicateable": sobject.is_replicateable,
        "urls": {
            "sobject": base,
            "describe": f"{base}/describe",
            "rowTemplate": f"{base}/{{ID}}",
        },
    }


def _field(org: OrgState, user_id: str, sobject: SObject, one: Field) -> Json:
    may_edit = org.access.can_edit(user_id, sobject, one)
    return {
        "name": one.name,
        "label": one.shown_as,
        "type": one.kind.value,
        "soapType": _SOAP.get(one.kind, "xsd:string"),
        "length": one.length,
        "byteLength": one.length * 3,
        "precision": one.precision,
        "scale": one.scale,
        "digits": 9 if one.kind is Kind.INT else 0,
        "nillable": not one.is_required and one.kind is not Kind.BOOLEAN,
        "createable": one.is_createable and may_edit,
        "updateable": one.is_updateable and may_edit,
        "filterable": one.is_filterable,
        "sortable": one.is_sortable,
        "groupable": one.is_filterable and one.kind not in NUMBERS,
        "custom": one.is_custom,
        "calculated": False,
        "autoNumber": one.name == "CaseNumber",
        "nameField": one.name in {"CaseNumber", "Name"},
        "idLookup": one.kind is Kind.ID,
        "externalId": False,
        "unique": False,
        "defaultedOnCreate": one.kind is Kind.BOOLEAN,
        "htmlFormatted": False,
        "controllerName": None,
        "dependentPicklist": False,
        "restrictedPicklist": one.is_restricted,
        "picklistValues": [
            {
                "active": value.is_active,
                "defaultValue": value.is_default,
                "label": value.label or value.value,
                "validFor": None,
                "value": value.value,
            }
            for value in one.values
        ],
        "referenceTo": list(one.references),
        "relationshipName": one.relationship or None,
    }


def _record_types(org: OrgState, sobject: SObject) -> list[Json]:
    rows = [row for row in org.table("RecordType") if row["SobjectType"] == sobject.name]
    infos = [
        _record_type(row["Id"], row["Name"], row["DeveloperName"], is_default=number == 0)
        for number, row in enumerate(rows)
    ]
    master = _record_type("012000000000000AAA", "Master", "Master", is_default=not rows)
    return [*infos, {**master, "master": True}]


def _record_type(record_id: Value, name: Value, developer: Value, *, is_default: bool) -> Json:
    return {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": is_default,
        "developerName": developer,
        "master": False,
        "name": name,
        "recordTypeId": record_id,
    }
