import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema


@pytest.fixture(autouse=True)
def _static_files_as_they_lie(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(scope="module")
def schema() -> dict:
    return SchemaGenerator().get_schema(request=None, public=True)


def test_the_schema_is_right_by_the_rules_of_openapi(schema):
    validate_schema(schema)

    assert schema["openapi"].startswith("3.")


def test_the_schema_knows_every_address(schema):
    offered = {
        (address, method) for address, methods in schema["paths"].items() for method in methods
    }

    assert {
        ("/api/v1/classify", "post"),
        ("/api/v1/categories", "get"),
        ("/api/v1/decisions", "get"),
        ("/api/v1/feedback", "get"),
        ("/api/v1/feedback", "post"),
    } <= offered


def test_the_schema_says_that_errors_are_problems(schema):
    answers = schema["paths"]["/api/v1/classify"]["post"]["responses"]

    assert list(answers["4XX"]["content"]) == ["application/problem+json"]


def test_the_schema_can_be_fetched(db):
    answer = Client().get("/api/v1/schema")

    assert answer.status_code == 200
    assert b"/api/v1/classify" in answer.content


def test_the_docs_load_everything_from_here_and_run_no_inline_script(db):
    page = Client().get("/api/v1/docs")

    html = page.content.decode()
    addresses = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert len(addresses) >= 4
    assert all(address.startswith("/") for address in addresses)
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert "unsafe-inline" not in page["Content-Security-Policy"].split("style-src")[0]
    for address in addresses:
        if address.startswith("/static/"):
            assert finders.find(address.removeprefix("/static/")), address


def test_the_script_of_the_docs_names_our_schema(db):
    script = Client().get("/api/v1/docs?script=")

    assert script["Content-Type"] == "application/javascript"
    assert b"/api/v1/schema" in script.content
