"""The report's page as a tree of elements: its own HTML, read back for other kinds of paper."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "img", "br", "link", "input"})


@dataclass(eq=False)
class Node:
    """An element with its attributes, its children (elements and texts in order)."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)

    @property
    def classes(self) -> frozenset[str]:
        return frozenset(self.attributes.get("class", "").split())

    @property
    def elements(self) -> list[Node]:
        """The children that are elements."""
        return [child for child in self.children if isinstance(child, Node)]

    @property
    def text(self) -> str:
        """All text inside."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def first(self, tag: str) -> Node | None:
        """The first element with a tag, anywhere inside."""
        for child in self.elements:
            found = child if child.tag == tag else child.first(tag)
            if found is not None:
                return found
        return None

    def number(self, name: str, default: float = 0.0) -> float:
        """An attribute as a number."""
        return float(self.attributes.get(name, default))


def read_page(html: str) -> Node:
    """The `body` of a page of this program."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    body = reader.root.first("body")
    assert body is not None
    return body


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Node("document")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if len(self.open) > 1 and self.open[-1].tag == tag:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)
