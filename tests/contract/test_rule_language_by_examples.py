"""What the rule language means, as examples in that language: tiers, hours, mutes, topics, spikes, several rules.

The examples in tests/data/rules are played by the same code as the tests that stand beside a company's own rules. That
the code can tell a wrong example from a right one is tested first.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from monitor.play import play, under_test
from monitor.prove import prove
from monitor.rulebook import rule_files
from monitor.rules.load import RuleSet, load_rules
from monitor.rules.testing.results import told
from monitor.rules.testing.testcase import RuleTest, TestFile

FOLDER = Path(__file__).parents[1] / "data" / "rules"
BRANDS = ["Acme", "Globex"]


def load(**changed: str) -> RuleSet:
    """The folder of examples; `changed` files by name, with "/" as "__"."""
    texts = {name.replace("__", "/") + ".yaml": text for name, text in changed.items()}
    return load_rules({**rule_files(FOLDER), **texts}, BRANDS)


RULES = load()
EXAMPLES = [
    pytest.param(file, test, id=f"{file.name.removeprefix('tests/').removesuffix('.yaml')}: {test.name}")
    for file in RULES.tests
    for test in file.tests
]


@pytest.mark.parametrize(("file", "test"), EXAMPLES)
def test_example(file: TestFile, test: RuleTest) -> None:
    result = play(under_test(RULES, file), BRANDS, file, test, time.perf_counter).result
    assert result.passed, "\n".join(line.text for line in told(result))


def test_the_examples_prove_every_rule() -> None:
    assert prove(RULES, BRANDS, "rules", time.perf_counter).problems == ()


TEMPLATE = """\
rules: [thread.yaml]
defaults: {{brand: acme, source: forum, language: en, topics: [legal], author_reach: 900, sentiment: -0.8}}
tests:
  - name: An example
    start: "2026-03-30T10:00:00+02:00"
    mentions: [{{at: 5m, every: 1m, count: {count}}}]
    clicks: [{clicks}]
    expect: [{expect}]
"""


@pytest.mark.parametrize(
    ("count", "clicks", "expect", "failure"),
    [
        pytest.param(5, "", "{at: 10m, state: held}", "state: expected held, found open", id="another state"),
        pytest.param(5, "", "{at: 10m, posts: 2}", "posts: expected 2, found 1", id="fewer posts"),
        pytest.param(4, "", "{at: 10m, state: open}", "state: expected open, found none", id="it does not fire"),
        pytest.param(5, "", "{at: 10m, posts: 0}", "posts: expected 0, found 1", id="it fires"),
        pytest.param(5, "", "{at: 10m, team: leads}", "team: expected leads, found social", id="another team"),
        pytest.param(5, "", "{at: 10m, tier: 2}", "tier: expected 2, found 1", id="another tier"),
        pytest.param(5, "", "{at: 10m, mention: true}", "mention: expected true, found false", id="nobody is called"),
        pytest.param(5, "", "{at: 10m, called: [anna]}", "called: expected [anna], found []", id="not this one"),
        pytest.param(5, "", "{at: 10m, severity: low}", "severity: expected low, found high", id="another severity"),
        pytest.param(5, "", "{at: 10m, replies: 1}", "replies: expected 1, found 0", id="nothing in the thread"),
        pytest.param(5, "", "{at: 4m, posts: 0}", "nothing has been said by then", id="it would pass whatever happens"),
        pytest.param(4, "{at: 10m, button: acknowledge, user: anna}", "{at: 11m, posts: 0}",
                     "anna presses acknowledge at +10m: there is no alert to click on", id="a click on nothing"),
        pytest.param(5, "{at: 10m, button: acknowledge, user: a}, {at: 11m, button: acknowledge, user: a}",
                     "{at: 12m, posts: 1}", "it changed nothing: it is acknowledged already", id="a click in vain"),
    ],
)  # fmt: skip
def test_a_wrong_example_fails_at_its_place(count: int, clicks: str, expect: str, failure: str) -> None:
    rules = load(tests__thread=TEMPLATE.format(count=count, clicks=clicks, expect=expect))
    file = next(file for file in rules.tests if file.name == "tests/thread.yaml")
    result = play(under_test(rules, file), BRANDS, file, file.tests[0], time.perf_counter).result
    (found,) = result.failures
    assert failure in f"{found.key}: {found.message}"
    assert found.file == "rules/tests/thread.yaml" and found.line in (4, 8)


def test_a_competitor_is_watched_only_by_rules_that_name_it() -> None:
    """As in the daemon, whatever a test makes people say about it."""
    silent = TEMPLATE.format(count=5, clicks="", expect="{at: 1h, state: none}").replace("brand: acme", "brand: Globex")
    anybody = (FOLDER / "thread.yaml").read_text("utf-8").replace("  brands: [acme]\n", "")
    for thread, passes in ((anybody, True), (anybody.replace("match:\n", "match:\n  brands: [Globex]\n"), False)):
        rules = load(thread=thread, tests__thread=silent)
        file = next(file for file in rules.tests if file.name == "tests/thread.yaml")
        played = play(under_test(rules, file), BRANDS, file, file.tests[0], time.perf_counter, ["Globex"])
        assert played.result.passed is passes


def test_a_rule_that_should_have_fired_says_how_near_it_came() -> None:
    text = TEMPLATE.format(count=4, clicks="", expect="{at: 10m, state: open}")
    rules = load(tests__thread=text)
    file = next(file for file in rules.tests if file.name == "tests/thread.yaml")
    result = play(under_test(rules, file), BRANDS, file, file.tests[0], time.perf_counter).result
    lines = [line.text for line in told(result)]
    assert any("+8m" in line and "thread comes nearest to alerting" in line for line in lines), lines
    assert any("negative_mentions: 4 (asked: at least 5 within 1h)" in line for line in lines)


# -- what the tests prove ----------------------------------------------------------------------------------------

NEVER_FIRES = TEMPLATE.format(count=4, clicks="", expect="{at: 1h, posts: 0}")
NEVER_SILENT = TEMPLATE.format(count=5, clicks="", expect="{at: 1h, state: open}")


@pytest.mark.parametrize(
    ("text", "lack"),
    [
        pytest.param(NEVER_FIRES, "no test lets it fire", id="never fires"),
        pytest.param(NEVER_SILENT, "no test shows it staying silent", id="never silent"),
    ],
)
def test_a_live_rule_must_be_proven_both_ways(text: str, lack: str) -> None:
    one = {"tests/thread.yaml": text}
    files = {name: content for name, content in rule_files(FOLDER).items() if not name.startswith("tests/")}
    keep = {
        name: content
        for name, content in files.items()
        if name not in ("loud.yaml", "watch.yaml", "spike.yaml", "reply.yaml")
    }
    rules = load_rules({**keep, **one}, BRANDS)
    (problem,) = prove(rules, BRANDS, "rules", time.perf_counter).problems
    assert (problem.file, problem.line, problem.key) == ("rules/thread.yaml", 4, "status") and lack in problem.message
    resting = {"thread.yaml": keep["thread.yaml"].replace("status: live", "status: test")}
    rules = load_rules({**keep, **one, **resting}, BRANDS)
    assert prove(rules, BRANDS, "rules", time.perf_counter).problems == ()


def test_says_what_no_test_reaches() -> None:
    proof = prove(RULES, BRANDS, "rules", time.perf_counter, files=["tests/topics.yaml"])
    unreached = [(one.line, one.what.split(" (")[0]) for one in proof.untested]
    assert unreached == [
        (8, "match.sources"),
        (9, "match.languages"),
        (10, "match.topics"),
        (11, "match.author_reach"),
        (13, "negative_if.sentiment"),
        (14, "negative_if.confidence"),
        (20, "negative_share"),
        (21, "author_reach"),
        (25, "tier 2"),
        (26, "tier 3"),
    ]


def test_tests_that_take_too_long_keep_rules_out_but_never_hang() -> None:
    seconds = iter(range(0, 100_000, 10))
    proof = prove(RULES, BRANDS, "rules", lambda: float(next(seconds)), patience=100)
    assert "take longer than 100 s" in proof.problems[-1].message and len(proof.results) < 10


def test_nor_does_a_single_test_that_takes_too_long() -> None:
    file = min((file for file in RULES.tests if len(file.tests) > 1), key=lambda file: file.name)
    seconds = iter(range(1_000_000))
    proof = prove(RULES, BRANDS, "rules", lambda: float(next(seconds)), files=[file.name], patience=3)
    assert proof.results == ()
    assert "take longer than 3 s" in proof.problems[0].message and proof.problems[0].line == file.tests[0].line
