"""Addresses below api/v1/."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from classifier.api.views import CategoryView, ClassifyView, DecisionView, FeedbackView

urlpatterns = [
    path("classify", ClassifyView.as_view(), name="classify"),
    path("categories", CategoryView.as_view(), name="categories"),
    path("decisions", DecisionView.as_view(), name="decisions"),
    path("feedback", FeedbackView.as_view(), name="feedback"),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    # The split view loads its script from an address: no inline script, so the site's policy holds.
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
]
