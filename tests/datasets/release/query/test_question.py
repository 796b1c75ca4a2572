"""The grammar of questions: what can be asked, its canonical spelling, and the refusals of anything else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.period import MalformedPeriod
from datasets.refusal import Refusal
from datasets.release.answer.grid import EmptyQuestion, NotPublished
from datasets.release.format.codebook import codebook_of
from datasets.release.query.parsing import parse_question
from datasets.release.query.span import PeriodNotReleased
from datasets.release.query.vocabulary import (
    MalformedQuestion,
    RepeatedParameter,
    UnknownCode,
    UnknownLevel,
    UnknownMeasure,
    UnknownParameter,
)
from datasets.release.store.store import UnknownRelease
from tests.datasets.pipeline.small_dataset import JUNE, small_dataset

BOOK = codebook_of(small_dataset(), JUNE)
MONTHS = ("2026-05", "2026-06")


def parse(text):
    return parse_question([tuple(pair.split("=", 1)) for pair in text.split("&")], BOOK, MONTHS)


subsets = {
    "kind": st.lists(st.sampled_from(["fruit", "root", "unknown"]), min_size=1),
    "plant": st.lists(st.sampled_from(["plum", "beet", "apple"]), min_size=1),
    "state": st.lists(st.sampled_from(["FR", "DE"]), min_size=1),
}
questions = st.fixed_dictionaries(
    {"measure": st.lists(st.sampled_from(["crates", "takings", "gardeners"]), min_size=1, unique=True)},
    optional={
        **subsets,
        "group_by": st.sampled_from([["kind"], ["state", "plant"], ["period"], ["state", "period"]]),
        "period": st.sampled_from([["2026-06"], ["2026-05..2026-06"], ["2026-05-01..2026-06-30"]]),
        "freq": st.sampled_from([["day"], ["month"]]),
        "limit": st.sampled_from([["1"], ["25"]]),
        "sort": st.sampled_from([["-period"], ["period"]]),
        "labels": st.sampled_from([["code"], ["name"], ["both"]]),
        "confidence": st.sampled_from([["0.9"], ["0.95"], ["0.950"]]),
    },
)


@settings(deadline=None)
@given(questions, st.randoms())
def test_the_canonical_form_is_canonical_and_does_not_depend_on_order_or_repetition(parameters, random):
    pairs = [(name, ",".join(values)) for name, values in parameters.items()]
    question = parse_question(pairs, BOOK, MONTHS)
    again = parse(question.canonical())
    assert (again, again.canonical()) == (question, question.canonical())
    shuffled = {n: random.sample(v, len(v)) + v[:1] if n in subsets else v for n, v in parameters.items()}
    mixed = random.sample(list(shuffled.items()), len(shuffled))
    assert parse_question([(n, ",".join(v)) for n, v in mixed], BOOK, MONTHS) == question


def test_equal_questions_have_equal_canonical_forms():
    assert (
        parse("measure=crates&period=2026-06-01..2026-06-30").canonical() == "measure=crates&period=2026-06"
    )
    assert parse("measure=crates").canonical() == "measure=crates&period=2026-06"
    assert (
        parse("state=FR,DE,FR&measure=crates&group_by=kind,period").canonical()
        == "measure=crates&group_by=kind&state=DE,FR&period=2026-06&freq=month"
    )


def test_excluding_some_codes_is_the_same_as_listing_the_others():
    assert parse("measure=crates&state=ne:DE") == parse("measure=crates&state=FR,unknown")
    assert parse("measure=crates&state=ne:FR,unknown").canonical() == "measure=crates&state=DE&period=2026-06"


def test_a_filter_that_selects_every_code_is_dropped():
    assert parse("measure=crates&state=DE,FR,unknown") == parse("measure=crates")


def test_another_question_or_another_release_has_another_id():
    questions = [parse("measure=crates"), parse("measure=crates&state=DE"), parse("measure=crates&state=FR")]
    ids = {question.id(releases) for question in questions for releases in (["2026-06.1"], ["2026-06.2"])}
    assert len(ids) == 6


MANY = ",".join(str(n) for n in range(201))
REFUSED = [
    ("measure=crates&staet=DE", UnknownParameter, "parameter 'staet' is not known for harvest. Did you mean state or share or shape?"),
    ("measure=crates&cursr=abc", UnknownParameter, "parameter 'cursr' is not known for harvest. Did you mean cursor?"),
    ("ratio=crates", MalformedQuestion, "ratio=crates is not a ratio; write two different measures with / between, such as ratio=gardeners/crates"),
    ("ratio=crates/crates", MalformedQuestion, "ratio=crates/crates is not a ratio; write two different measures with / between, such as ratio=gardeners/crates"),
    ("ratio=sales/crate", UnknownMeasure, "ratio=crate is not a measure of harvest; it has crates, sales, takings, gardeners. Did you mean crates?"),
    ("measure=crates&share=kind", MalformedQuestion, "share=kind names no code; write share=kind:fruit"),
    ("measure=crates&share=fruit:apple", UnknownLevel, "share=fruit:apple names no level of harvest; write one such as share=category:A,B."),
    ("measure=crates&share=kind:aple", UnknownCode, "share=aple is not in the code list 'kind'."),
    ("measure=crates&share=kind:fruit,root,unknown", MalformedQuestion, "share=kind:fruit,root,unknown names every code of kind, so the share is 1"),
    ("measure=price&share=kind:fruit", MalformedQuestion, "share=kind:fruit has nothing to be taken of; name a measure that counts, such as measure=crates"),
    ("measure=crates&compare=state:DE", MalformedQuestion, "compare=state:DE is not a comparison; write a level and two of its codes, such as member_state:DE,FR, or two periods, such as period:2026-05,2026-06"),
    ("measure=crates&compare=state:DE,DE", MalformedQuestion, "compare=state:DE,DE is not a comparison; write a level and two of its codes, such as member_state:DE,FR, or two periods, such as period:2026-05,2026-06"),
    ("measure=crates&compare=state:DE,EN", UnknownCode, "compare=EN is not in the code list 'state'."),
    ("measure=crates&compare=day:2026-06-01,2026-06-02", UnknownLevel, "compare=day:2026-06-01,2026-06-02 names no level of harvest; write one such as compare=member_state:DE,FR."),
    ("measure=crates&compare=state:DE,FR&group_by=state", MalformedQuestion, "compare=state:DE,FR compares what state groups or filters by; leave state out"),
    ("measure=crates&compare=kind:fruit,root&plant=apple", MalformedQuestion, "compare=kind:fruit,root compares what plant groups or filters by; leave plant out"),
    ("measure=crates&compare=period:2026-05,2026-07", PeriodNotReleased, "compare=2026-07 reaches outside what is released; released are 2026-05, 2026-06"),
    ("measure=crates&compare=period:2026-05,2026-06&period=2026-06", MalformedQuestion, "compare=period:2026-05,2026-06 says which periods are meant; leave period out"),
    ("measure=crates&compare=period:2026-05,2026-06&group_by=period", MalformedQuestion, "compare=period:2026-05,2026-06 says which periods are meant; leave group_by=period out"),
    ("measure=middle_state&compare=kind:fruit,root", MalformedQuestion, "compare=kind:fruit,root does not go with middle_state: the difference of two medians has no exact error; ask for both and compare their intervals"),
    ("measure=crates&compare=period:2026-05,2026-05-01..2026-05-31", MalformedQuestion,
     "compare=period:2026-05,2026-05-01..2026-05-31 compares a period with itself; write two different ones"),
    ("measure=middle_state&group_by=state", MalformedQuestion,
     "middle_state is the middle of state, so it cannot be grouped by it; leave state out of group_by"),
    ("measure=crates&level=plant", UnknownLevel, "level=plant is not a level of a nested dimension that is grouped by; write, for example, group_by=kind&level=plant"),
    ("measure=crates&level=state&group_by=state", UnknownLevel, "level=state is not a level of a nested dimension that is grouped by; write, for example, group_by=kind&level=plant"),
    ("measure=crates&shape=tall", MalformedQuestion, "shape=tall is not known; it may be wide or long."),
    ("measure=crates&shape=long&sort=crates", MalformedQuestion, "sort=crates names no column of this answer; it has period, measure, value, se, lo, hi."),
    ("measure=crates&format=csv", UnknownParameter, "parameter 'format' is not known for harvest. Did you mean sort?"),
    ("measure=crate", UnknownMeasure, "measure=crate is not a measure of harvest; it has crates, sales, takings, gardeners,"
     " fruit_share, apple_share, sale_rate, price, middle_state. Did you mean crates?"),
    ("group_by=kind", MalformedQuestion, "parameter 'measure' is missing; harvest has crates, sales, takings, gardeners, fruit_share, apple_share, sale_rate, price, middle_state"),
    ("measure=", MalformedQuestion, "parameter 'measure' has an empty value in ''; leave the parameter out, or write"
     " measure=A or measure=A,B"),
    ("measure=crates&group_by=knd", UnknownLevel, "group_by=knd names no level of harvest. Did you mean kind?"),
    ("measure=crates&group_by=kind,plant", MalformedQuestion, "group_by=kind,plant names two levels of one dimension;"
     " group by the finer one, whose codes say where they belong in the codebook"),
    ("measure=crates&state=de", UnknownCode, "state=de is not in the code list 'state'. Did you mean DE?"),
    ("measure=crates&state=ne:EL", UnknownCode, "state=EL is not in the code list 'state'."),
    ("measure=crates&state=ne:", MalformedQuestion, "parameter 'state' has an empty value in ''; leave the parameter out, or write state=A or state=A,B"),
    ("measure=crates&state=ne:DE,FR,unknown", MalformedQuestion, "state=ne: names every code of 'state', so nothing is left; name fewer"),
    ("measure=crates&confidence=95", MalformedQuestion, "confidence=95 is not a confidence; write one from 0.5 to 0.9999, for example 0.9"),
    ("measure=crates&confidence=0.4", MalformedQuestion, "confidence=0.4 is not a confidence; write one from 0.5 to 0.9999, for example 0.9"),
    ("measure=crates&confidence=1e-1", MalformedQuestion, "confidence=1e-1 is not a confidence; write one from 0.5 to 0.9999, for example 0.9"),
    ("measure=crates&freq=week", MalformedPeriod, "period=2026-06 cuts a week, so freq=week cannot be answered; ask whole weeks; 2026-06-01..2026-06-28 cuts none, or freq=day, or leave freq out for one sum"),
    ("measure=crates&freq=quarter&period=2026-05..2026-06", MalformedPeriod, "period=2026-05..2026-06 cuts a quarter, so freq=quarter cannot be answered; ask whole quarters, or freq=day, or leave freq out for one sum"),
    ("measure=crates&state=DE,,FR", MalformedQuestion, "parameter 'state' has an empty value in 'DE,,FR'; leave the"
     " parameter out, or write state=A or state=A,B"),
    ("measure=crates&measure=sales", RepeatedParameter, "parameter 'measure' is given more than once; write its values"
     " in one, with commas: measure=A,B"),
    (f"measure=crates&state={'x' * 4097}", MalformedQuestion, "parameter 'state' has 4097 characters; at most 4096 are"
     " read"),
    (f"measure=crates&state={MANY}", MalformedQuestion, "parameter 'state' lists 201 values; at most 200 are read"),
    ("measure=crates&group_by=kind&sort=-crate", MalformedQuestion, "sort=-crate names no column of this answer; it has period, kind, crates, crates_se, crates_lo, crates_hi. Did you mean crates or crates_se or crates_lo?"),
    ("measure=crates&sort=", MalformedQuestion, "parameter 'sort' has an empty value in ''; leave the parameter out, or write sort=A or sort=A,B"),
    ("measure=crates&limit=0", MalformedQuestion, "limit=0 is not a number of rows; write a whole number from 1 to 999999"),
    ("measure=crates&limit=ten", MalformedQuestion, "limit=ten is not a number of rows; write a whole number from 1 to 999999"),
    ("measure=crates&freq=wek", MalformedQuestion, "freq=wek is not known; it may be day or week or month or quarter. Did you mean week?"),
    ("measure=crates&period=2026-6", MalformedPeriod, "period=2026-6 is not a period; write a month, a day, or a range of"
     " either: 2026-06, 2026-06-01, 2026-01..2026-06"),
    ("measure=crates&period=2026-06-31", MalformedPeriod, "period=2026-06-31 is not a period; write a month, a day, or a"
     " range of either: 2026-06, 2026-06-01, 2026-01..2026-06"),
    ("measure=crates&period=2026-06..2026-05", MalformedPeriod, "period=2026-06..2026-05 ends before it begins; write the"
     " earlier end first: 2026-05..2026-06"),
    ("measure=crates&period=2026-04..2026-06", PeriodNotReleased, "period=2026-04..2026-06 reaches outside what is"
     " released; released are 2026-05, 2026-06"),
    ("measure=crates&period=1970-01..9998-12", PeriodNotReleased, "period=1970-01..9998-12 reaches outside what is"
     " released; released are 2026-05, 2026-06"),
    ("measure=crates&period=2026-06-01..2026-06-07&freq=month", MalformedPeriod, "period=2026-06-01..2026-06-07 cuts a"
     " month, so freq=month cannot be answered; ask whole months, or freq=day, or leave freq out for one sum"),
    ("measure=crates&group_by=kind,,state&compare=x", MalformedQuestion, "parameter 'group_by' has an empty value in"
     " 'kind,,state'; leave the parameter out, or write group_by=A or group_by=A,B"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "refusal", "sentence"), REFUSED, ids=[text[:60] for text, _, _ in REFUSED])
def test_a_wrong_question_is_refused_in_one_sentence(text, refusal, sentence):
    with pytest.raises(refusal) as refused:
        parse(text)
    assert refused.value.sentence == sentence
    assert refused.value.parameter


@given(st.sampled_from(["measure", "group_by", "period", "freq", "state", "kind"]), st.text(max_size=60))
@settings(deadline=None)
def test_any_text_in_any_parameter_is_accepted_or_refused(name, text):
    try:
        parse_question([(name, text), *([("measure", "crates")] if name != "measure" else [])], BOOK, MONTHS)
    except Refusal as refused:
        assert refused.parameter in (name, "measure")
        assert refused.sentence.isprintable()


@given(st.text(max_size=60))
@settings(deadline=None)
def test_any_unknown_parameter_is_refused(name):
    with pytest.raises(Refusal) as refused:
        parse_question([(name, "x"), ("measure", "crates")], BOOK, MONTHS)
    assert refused.value.sentence.isprintable()


def test_a_depth_that_is_not_published_names_the_nearest_that_are(ask):
    with pytest.raises(NotPublished) as refused:
        ask(measure="crates", group_by="kind,state", freq="day", period="2026-06")
    assert refused.value.sentence == (
        "crates is not published by kind × state × day; it is by kind × state, and by kind × day, and by state × day"
    )


def test_filters_that_exclude_each_other_are_refused(ask):
    with pytest.raises(
        EmptyQuestion,
        match="the filters kind and plant exclude each other: no code is within all that is asked",
    ):
        ask(measure="crates", kind="fruit", plant="beet")


def test_a_release_can_be_asked_by_name_and_latest_is_the_current_one(ask):
    assert ask(measure="crates", release="2026-06.1").meta["releases"] == ["2026-06.1"]
    assert ask(measure="crates", release="latest").meta["releases"] == ["2026-06.2"]
    assert ask(measure="crates", release="2026-06.1").rows != ask(measure="crates").rows


@pytest.mark.parametrize("name", ["2026-06.3", "2026-06", "../harvest/2026-06.1", "", "2026-06.current"])
def test_a_release_that_does_not_exist_is_refused(ask, name):
    with pytest.raises(UnknownRelease, match="does not exist; there are 2026-05.1, 2026-06.1, 2026-06.2"):
        ask(measure="crates", release=name)


def test_a_named_release_answers_for_its_own_month_only(ask):
    with pytest.raises(PeriodNotReleased, match="released are 2026-06"):
        ask(measure="crates", release="2026-06.1", period="2026-05")
