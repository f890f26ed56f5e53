"""The form of a source that an admin names: what is asked, and what the org says to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from django import forms
from django.utils.text import slugify

from sfsync import gateway as gateways
from sfsync import soql
from sfsync.cases import FieldDescription, SObjectDescription
from sfsync.errors import ObjectMissing, SalesforceError
from sfsync.models import Source
from sfsync.sources import READERS

Kind, Rule = Source.Kind, Source.SpeakerRule
CASE = "Case"
WORDS = {"string", "textarea", "richtextarea", "picklist", "email", "url", "encryptedstring"}
TIMES = {"datetime", "date"}
NAMED = 6
"""So many names of fields are told where the one that was typed is not there."""
API_FIELDS = ("sobject", "case_field", "text_field", "time_field", "speaker_field")
WHERE = ("kind", *API_FIELDS, "speaker_rule", "customer_names")
"""What decides which words are read."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the org said of an object before the form was checked, outside any transaction."""

    described: SObjectDescription | None = None
    missing: str = ""
    """The org has no such object, or our user may not see it: the sentence."""
    unknown: str = ""
    """Why the org could not be asked; then the form is taken as it is."""


def look_at(data: Mapping[str, Any]) -> Look:
    """Ask the org what the object named in a form looks like: at most one API call."""
    sobject = (
        CASE if data.get("kind") == Kind.CASE_FIELD else str(data.get("sobject", "")).strip()
    )
    if not soql.API_NAME.fullmatch(sobject):
        return Look()
    try:
        return Look(described=gateways.open().describe(sobject))
    except ObjectMissing as error:
        return Look(missing=str(error))
    except SalesforceError as error:
        return Look(unknown=str(error))


class SourceForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """A source of one's own; ``look`` is what the org said of its object."""

    look = Look()

    class Meta:
        model = Source
        fields = ("name", *WHERE, "interval_seconds", "is_enabled")

    def clean(self) -> dict[str, Any]:
        given = dict(super().clean() or {})  # add_error takes fields out of the original
        for name in API_FIELDS:
            given[name] = str(given.get(name) or "").strip()
        self._require(given)
        self._drop_what_is_not_asked(given)
        self._check_names(given)
        if not self.errors:
            self._check_neighbours(given)
        if not self.errors:
            self._check_in_org(given)
        return given

    def _require(self, given: dict[str, Any]) -> None:
        needed = {"text_field": "Name the field that holds the words."}
        if given.get("kind") == Kind.OBJECT:
            needed["sobject"] = "Name the object, for example Call_Note__c."
            needed["case_field"] = (
                "Name its field that points to the Case, for example Case__c."
            )
        if given.get("speaker_rule") == Rule.FIELD:
            needed["speaker_field"] = "Name the field that says who speaks."
        if not given.get("speaker_rule"):
            self.add_error("speaker_rule", "Say who speaks.")
        for name, sentence in needed.items():
            if not given[name]:
                self.add_error(name, sentence)

    def _drop_what_is_not_asked(self, given: dict[str, Any]) -> None:
        if given.get("kind") == Kind.CASE_FIELD:
            given["sobject"] = given["case_field"] = ""
        if given.get("speaker_rule") != Rule.FIELD:
            given["speaker_field"] = ""
        if given.get("speaker_rule") not in {Rule.FIELD, Rule.LINES}:
            given["customer_names"] = []

    def _check_names(self, given: dict[str, Any]) -> None:
        for name in API_FIELDS:
            if given[name] and (not soql.API_NAME.fullmatch(given[name]) or "." in given[name]):
                self.add_error(
                    name, f"“{given[name]}” is no API name: letters, digits and _ only."
                )

    def _check_neighbours(self, given: dict[str, Any]) -> None:
        """Refuse what another source makes impossible: an object is watched by one lookup."""
        if given["kind"] != Kind.OBJECT:
            return
        if given["sobject"] == CASE:
            self.add_error(
                "sobject", "For a field of Case choose “a text field of Case” above."
            )
        lookups = {
            row.sobject: row.case_field
            for row in Source.objects.filter(kind=Kind.OBJECT).exclude(pk=self.instance.pk)
        } | {reader.watched.sobject: reader.watched.case_field for reader in READERS}
        known = lookups.get(given["sobject"], given["case_field"])
        if known != given["case_field"] and given["sobject"] != CASE:
            self.add_error(
                "case_field",
                f"{given['sobject']} is read already, by its field {known}: name that one.",
            )

    def _check_in_org(self, given: dict[str, Any]) -> None:
        if self.look.missing:
            self.add_error("sobject", self.look.missing)
        if self.look.described is None:
            return
        fields = self.look.described.fields
        for name in API_FIELDS[1:]:
            if given[name] and given[name] not in fields:
                self.add_error(name, _absent(given[name], name, self.look.described))
        for name, types, wanted in (
            ("case_field", {"reference"}, "a lookup"),
            ("text_field", WORDS, "a text"),
            ("time_field", TIMES, "a date and time"),
        ):
            found = fields.get(given[name])
            if found is not None and found.type not in types:
                self.add_error(name, f"{found.name} is of type {found.type}, not {wanted}.")


def _absent(typed: str, name: str, described: SObjectDescription) -> str:
    """Return “Call_Note__c has no field Word__c; it has Words__c.”"""
    fitting = [one.name for one in described.fields.values() if _fits(one, name)]
    own = [one for one in fitting if one.endswith("__c")]
    near = get_close_matches(typed, fitting, NAMED, 0.6) or own or fitting
    told = f"; it has {', '.join(near[:NAMED])}" if near else ""
    return (
        f"{described.name} has no field {typed}{told}. A field that our user may not read is"
        " not there for us: see its permissions."
    )


def _fits(found: FieldDescription, name: str) -> bool:
    wanted = {
        "case_field": {"reference"},
        "time_field": TIMES,
        "text_field": {"string", "textarea"},
    }
    return found.type in wanted.get(name, WORDS | {"reference"})


def unique_code(name: str) -> str:
    """Return a code for a new source, by its name."""
    stem = f"own-{slugify(name)[:30]}".rstrip("-")
    taken = set(Source.objects.filter(code__startswith=stem).values_list("code", flat=True))
    number = 1
    while (code := stem if number == 1 else f"{stem}-{number}") in taken:
        number += 1
    return code
