"""Lists are read page by page; a page stays right while new rows come in."""

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """By row number, downwards: unique, so no row is skipped or seen twice."""

    ordering = "-id"
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 500
    page_size_query_description = "Rows per page, 1 to 500."


class ByCode(NewestFirst):
    """Categories in the order of their codes."""

    ordering = "code"
