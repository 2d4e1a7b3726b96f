"""Names of files are valid everywhere, told apart, and readable."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from aebench.names import file_name

NAMES = (
    st.text()
    | st.from_regex(r"[a-z0-9]{1,3}\[[a-z=,0-9.]{0,4}\]", fullmatch=True)
    | st.text("aA.,[]=-/\\ ", max_size=5)
)


@given(NAMES)
@example("../x")
@example("con")
@example("..")
@example("")
@example("original")
@example("jpeg[q=1.]")
@example("x" * 300)
@example('cmd[encode="/usr/bin/cjxl {input} {output} -q 90"]')
def test_names_are_short_and_safe(text: str) -> None:
    name = file_name(text)
    assert re.fullmatch(r"[A-Za-z0-9_=+-][A-Za-z0-9._,=+-]*", name)
    assert 1 <= len(name) <= 80
    assert not name.endswith(".")
    assert name.partition(".")[0].lower() not in ("original", "con", "nul", "aux", "prn", "com1", "lpt1")


@given(NAMES, NAMES)
@example("A", "a")
@example("a/b", "a-b")
@example("a[b]", "a,b")
@example("jpeg[quality=1]", "jpeg,quality=1")
@example("x" * 99 + "1", "x" * 99 + "2")
def test_two_names_never_meet_even_where_case_does_not_count(first: str, second: str) -> None:
    assert (file_name(first).lower() == file_name(second).lower()) == (first == second)


def test_the_name_of_a_hashed_name_is_another() -> None:
    hashed = file_name("A")
    assert file_name(hashed.lower()) != hashed.lower()


def test_usual_names_stay_readable() -> None:
    assert file_name("balle2018-hyperprior-small") == "balle2018-hyperprior-small"
    assert file_name("jpeg[quality=50]") == "jpeg,quality=50"
    assert re.fullmatch(r"photos-Summer-a-jpg-[0-9a-f]{12}", file_name("photos/Summer/a.jpg"))
    assert re.fullmatch(r"my_network-Network-[0-9a-f]{12}", file_name("my_network:Network"))
