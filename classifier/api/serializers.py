"""The shapes of requests and answers; nothing is decided here."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from classifier.engine.text import Speaker, Turn
from classifier.models import Category, Decision, Feedback
from classifier.models.transcript import THREAD_CHARACTERS

MOST_TURNS = 20_000
"""Turns that are read at all; the engine may refuse fewer, by name."""


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses keys it does not know: a misspelt key would be lost in silence."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = [key for key in data if key not in self.fields] if _is_object(data) else []
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                dict.fromkeys(unknown, f"There is no such key; write one of: {known}."),
                code="unknown",
            )
        return super().to_internal_value(data)


def _is_object(data: Any) -> bool:
    return isinstance(data, Mapping)


class WordsField(serializers.CharField):
    """Any text, also with characters that a form refuses: the engine's intake cleans it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, allow_blank=True, **options)
        self.validators = []

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data


class TurnIn(StrictSerializer):
    """One utterance."""

    speaker = serializers.ChoiceField(choices=[speaker.value for speaker in Speaker])
    text = WordsField()


class ClassifyIn(StrictSerializer):
    """Either ``text`` (one customer turn) or ``turns``."""

    text = WordsField(required=False)
    turns = serializers.ListField(child=TurnIn(), required=False, max_length=MOST_TURNS)
    explain = serializers.BooleanField(
        default=False,
        help_text="Also tell the fewest words without which the answer would be another.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("text" in attrs) == ("turns" in attrs):
            raise serializers.ValidationError("Give either text or turns.", code="one_of")
        return attrs

    @property
    def said(self) -> tuple[Turn, ...]:
        """What is to be classified, as it came."""
        given = self.validated_data
        if "text" in given:
            return (Turn(Speaker.CUSTOMER, given["text"]),)
        return tuple(Turn(Speaker(turn["speaker"]), turn["text"]) for turn in given["turns"])


class FieldErrorOut(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="For example “turns.3.speaker”.")
    code = serializers.CharField()
    message = serializers.CharField()


class ProblemOut(serializers.Serializer[Any]):
    """How every error is told (RFC 9457)."""

    type = serializers.CharField(help_text="Stable, for programs.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="A sentence, for people.")
    errors = FieldErrorOut(  # type: ignore[assignment]  # a key, not the form's errors
        many=True, required=False, help_text="Only where values of the request are wrong."
    )


class EvidenceOut(serializers.Serializer[Any]):
    turn = serializers.IntegerField(help_text="Which turn, from 0.")
    start = serializers.IntegerField(
        help_text=(
            "Half-open code-point offsets into its text as we read it: line ends are one"
            " character, NUL is gone, and of more than 200,000 characters the middle."
        )
    )
    end = serializers.IntegerField()
    words = serializers.CharField(help_text="The words there, personal numbers hidden.")
    rule = serializers.CharField(
        help_text="The keyword rule that matched; empty: a model term."
    )
    term = serializers.CharField(help_text="The model's term; empty: a rule.")
    weight = serializers.FloatField(
        help_text="Rule: its strength, 0 to 1. Term: what it added to the score, in logits."
    )


class ReasonOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    label = serializers.CharField(  # type: ignore[assignment]  # a key, not the field's own label
        help_text="The whole path: “Billing > Refund”."
    )
    confidence = serializers.FloatField(
        allow_null=True, help_text="Calibrated probability, 0 to 1; null: a person said so."
    )
    rule_score = serializers.FloatField(allow_null=True)
    model_score = serializers.FloatField(allow_null=True)
    ground = serializers.ChoiceField(choices=["rules", "model", "both", "nothing", "person"])
    evidence = EvidenceOut(many=True)


class ChangeOut(serializers.Serializer[Any]):
    """What would have to be missing for another answer; every set of words was tried out."""

    words = serializers.ListField(
        child=serializers.CharField(),
        help_text="Without these the answer is another; with any one of them back it is not."
        " Neighbours are one. Empty: nothing that was tried changes it.",
    )
    code = serializers.CharField(
        allow_null=True, help_text="The primary reason then; null: a person would have to look."
    )
    label = serializers.CharField(allow_null=True)  # type: ignore[assignment]  # a key
    confidence = serializers.FloatField(allow_null=True)
    is_smallest = serializers.BooleanField(
        help_text="Every smaller set of words was tried, and changes nothing."
    )
    words_tried = serializers.IntegerField(
        help_text="Where nothing changes it: even without so many words the answer stays."
    )


class VerdictOut(serializers.Serializer[Any]):
    reasons = ReasonOut(many=True, help_text="The contact reasons, the primary one first.")
    suggestions = ReasonOut(many=True, help_text="Guesses that may help a person.")
    abstained = serializers.BooleanField(help_text="No reason is sure: a person must look.")
    doubt = serializers.ChoiceField(choices=Decision.DoubtCode.choices, allow_null=True)
    model = serializers.IntegerField(allow_null=True, help_text="Number of the model version.")
    rulebook = serializers.CharField(help_text="SHA-256 of the keyword rules in force.")
    latency_ms = serializers.FloatField()
    change = ChangeOut(allow_null=True, help_text="Null unless “explain” asked for it.")


class DecisionOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    thread = serializers.CharField(help_text="The conversation, as its own system names it.")
    source = serializers.ChoiceField(  # type: ignore[assignment]  # a key, as above
        choices=Decision.Source.choices
    )
    code = serializers.CharField(allow_null=True, help_text="Primary reason; null: abstained.")
    label = serializers.CharField(allow_null=True)  # type: ignore[assignment]  # a key
    confidence = serializers.FloatField(allow_null=True)
    doubt = serializers.ChoiceField(choices=Decision.DoubtCode.choices, allow_null=True)
    reasons = ReasonOut(many=True)
    suggestions = ReasonOut(many=True)
    model = serializers.IntegerField(allow_null=True)
    decided_at = serializers.DateTimeField()
    superseded_at = serializers.DateTimeField(allow_null=True)


class CategoryOut(serializers.ModelSerializer[Category]):
    path = serializers.CharField(source="path_label")
    parent = serializers.SlugRelatedField[Category](  # type: ignore[assignment]  # a key
        slug_field="code", read_only=True, allow_null=True
    )

    class Meta:
        model = Category
        fields = ("code", "label", "path", "parent", "guideline", "is_active")


class FeedbackOut(serializers.ModelSerializer[Feedback]):
    category = serializers.SlugRelatedField[Category](
        slug_field="code", read_only=True, allow_null=True
    )

    class Meta:
        model = Feedback
        fields = (
            "id",
            "thread",
            "verdict",
            "category",
            "said_value",
            "source",
            "person",
            "said_at",
            "note",
            "reference",
        )


class FeedbackIn(StrictSerializer):
    """What a person said about the decision of one thread."""

    thread = serializers.CharField(max_length=THREAD_CHARACTERS)
    verdict = serializers.ChoiceField(choices=Feedback.Verdict.choices)
    category = serializers.SlugRelatedField(
        slug_field="code",
        queryset=Category.objects.active(),
        allow_null=True,
        help_text="Code of what it is; null: unclear, or none of the categories.",
    )
    further = serializers.SlugRelatedField(
        slug_field="code",
        queryset=Category.objects.active(),
        many=True,
        required=False,
        help_text="Codes of further reasons, where the customer brought several.",
    )
    note = serializers.CharField(
        required=False, allow_blank=True, max_length=10_000, default=""
    )
    person = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=120,
        default="",
        help_text="Who said it; empty: the token's user.",
    )
    reference = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        default="",
        help_text="The same reference counts once, however often it is sent.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["verdict"] == Feedback.Verdict.CONFIRMED and attrs["category"] is None:
            raise serializers.ValidationError(
                {"category": "Name the category that is confirmed."}, code="required"
            )
        if attrs.get("further") and attrs["category"] is None:
            raise serializers.ValidationError(
                {"category": "Name the primary reason before further ones."}, code="required"
            )
        return attrs
