"""`?limit=50&cursor=…` of every list."""

from typing import Annotated, TypeAlias

from fastapi import Depends, Query

from youworker_app.core.paging import MAX_LIMIT, PageRequest


def page_request(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    cursor: Annotated[str | None, Query(max_length=512)] = None,
) -> PageRequest:
    """Which page is asked for."""
    return PageRequest(limit, cursor)


PageQuery: TypeAlias = Annotated[PageRequest, Depends(page_request)]
