"""What Salesforce adds to reviews: the Case's number, its page, and that deleted Cases rest."""

from collections.abc import Sequence

from django.contrib import admin
from django.db.models import Exists, OuterRef
from django.http import HttpRequest

from classifier.admin import Link, ReviewAdmin
from classifier.models import Review
from classifier.models.review import ReviewQuerySet
from sfsync.admin.case_page import case_url
from sfsync.admin.conversation import KnownAsCase
from sfsync.models import CaseLink

admin.site.unregister(Review)


@admin.register(Review)
class CaseReviewAdmin(KnownAsCase, ReviewAdmin):
    search_help_text = "Case number, the whole Case id (18 characters), or a reviewer."

    def waiting(self, request: HttpRequest) -> ReviewQuerySet:
        """Return the open questions, but none about a Case that is deleted in Salesforce.

        It stays open: a Case that comes back from the recycle bin is asked about again.
        """
        gone = CaseLink.objects.filter(case_id=OuterRef("thread"), gone_at__isnull=False)
        return super().waiting(request).exclude(Exists(gone))

    def names(self, review: Review) -> str:
        number = CaseLink.objects.filter(case_id=review.thread).values_list("case_number")
        found = number.first()
        return f"Case {found[0]}" if found and found[0] else review.thread

    def links(self, review: Review) -> Sequence[Link]:
        url = case_url(review.thread)
        return (Link("Open the Case in Salesforce", url),) if url else ()
