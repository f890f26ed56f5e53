"""What the org says of itself depends on who asks."""

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

from sfsync.local_org.custom_fields import contact_reason_fields
from sfsync.local_org.moments import http_date
from sfsync.local_org.records import Record, Said


def fields_of(sf, sobject="Case"):
    return {one["name"]: one for one in getattr(sf, sobject).describe()["fields"]}


def test_a_fresh_org_lacks_the_fields_of_the_product(sf):
    own = [name for name in fields_of(sf) if name.endswith("__c")]

    assert own == ["Call_Transcript__c"]


def test_a_deployed_field_is_invisible_until_a_permission_set_shows_it(sf, org):
    org.deploy_fields(contact_reason_fields(["billing"]))
    [case_id] = org.load([Record("r", (Said("customer", "x"),))])

    with pytest.raises(SalesforceMalformedRequest) as read:
        sf.query("SELECT Contact_Reason__c FROM Case")
    with pytest.raises(SalesforceMalformedRequest) as written:
        sf.Case.update(case_id, {"Contact_Reason__c": "billing", "Priority": "Low"})

    assert "Contact_Reason__c" not in fields_of(sf)
    assert read.value.content[0]["errorCode"] == "INVALID_FIELD"
    [error] = written.value.content
    assert error["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert error["fields"] == ["Contact_Reason__c"]
    assert "security settings" in error["message"]


def test_a_granted_field_is_described_in_full(sf, org):
    org.deploy_contact_reason(["billing", "refund"])

    fields = fields_of(sf)

    reason, confidence = fields["Contact_Reason__c"], fields["Contact_Reason_Confidence__c"]
    assert (reason["type"], reason["updateable"], reason["custom"]) == ("picklist", True, True)
    assert reason["restrictedPicklist"] is True
    assert [one["value"] for one in reason["picklistValues"]] == ["billing", "refund"]
    assert (confidence["type"], confidence["scale"]) == ("percent", 2)
    assert fields["Contact_Reason_Evidence__c"]["length"] == 32768
    assert fields["Contact_Reason_Evidence__c"]["filterable"] is False
    assert fields["Contact_Reasons__c"]["type"] == "multipicklist"


def test_standard_fields_have_their_real_lengths(sf):
    fields = fields_of(sf)

    assert fields["Description"]["length"] == 32000
    assert fields["Description"]["filterable"] is False
    assert (fields["Status"]["length"], fields["Status"]["restrictedPicklist"]) == (40, False)
    assert fields["OwnerId"]["referenceTo"] == ["Group", "User"]
    assert fields["CaseNumber"]["updateable"] is False
    assert "SystemModstamp" not in fields_of(sf, "CaseHistory")


def test_a_field_one_may_only_read_is_not_updateable(sf, org):
    org.access.freeze(org.founders.integration, "Case", "Priority")

    assert fields_of(sf)["Priority"]["updateable"] is False


def test_a_hidden_standard_field_is_an_invalid_field(sf, org):
    org.access.hide(org.founders.integration, "EmailMessage", "HtmlBody")

    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.query("SELECT HtmlBody FROM EmailMessage")

    assert refused.value.content[0]["errorCode"] == "INVALID_FIELD"


def test_record_types_are_listed_with_the_master(sf):
    infos = sf.Case.describe()["recordTypeInfos"]

    assert [one["developerName"] for one in infos] == ["Support", "Complaint", "Master"]
    assert infos[-1]["master"] is True


def test_an_object_that_is_switched_off_is_not_described(sf, org):
    org.remove_sobject("MessagingSession")

    with pytest.raises(SalesforceResourceNotFound):
        sf.MessagingSession.describe()
    assert "MessagingSession" not in {one["name"] for one in sf.describe()["sobjects"]}


def test_the_global_describe_knows_what_replicates(sf):
    known = {one["name"]: one for one in sf.describe()["sobjects"]}

    assert known["Case"]["keyPrefix"] == "500"
    assert known["EmailMessage"]["replicateable"] is True
    assert known["Conversation"]["replicateable"] is False


def test_an_unchanged_description_need_not_be_sent_again(sf, clock):
    url = f"{sf.base_url}sobjects/Case/describe"
    since = {"If-Modified-Since": http_date(clock.now)}

    answer = sf.session.get(url, headers={**sf.headers, **since})

    assert answer.status_code == 304


def test_limits_and_the_header_count_every_call(sf, org):
    org.api_allowance = 15000
    sf.query("SELECT COUNT() FROM Case")
    sf.query("SELECT COUNT() FROM Case")

    limits = sf.limits()["DailyApiRequests"]

    assert limits == {"Max": 15000, "Remaining": 14997}
    assert sf.api_usage["api-usage"].used == 3


def test_records_are_counted(sf, org):
    org.load([Record("r", (Said("customer", "x"),))])

    counts = sf.restful("limits/recordCount", params={"sObjects": "Case"})

    assert counts == {"sObjects": [{"count": 1, "name": "Case"}]}
