"""A decision drawn for blind audit looks on the Case like any other."""

import pytest

from classifier.models import Decision

pytestmark = pytest.mark.django_db(transaction=True)
LATE = "Where is my parcel? The courier promised delivery on Tuesday, tracking says delayed."


def test_who_reads_the_case_cannot_tell_that_it_was_drawn(
    trained, org, contact, command, settings
):
    command("set_mode", "automatic")
    shown = []
    for share in (0.0, 1.0):
        settings.AUDIT_SHARE = share
        case_id = contact(LATE)
        command("sync", "--once")
        (write,) = (one for one in org.ledger.api_writes() if one.record_id == case_id)
        shown.append({**write.fields, "Contact_Reason_At__c": ""})

    drawn = Decision.objects.order_by("id").values_list("is_audit", "audit_probability")
    assert list(drawn) == [(False, 0.0), (True, 1.0)]
    assert shown[0] == shown[1]
    assert shown[0]["Contact_Reason__c"] == "delivery.late"
