"""The review desk, where people say what waiting conversations are about, and its list."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from classifier import leases, reviewing
from classifier.admin.base import ModelAdmin, ReadOnly, WithinRemit, ago, badge
from classifier.admin.review_page import ReviewPage, review_page
from classifier.admin.transcript import Link
from classifier.models import Category, Feedback, Review
from classifier.models.blindness import MAY_REVIEW
from classifier.models.review import ReviewQuerySet

NOTE_CHARACTERS = 2000
COUNTED = 1_000
"""Nobody counts further: “999+” says enough, and costs the same however many wait."""
OUTCOME_TONES = {
    Review.Outcome.CONFIRMED: "good",
    Review.Outcome.CORRECTED: "warn",
    Review.Outcome.OBSOLETE: "plain",
}
LOST = (
    "Somebody else has that Case by now, or nobody needs to look any more, so your answer was "
    "not kept."
)


class AnswerForm(forms.Form):
    """What the page sends: the question, the words that were read, and the answer to it."""

    review = forms.IntegerField()
    transcript = forms.IntegerField()
    verdict = forms.ChoiceField(choices=[(one, one) for one in ("reasons", "none", "unclear")])
    note = forms.CharField(required=False, max_length=NOTE_CHARACTERS)


class OpenFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("open", "waiting"), ("closed", "answered or no longer needed")]

    def queryset(
        self, request: HttpRequest, queryset: "QuerySet[Review]"
    ) -> "QuerySet[Review]":
        if self.value() is None:
            return queryset
        return queryset.filter(closed_at__isnull=self.value() == "open")


def count_waiting(request: HttpRequest) -> str:
    """Return how many questions wait that this person may answer, for the menu."""
    desk = cast("ReviewAdmin", admin.site.get_model_admin(Review))
    return _number(desk.waiting(request))


@admin.register(Review)
class ReviewAdmin(WithinRemit, ReadOnly, ModelAdmin):
    list_display = ("conversation", "asked_because", "state", "person", "opened", "closed")
    list_filter = (OpenFilter, "kind", "outcome", "opened_at")
    list_select_related = ("reserved_by",)
    search_fields = ("thread__exact", "reserved_by__username__exact")
    search_help_text = "The whole Case id (18 characters), or a reviewer."
    ordering = ("-id",)
    when_empty = (
        "Where the automation is not sure, or a decision is drawn for blind audit, a question to "
        "a person appears here within seconds. People answer under Review."
    )

    # --- The desk ---------------------------------------------------------------------------

    def waiting(self, request: HttpRequest) -> ReviewQuerySet:
        """Return the open questions that this person may answer."""
        return Review.objects.for_person(request.user)

    def names(self, review: Review) -> str:
        """Return what people call the conversation."""
        return review.thread

    def links(self, review: Review) -> Sequence[Link]:
        """Return the ways out; the app that knows the other system adds its own."""
        return ()

    def desk_urls(self) -> list[URLPattern]:
        """Return the addresses of the page and of what it asks for."""
        acts: dict[str, Callable[[HttpRequest], HttpResponse]] = {
            "next": self.next_view,
            "answer": self.answer_view,
            "skip": self.skip_view,
            "undo": self.undo_view,
            "hold": self.hold_view,
            "reasons": self.reasons_view,
        }
        return [
            path("", self.admin_site.admin_view(self.desk_view), name="review"),
            *(
                path(f"{name}/", self._door(act), name=f"review_{name}")
                for name, act in acts.items()
            ),
        ]

    def desk_view(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm(MAY_REVIEW):
            raise PermissionDenied
        shown = self._next(request, is_whole="whole" in request.GET)
        context = {
            **self.admin_site.each_context(request),
            "title": "Review",
            "case": shown,
            "note_characters": NOTE_CHARACTERS,
        }
        return TemplateResponse(request, "classifier/review.html", context)

    def next_view(self, request: HttpRequest) -> HttpResponse:
        return self._reply(request, self._next(request))

    def answer_view(self, request: HttpRequest) -> HttpResponse:
        form = AnswerForm(request.POST)
        codes = list(dict.fromkeys(request.POST.getlist("reason")))
        if mistake := _mistake(form, codes):
            return JsonResponse({"told": mistake, "tone": "bad"}, status=400)
        asked = form.cleaned_data
        reasons = _categories(codes) if asked["verdict"] == "reasons" else []
        if len(reasons) < len(codes) and asked["verdict"] == "reasons":
            told = "One of the reasons has been switched off. Choose another one."
            return JsonResponse({"told": told, "tone": "bad"}, status=400)
        said = reviewing.Answer(
            seen=asked["transcript"],
            categories=reasons,
            is_unclear=asked["verdict"] == "unclear",
            note=asked["note"],
        )
        try:
            review = reviewing.answer(asked["review"], said, _user(request))
        except reviewing.ReviewLost:
            return self._lost(request, LOST)
        except reviewing.WordsChanged:
            return self._changed(request)
        told = f"Kept: {self.names(review)} is {_in_words(asked['verdict'], reasons)}."
        return self._reply(request, self._next(request), told=told, done=review.pk)

    def skip_view(self, request: HttpRequest) -> HttpResponse:
        try:
            reviewing.skip(_id(request, "review"), _user(request))
        except reviewing.ReviewLost:
            return self._lost(request, "That Case is gone from the list.")
        told = "Passed on: somebody else will be asked."
        done = _id(request, "review")
        return self._reply(request, self._next(request), told=told, done=done)

    def undo_view(self, request: HttpRequest) -> HttpResponse:
        user = _user(request)
        wanted = _id(request, "review")
        if not wanted:
            last = reviewing.last_answered(user)
            if last is None:
                told = "There is no answer of yours from today to take back."
                return JsonResponse({"told": told, "tone": "warn"}, status=404)
            wanted = last.pk
        said = Feedback.objects.filter(review=wanted).first()
        try:
            review = reviewing.undo(wanted, user)
        except reviewing.ReviewLost:
            told = "That answer cannot be taken back any more: somebody else has the Case."
            return JsonResponse({"told": told, "tone": "warn"}, status=409)
        if (current := _id(request, "current")) != review.pk:
            Review.objects.release(current, user)
        page = review_page(review, taken_back=said)
        told = "Taken back. Answer again, or skip." if said else "Here it is again."
        return self._reply(request, self._context(page, self.waiting(request)), told=told)

    def hold_view(self, request: HttpRequest) -> HttpResponse:
        mine = Review.objects.filter(reserved_by=_user(request))
        is_held = mine.hold(_id(request, "review"), request.user, leases.now())
        return JsonResponse({"held": is_held})

    def reasons_view(self, request: HttpRequest) -> HttpResponse:
        """Return all reasons that can be chosen, for the search box."""
        return JsonResponse({"reasons": list(_all_reasons())})

    def _door(
        self, act: Callable[[HttpRequest], HttpResponse]
    ) -> Callable[[HttpRequest], HttpResponse]:
        """Let in who may; tell others in words that the page can show, and send nobody away."""

        @never_cache
        @require_POST
        def door(request: HttpRequest) -> HttpResponse:
            if not self.admin_site.has_permission(request):
                return JsonResponse({"problem": "signed_out"}, status=401)
            if not request.user.has_perm(MAY_REVIEW):
                told = "You may not answer reviews any more. Ask an administrator."
                return JsonResponse({"told": told, "tone": "bad"}, status=403)
            return act(request)

        return door

    def _next(self, request: HttpRequest, *, is_whole: bool = False) -> dict[str, Any]:
        waiting = self.waiting(request)
        review = waiting.reserve_first(_user(request), leases.now())
        if review is None:
            return {"waiting": "0"}
        return self._context(review_page(review, is_whole=is_whole), waiting)

    def _context(self, page: ReviewPage, waiting: ReviewQuerySet) -> dict[str, Any]:
        review = page.review
        return {
            "page": page,
            "name": self.names(review),
            # The Case itself shows what was written to it.
            "links": () if review.is_blind else self.links(review),
            "waiting": _number(waiting),
            "note_characters": NOTE_CHARACTERS,
        }

    def _reply(
        self,
        request: HttpRequest,
        shown: dict[str, Any],
        *,
        told: str = "",
        tone: str = "good",
        status: int = 200,
        **more: Any,
    ) -> HttpResponse:
        html = render_to_string("classifier/review_case.html", {"case": shown}, request)
        body = {"html": html, "waiting": shown["waiting"], "told": told, "tone": tone, **more}
        return JsonResponse(body, status=status)

    def _lost(self, request: HttpRequest, told: str) -> HttpResponse:
        shown = self._next(request)
        return self._reply(request, shown, told=told, tone="warn", status=409)

    def _changed(self, request: HttpRequest) -> HttpResponse:
        """Show the same question with its newest words; the page keeps what was chosen."""
        review = Review.objects.get(pk=_id(request, "review"))
        told = "More was said while you were reading. Look again: your choice is kept."
        shown = self._context(review_page(review), self.waiting(request))
        return self._reply(request, shown, told=told, tone="warn", status=409, keep=True)

    # --- The list ---------------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        review = self.get_object(request, object_id)
        if review is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        page = reverse("admin:classifier_transcript_change", args=[review.transcript_id])
        return HttpResponseRedirect(page)

    @admin.display(description="Conversation", ordering="thread")
    def conversation(self, review: Review) -> str:
        return getattr(review, "known_as", None) or review.thread

    @admin.display(description="Asked because", ordering="kind")
    def asked_because(self, review: Review) -> str:
        return review.get_kind_display()

    @admin.display(description="State", ordering="outcome")
    def state(self, review: Review) -> SafeString:
        if review.closed_at is None:
            return badge("waiting", "warn")
        tone = OUTCOME_TONES.get(review.outcome, "calm")  # type: ignore[call-overload]
        return badge(review.get_outcome_display(), tone)

    @admin.display(description="Reviewer", empty_value="nobody yet")
    def person(self, review: Review) -> str | None:
        if review.reserved_by is None or review.outcome == Review.Outcome.OBSOLETE:
            return None
        return str(review.reserved_by)

    @admin.display(description="Opened", ordering="opened_at")
    def opened(self, review: Review) -> SafeString | None:
        return ago(review.opened_at)

    @admin.display(description="Closed", ordering="closed_at")
    def closed(self, review: Review) -> SafeString | None:
        return ago(review.closed_at)


def _number(waiting: ReviewQuerySet) -> str:
    number = waiting[:COUNTED].count()
    return f"{COUNTED - 1}+" if number == COUNTED else str(number)


def _user(request: HttpRequest) -> User:
    return cast("User", request.user)


def _id(request: HttpRequest, name: str) -> int:
    value = request.POST.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 19 else 0  # noqa: PLR2004 - 64 bits


def _mistake(form: AnswerForm, codes: Sequence[str]) -> str:
    if form.is_valid():
        is_empty = form.cleaned_data["verdict"] == "reasons" and not codes
        return "Choose a reason first, or n (none of them) or u (unclear)." if is_empty else ""
    if "note" in form.errors:
        return f"The note is too long: {NOTE_CHARACTERS:,} characters at most."
    return "This answer could not be read. Reload the page; nothing was changed."


def _categories(codes: Sequence[str]) -> list[Category]:
    """Return the active categories of these codes, in this order, each once."""
    found = Category.objects.active().with_parents().filter(code__in=codes)
    by_code = {category.code: category for category in found}
    return [by_code[code] for code in dict.fromkeys(codes) if code in by_code]


def _in_words(verdict: str, reasons: Sequence[Category]) -> str:
    if verdict == "unclear":
        return "unclear"
    return " and ".join(reason.path_label for reason in reasons) or "none of the reasons"


def _all_reasons() -> Iterator[dict[str, str]]:
    for category in Category.objects.active().with_parents():
        yield {
            "code": category.code,
            "label": category.path_label,
            "guideline": category.guideline,
        }
