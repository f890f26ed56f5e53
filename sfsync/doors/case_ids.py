"""Ids of Cases, as requests bring them."""

from typing import Any

from rest_framework import serializers

from sfsync.cases import CASE_PREFIX
from sfsync.record_ids import full_id


class CaseIdField(serializers.CharField):
    """A Case's id of 15 or 18 characters; told as 18."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            if text.startswith(CASE_PREFIX):
                return full_id(text)
        except ValueError:
            pass
        raise serializers.ValidationError(
            "This is no Case id: 15 or 18 characters, the first 500."
        )
