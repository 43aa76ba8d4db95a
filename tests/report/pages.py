"""The report as a test reads it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from gandist.artifacts.job_dir import JobDir
from gandist.report import write_report

ATTACK = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}</style></title>"
VOID = {"meta", "img", "input", "br", "link", "base", "wbr"}


class Page(HTMLParser):
    """The elements, the text and the open tags of an HTML page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.words: list[str] = []
        """The text of the glossary, which has all words there are."""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag == "wbr":
            self.texts.append("\0")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            in_glossary = "section" in self.open and self.sections[-1] == "glossary"
            (self.words if in_glossary else self.texts).append(data)

    @property
    def text(self) -> str:
        """All of it but the glossary; a name that may break is one word."""
        return re.sub(r"\s+", " ", " ".join(self.texts)).replace(" \0 ", "")

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def images(self, *classes: str) -> list[dict[str, str]]:
        return [image for image in self.all("img") if image["class"] in classes]

    @property
    def sections(self) -> list[str]:
        return [section["id"] for section in self.all("section")]


def report(job_dir: JobDir) -> Page:
    written = write_report(job_dir)
    assert written.where == f"{job_dir.root}/report.html"
    return Page(job_dir.storage.read(JobDir.REPORT).decode())
