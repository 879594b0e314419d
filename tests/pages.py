"""What a page says: its words, its elements, and what it hands to scripts."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse


class Page(HTMLParser):
    """The words of a page, its elements, and what its review shows to signing.js."""

    VOID = {
        "br",
        "circle",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "path",
        "rect",
        "source",
        "wbr",
    }

    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.signed: dict[str, dict[str, str]] = {}
        self.json: dict[str, Any] = {}
        self.html = response.content.decode()
        self.feed(self.html)
        self.words = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element."""
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        if "data-signed" in attributes:
            value = attributes.get("data-value", attributes.get("datetime", ""))
            name = attributes["data-signed"]
            assert name not in self.signed, f"{name} is shown twice"
            self.signed[name] = {"text": "", "value": value}
        if tag not in self.VOID:
            self.open.append((tag, attributes))

    def handle_endtag(self, tag: str) -> None:
        """Leave the elements that end here."""
        if tag in self.VOID:
            return
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Collect what a person reads, and what scripts read."""
        if any(tag in {"script", "style", "title"} for tag, _ in self.open):
            tag, attributes = self.open[-1]
            if attributes.get("type") == "application/json":
                self.json[attributes["id"]] = json.loads(data)
            if tag != "title":
                return
        self.text += data
        for _tag, attributes in self.open:
            if "data-signed" in attributes:
                self.signed[attributes["data-signed"]]["text"] += data

    def inputs(self) -> dict[str, str]:
        """Return the values of the page's inputs by name, the last one counts."""
        return {
            attributes["name"]: attributes.get("value", "")
            for tag, attributes in self.elements
            if tag == "input" and "name" in attributes
        }

    def with_attribute(self, name: str) -> list[dict[str, str]]:
        """Return the elements that have an attribute."""
        return [attributes for _tag, attributes in self.elements if name in attributes]

    def shown(self, name: str) -> str:
        """Return the text that a review shows under one name, as signing.js reads it."""
        return re.sub(r"\s+", " ", self.signed[name]["text"]).strip()
