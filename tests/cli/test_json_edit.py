"""JSON texts with values replaced: the new value is said, and what did not change keeps its bytes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.json_edit import edited

LEAVES = st.none() | st.booleans() | st.integers(0, 9) | st.text('ab"\\\nü ', max_size=3)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcdé"), inner, max_size=4)
)
STYLES = st.sampled_from(
    [{}, {"indent": 1}, {"indent": 2}, {"indent": "\t"}, {"separators": (",", ":")}, {"separators": (" ,", " : ")}]
)


@given(VALUES, VALUES, STYLES, st.booleans(), st.booleans())
def test_the_new_value_is_said(old, new, style, escaped, windows):
    text = json.dumps(old, ensure_ascii=escaped, **style)
    text = text.replace("\n", "\r\n") if windows else text
    assert json.loads(edited(text, old, new)) == new
    assert edited(text, old, old) == text


@pytest.mark.parametrize(
    ("text", "new", "expected"),
    [
        ('{"a" : 1,  "b":"\\u00fc"}', {"a": 2, "b": "ü"}, '{"a" : 2,  "b":"\\u00fc"}'),
        ('{"a": 1, "b": 2, "c": 3}', {"a": 1, "c": 3}, '{"a": 1, "c": 3}'),
        ('{"a": 1, "b": 2}', {"b": 2}, '{"b": 2}'),
        ('{"a": 1, "b": 2}', {"a": 1}, '{"a": 1}'),
        ('{"a": 1}', {}, "{}"),
        ('{"a": 1}', {"a": 1, "b": [2]}, '{"a": 1, "b": [2]}'),
        ('{"a":1}', {"a": 1, "b": [2]}, '{"a":1,"b":[2]}'),
        ("{}", {"a": "ü"}, '{"a": "\\u00fc"}'),
        ('{\r\n  "a": 1\r\n}', {"a": 1, "b": [2]}, '{\r\n  "a": 1,\r\n  "b": [\r\n    2\r\n  ]\r\n}'),
        ('{"x": "ü", "a": 1}', {"x": "ü", "a": "é"}, '{"x": "ü", "a": "é"}'),
        ("[1, 2 ,3]", [1, 5, 3], "[1, 5 ,3]"),
        ("[1, 2 ,3]", [1], "[1]"),
    ],
)
def test_what_is_around_it_stays(text, new, expected):
    assert edited(text, json.loads(text), new) == expected


@pytest.mark.parametrize("text", ["", "{", '{"a"', '{"a": }', "[1 2]", '{"a": 1'])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError):
        edited(text, {"a": 1}, {"a": 2})
