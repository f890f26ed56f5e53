"""Query results in pages, with locators that belong to a token and die with it."""

from dataclasses import dataclass, field

from sfsync.local_org import soql
from sfsync.local_org.errors import Refusal
from sfsync.local_org.ids import new_id
from sfsync.local_org.selecting import Json, Selection, select
from sfsync.local_org.state import OrgState

MOST_ROWS = 2_000
FEWEST_ROWS = 200
_LONG_TEXTS_THAT_SHRINK = 2


@dataclass(frozen=True, slots=True)
class Cursor:
    """A result being read page by page."""

    token: str
    user_id: str
    selection: Selection
    batch: int


@dataclass(slots=True)
class Pages:
    """The open cursors of an org."""

    org: OrgState
    _cursors: dict[str, Cursor] = field(default_factory=dict)
    _made: int = 0

    def first(
        self, text: str, *, token: str, user_id: str, batch: int, with_deleted: bool
    ) -> Json:
        """Run a query; return its first page.

        Raises:
            Refusal: the query is wrong.
        """
        query = soql.parse(text)
        selection = select(self.org, user_id, query, with_deleted=with_deleted)
        if query.counts_only:
            return {"totalSize": len(selection.rows), "done": True, "records": []}
        return self._page(Cursor(token, user_id, selection, batch), "", 0)

    def more(self, locator: str, *, token: str) -> Json:
        """Return the page a ``nextRecordsUrl`` names.

        Raises:
            Refusal: INVALID_QUERY_LOCATOR, or INVALID_SESSION_ID if another token made it.
        """
        name, _, start = locator.partition("-")
        cursor = self._cursors.get(name)
        if cursor is None or not start.isdigit():
            raise Refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        if cursor.token != token:
            raise Refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
        return self._page(cursor, name, int(start))

    def _page(self, cursor: Cursor, name: str, start: int) -> Json:
        rows = cursor.selection.rows
        end = start + self._size(cursor, len(rows) - start)
        page: Json = {
            "totalSize": len(rows),
            "done": end >= len(rows),
            "records": [cursor.selection.shape(row) for row in rows[start:end]],
        }
        if end < len(rows):
            name = name or self._keep(cursor)
            page["nextRecordsUrl"] = f"/services/data/v66.0/query/{name}-{end}"
        return page

    def _size(self, cursor: Cursor, left: int) -> int:
        faults, size = self.org.faults, cursor.batch
        if cursor.selection.long_texts >= _LONG_TEXTS_THAT_SHRINK:
            size = FEWEST_ROWS
        if faults.page_size:
            return faults.page_size
        if faults.shrinking_pages:
            return faults.shrinking_pages.randint(1, max(1, min(size, left)))
        return size

    def _keep(self, cursor: Cursor) -> str:
        self._made += 1
        name = new_id("01g", self._made)
        limit = self.org.faults.open_cursors
        mine = [key for key, one in self._cursors.items() if one.user_id == cursor.user_id]
        if limit and len(mine) >= limit:
            del self._cursors[mine[0]]
        self._cursors[name] = cursor
        return name
