"""Answers: mappings with attributes, pages that know their successors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, Generic, Iterator, List, Mapping, Optional, TypeVar, cast

if TYPE_CHECKING:
    from ._base import Response

Row = TypeVar("Row")


class KaiObject(Dict[str, Any]):
    """An answer of the API: ``call.id`` is ``call["id"]``.

    A field that is not there reads as ``None``, so code written for a newer server runs on an older one. What this package does
    not know yet is there all the same.
    """

    last_response: Optional["Response"]
    """Status, headers and request id of the answer that this is; ``None`` for what is inside of another."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.__dict__["last_response"] = None

    if not TYPE_CHECKING:
        # Type checkers are to name misspelled fields.
        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            if name not in self and name.endswith("_"):
                name = name[:-1]
            return wrap(self.get(name))

        def __setattr__(self, name: str, value: Any) -> None:
            self[name] = value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({super().__repr__()})"

    def __copy__(self) -> "KaiObject":
        return type(self)(self)

    def __reduce__(self) -> Any:
        return type(self), (dict(self),)


def wrap(value: Any) -> Any:
    """The value with attributes, however deep."""
    if isinstance(value, KaiObject):
        return value
    if isinstance(value, dict):
        return KaiObject(cast(Mapping[str, Any], value))
    if isinstance(value, list):
        return [wrap(item) for item in cast("List[Any]", cast(object, value))]
    return value


class Page(KaiObject, Generic[Row]):
    """A page of rows. ``for row in page`` walks this page and all that follow, fetching them as they are needed.

    ``page.rows`` are those of this page alone.
    """

    _rows_field: str = "data"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.__dict__["_more"] = None

    @property
    def rows(self) -> List[Row]:
        """The rows of this page."""
        return cast(List[Row], wrap(self.get(self._rows_field) or []))

    @property
    def next_cursor(self) -> Optional[str]:
        """What asks for the next page, if there is one."""
        rows = self.rows
        if not self.get("has_more") or not rows:
            return None
        last: Any = rows[-1]
        cursor: Optional[str] = last.get("created_at")
        return cursor

    def has_next_page(self) -> bool:
        """Whether there are rows after these."""
        return self.next_cursor is not None

    def next_page(self) -> Optional["Page[Row]"]:
        """The page after this one; ``None`` after the last."""
        more = cast("Optional[Callable[[str], Page[Row]]]", self.__dict__["_more"])
        cursor = self.next_cursor
        return more(cursor) if more is not None and cursor is not None else None

    def __iter__(self) -> Iterator[Row]:  # type: ignore[override]
        page: Optional[Page[Row]] = self
        while page is not None:
            yield from page.rows
            page = page.next_page()
