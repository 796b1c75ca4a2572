"""The architecture page names files, tests and promises that exist, and its tables are those of the promises."""

import re
import xml.etree.ElementTree as ET

import pytest

from tests.promises.table import BEGIN, END, PAGE, ROOT, page_text, read_promises

PROMISES = read_promises()
TEXT = PAGE.read_text("utf-8")
PICTURES = sorted((ROOT / "docs" / "pictures").glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"
FILE_NAME = re.compile(r"(?<![\w/.-])(?:[\w.-]+/)+[\w-]+\.(?:py|json|toml|md|svg)\b")


def test_the_tables_of_the_page_are_those_of_the_promises():
    """`python -m tests.promises --write` writes them."""
    assert TEXT.split(BEGIN)[1].split(END)[0] == page_text(PROMISES)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.sentence[:60])
def test_a_promise_names_a_file_to_break_and_an_existing_test(promise):
    assert (ROOT / promise.file).read_text("utf-8").count(promise.old) == 1, (
        "the text to replace must occur exactly once"
    )
    assert promise.new != promise.old
    assert promise.bug
    assert f"def {promise.test_name}(" in (ROOT / promise.test_file).read_text("utf-8")


def test_every_promise_is_made_once_and_is_a_sentence():
    sentences = [promise.sentence for promise in PROMISES]
    assert len(sentences) == len({*sentences})
    assert all(re.fullmatch(r"[A-Z][^\n|]*\.", sentence) for sentence in sentences)


def test_the_text_of_a_link_to_a_file_is_its_path():
    links = re.findall(r"\[([\w./-]+)\]\(\.\./([^)#]+)\)", TEXT.split(BEGIN)[0])
    assert len(links) > 80
    assert [(text, target) for text, target in links if text != target] == []


def test_every_file_that_the_page_names_exists():
    named = set(FILE_NAME.findall(TEXT)) - {"pictures/question.svg", "pictures/month.svg"}
    missing = {name for name in named if not (ROOT / name).exists() and not (PAGE.parent / name).exists()}
    assert missing == set()


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.name)
def test_every_step_of_a_picture_names_an_existing_file(picture):
    steps = [group for group in ET.parse(picture).iter(f"{SVG}g") if _texts(group, "number")]
    assert [_texts(step, "number")[0] for step in steps] == [str(n) for n in range(1, len(steps) + 1)]
    assert len(steps) >= 10
    for step in steps:
        files = _texts(step, "file")
        assert files, ET.tostring(step)
        assert [name for name in files if not (ROOT / name).is_file()] == []
    every_name = FILE_NAME.findall(" ".join(ET.parse(picture).getroot().itertext()))
    assert [name for name in every_name if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.name)
def test_a_picture_is_accessible_has_a_dark_scheme_and_loads_nothing(picture):
    root, text = ET.parse(picture).getroot(), picture.read_text("utf-8")
    assert root.get("role") == "img"
    labels = {
        element.get("id"): element.text for element in root if element.tag in {f"{SVG}title", f"{SVG}desc"}
    }
    assert root.get("aria-labelledby", "").split() == list(labels)
    assert all(labels.values())
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"href|url\(|@import|@font-face|<image|<script|<foreignObject", text)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.name)
def test_a_picture_has_its_colours_and_fonts_without_css(picture):
    """The style element is for the dark scheme alone: some viewers do not read it."""
    root = ET.parse(picture).getroot()
    (style,) = root.iter(f"{SVG}style")
    assert (style.text or "").strip().startswith("@media (prefers-color-scheme: dark) {")
    demanded = {"rect": {"fill"}, "path": {"fill"}, "text": {"fill", "font-family", "font-size"}}
    for name, attributes in demanded.items():
        assert [
            ET.tostring(found) for found in root.iter(f"{SVG}{name}") if not attributes <= {*found.keys()}
        ] == []


def test_both_pictures_are_on_the_page():
    assert [path.name for path in PICTURES] == ["month.svg", "question.svg"]
    assert all(f"(pictures/{path.name})" in TEXT for path in PICTURES)


def _texts(group, name):
    return [text.text for text in group.iter(f"{SVG}text") if name in text.get("class", "").split()]
