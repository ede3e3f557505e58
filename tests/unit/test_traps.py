"""What people who are no programmers write into rules, teams, topics and tests: each slip has its mend."""

from __future__ import annotations

import pytest

from monitor.durations import mended_duration
from monitor.errors import ConfigError
from monitor.mends import mended_number
from tests.fakes.rules_folder import RULE, TESTS, load, rule

MATCH = "match: {brands: [acme]}"
WHEN = "  - negative_mentions: {at_least: 5, within: 60m}"
TIER = "  - {after: 0m, team: social}"


def problems(name: str, text: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load({name: text})
    return str(raised.value).splitlines()


def negative(text: str) -> tuple[str, str]:
    return MATCH, f"{MATCH}\nnegative_if: {text}"


IN_A_RULE = {
    # -- signs that look like others
    "curly quotes": ((MATCH, "match: {brands: [“acme”]}"), "6:18: match.brands[0]: curly quotes are part of the text"),
    "low quotes": ((MATCH, "match: {brands: [„acme“]}"), "6:18: match.brands[0]: curly quotes are part of the text"),
    "tab for an indent": ((MATCH, "match:\n\tbrands: [acme]"), "7:1: a tab stands where YAML wants spaces"),
    "tab after a dash": ((WHEN, WHEN.replace("- ", "-\t")), "8:4: a tab stands where YAML wants spaces"),
    "no-break space for an indent": (
        (MATCH, "match:\n\xa0 brands: [acme]"),
        "7:1: a space that is none to YAML stands here (U+00A0, often copied from a web page); delete it",
    ),
    "no-break space after a colon": ((MATCH, "match:\xa0{brands: [acme]}"), "6:7: a space that is none to YAML"),
    "invisible character": (("id: angry", "id: an\u200bgry"), "1:7: a space that is none to YAML stands here (U+200B"),
    "en dash for a minus": (
        negative("{sentiment: {at_most: –0.5}}"),
        "7:27: negative_if.sentiment.at_most: must be a number; write -0.5, with a plain hyphen",
    ),
    "minus sign": (
        negative("{sentiment: {at_most: −0.5}}"),
        "7:27: negative_if.sentiment.at_most: must be a number; write -0.5, with a plain hyphen",
    ),
    "space after the minus": (
        negative("{sentiment: {at_most: - 0.5}}"),
        "7:36: a value that begins with - and a space needs quotes; a number has no space after its minus",
    ),
    "en dash for a dash": (
        (WHEN, WHEN.replace("-", "–")),
        "7:1: alert_when_any: must be a list; a plain hyphen and a space make a list: write - negative_mentions: …",
    ),
    # -- numbers and lengths of time
    "bare score": (
        negative("{sentiment: -0.5}"),
        "7:15: negative_if.sentiment: must hold `key: value` lines; write {at_most: -0.5}",
    ),
    "bare reach": (
        (MATCH, "match: {author_reach: 500}"),
        "6:9: match.author_reach: must hold `key: value` lines; write {at_least: 500}",
    ),
    "per cent": (
        negative("{confidence: {at_least: 40%}}"),
        "7:28: negative_if.confidence.at_least: must be a number; write 0.4 for 40%",
    ),
    "German comma": (
        negative("{confidence: {at_least: 0,7}}"),
        "7:38: negative_if.confidence.at_least: write 0.7, with a point",
    ),
    "German thousands": (
        ("at_least: 5", "at_least: 10.000"),
        "8:25: alert_when_any[0].negative_mentions.at_least: must be a whole number; write 10, or 10000",
    ),
    "English thousands": (
        ("at_least: 5", "at_least: 10,000"),
        "8:35: alert_when_any[0].negative_mentions.at_least: write 10000, without a comma",
    ),
    "10k": (
        ("at_least: 5", "at_least: 10k"),
        "8:25: alert_when_any[0].negative_mentions.at_least: must be a whole number; write 10000",
    ),
    "number in quotes": (
        ("at_least: 5", 'at_least: "5"'),
        "8:25: alert_when_any[0].negative_mentions.at_least: must be a whole number; write 5, without quotes",
    ),
    "no unit": (
        ("60m", "60"),
        "8:38: alert_when_any[0].negative_mentions.within: a duration needs its unit; write 60m",
    ),
    "unit in full": (
        ("60m", "60 minutes"),
        '8:38: alert_when_any[0].negative_mentions.within: "60 minutes" is no duration; write 1h',
    ),
    "two units": (
        ("60m", "1h 30min"),
        '8:38: alert_when_any[0].negative_mentions.within: "1h 30min" is no duration; write 90m',
    ),
    "half an hour": (
        ("60m", "0.5h"),
        '8:38: alert_when_any[0].negative_mentions.within: "0.5h" is no duration; write 30m',
    ),
    "German half": (
        ("60m", "1,5h"),
        "8:46: alert_when_any[0].negative_mentions.within: a comma ends a value here; write 90m",
    ),
    "clock time": (("60m", "22:00"), '8:38: alert_when_any[0].negative_mentions.within: "22:00" is no duration'),
    # -- words
    "severity in capitals": (
        ("severity: high", "severity: High"),
        '5:1: severity: must be low, medium, high or critical; did you mean "high"?',
    ),
    "brand for brands": (
        (MATCH, "match: {brand: acme}"),
        '6:9: match.brand: unknown key; did you mean "brands: [acme]"?',
    ),
    "one brand is no list": ((MATCH, "match: {brands: acme}"), "6:9: match.brands: must be a list; write [acme], or"),
    "hyphens in a key": (
        ("alert_when_any", "alert-when-any"),
        '7:1: alert-when-any: unknown key; did you mean "alert_when_any"?',
    ),
    "no for Norwegian": (
        (MATCH, "match: {languages: [no]}"),
        '6:21: match.languages[0]: YAML reads no as false; write "no" in quotes',
    ),
    "yes for true": ((TIER, TIER.replace("}", ", mention: yes}")), "10:31: escalate[0].mention: must be true or false"),
    # -- structure
    "dash forgotten": (
        (WHEN, WHEN.replace("- ", "")),
        "7:1: alert_when_any: must be a list; each entry begins with a dash: write - negative_mentions: …",
    ),
    "dash forgotten before a tier": (
        (TIER, "  after: 0m\n  team: social"),
        "9:1: escalate: must be a list; each entry begins with a dash: write - after: …",
    ),
    "no space after the dash": (
        (WHEN, WHEN.replace("- ", "-")),
        "7:1: alert_when_any: must be a list; a plain hyphen and a space make a list",
    ),
    "no space after the colon": (
        ("severity: high", "severity:high"),
        "5:1: a space is missing after the colon; write severity: high",
    ),
    "no space after a colon in braces": (
        (MATCH, "match:\n  brands:[acme]"),
        "6:1: match: must hold `key: value` lines; a space is missing after the colon: write brands: [acme]",
    ),
    "equals sign": (("severity: high", "severity = high"), "5:1: a colon is missing; write severity: high"),
    "colon forgotten in braces": (
        (TIER, "  - {after 0m, team: social}"),
        "10:6: escalate[0].after 0m: a colon is missing; write after: 0m",
    ),
    "brackets forgotten": (
        (MATCH, "match: {brands: acme, globex}"),
        "6:23: match.globex: this is neither `key: value` nor part of a list; a list needs [ before its first entry",
    ),
    "duplicate key": (
        ("severity: high", "severity: high\nseverity: low"),
        "6:1: severity: this key stands twice, first in line 5",
    ),
}


@pytest.mark.parametrize(("edit", "expected"), IN_A_RULE.values(), ids=list(IN_A_RULE))
def test_in_a_rule(edit: tuple[str, str], expected: str) -> None:
    found = problems("angry.yaml", rule(edit))
    assert any(line.startswith(f"rules/angry.yaml:{expected}") for line in found), found


SECOND = RULE.replace("id: angry", "id: other")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            RULE + SECOND, "12:1: id: from here on the same keys come again; give what begins here", id="below"
        ),
        pytest.param(RULE + "---\n" + SECOND, "12:1: a second document begins here with ---; give what", id="---"),
        pytest.param(
            "- " + RULE.replace("\n", "\n  "), "1:1: the file must hold `key: value` lines, and no", id="list"
        ),
    ],
)
def test_two_rules_in_a_file_are_one_problem(text: str, expected: str) -> None:
    (found,) = problems("angry.yaml", text)
    assert found.startswith(f"rules/angry.yaml:{expected}")


ELSEWHERE = {
    "channel without quotes": (
        "teams.yaml",
        "social:\n  channel: #brand",
        '2:11: social.channel: YAML reads nothing here, because # begins a comment; write "#brand" in quotes',
    ),
    "channel without quotes in braces": (
        "teams.yaml",
        "social: {channel: #brand}\n",
        '1:19: YAML reads nothing from this # on, because it begins a comment; write "#brand" in quotes',
    ),
    "team twice": (
        "teams.yaml",
        "social: {channel: '#s'}\nsocial: {channel: '#t'}",
        "2:1: social: this key stands twice, first in line 1",
    ),
    "language twice": ("topics.yaml", "safety: {en: [fire], en: [smoke]}", "1:22: safety.en: this key stands twice"),
    "words for Norwegians": (
        "topics.yaml",
        "safety: {no: [brann]}",
        '1:10: safety.no: YAML reads no as false; write "no" in quotes',
    ),
    "hashtag in a list": (
        "topics.yaml",
        "safety: {en: [fire, #fail]}\njobs: {en: [hiring]}",
        '1:21: YAML reads nothing from this # on, because it begins a comment; write "#fail" in quotes',
    ),
    "test of an unknown rule": (
        "tests/t.yaml",
        TESTS.replace("angry.yaml", "angri.yaml"),
        '1:9: rules[0]: there is no rule file "angri.yaml" in the rules folder; did you mean "angry.yaml"?',
    ),
    "test with a comma": (
        "tests/t.yaml",
        TESTS.replace("-0.8", "-0,8"),
        "2:36: defaults.sentiment: write -0.8, with a point",
    ),
    "test at a clock time": (
        "tests/t.yaml",
        TESTS.replace("at: 19m", "at: 10:19"),
        '7:15: tests[0].expect[0].at: "10:19" lacks its day; write how long after the start, for example 10m',
    ),
    "test in another ending": ("tests/t.yml", TESTS, "a file with the ending .yml is not read; rename it to t.yaml"),
    "test in a folder": ("tests/a/t.yaml", TESTS, "tests are not looked for here; move the file to the top"),
    "ending in capitals": ("other.YAML", RULE, "a file with the ending .YAML is not read; rename it to other.yaml"),
    "ending that Windows hides": ("other.yaml.txt", RULE, "the ending .yaml.txt is not read; rename it to other.yaml"),
}


@pytest.mark.parametrize(("name", "text", "expected"), ELSEWHERE.values(), ids=list(ELSEWHERE))
def test_in_other_files(name: str, text: str, expected: str) -> None:
    found = problems(name, text)
    assert any(f"rules/{name}" in line and expected in line for line in found), found


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(rule((MATCH, "# Note :\xa0{a}\n" + MATCH)), id="no-break space in a comment"),
        pytest.param(rule(("title: Trouble", "title: Ça va mal\xa0! Trouble")), id="no-break space in a title"),
        pytest.param("\ufeff" + RULE.replace("\n", "\r\n"), id="file written on Windows"),
        pytest.param(rule(("  - {after", "- {after")), id="list not indented"),
        pytest.param(rule(("status: live", "status: off")), id="off is no truth"),
    ],
)
def test_what_is_no_trap(text: str) -> None:
    assert load({"angry.yaml": text}).rules


def test_a_threshold_of_friendly_mentions_is_doubted() -> None:
    (warning,) = load({"angry.yaml": rule(negative("{sentiment: {at_most: 0.5}}"))}).warnings
    assert str(warning).startswith("rules/angry.yaml:7:27: negative_if.sentiment.at_most: counts friendly mentions")


@pytest.mark.parametrize(
    ("text", "mended"),
    [("2 weeks", "14d"), ("1 hour and 30 min", "90m"), ("90 S", "90s"), ("a while", ""), ("5 apples", ""), ("", "")],
)
def test_lengths_of_time_that_people_write(text: str, mended: str) -> None:
    assert mended_duration(text) == mended


@pytest.mark.parametrize(("text", "mended"), [("12,5 %", "write 0.125 for 12,5 %"), ("0.5.1", ""), ("five", "")])
def test_numbers_that_people_write(text: str, mended: str) -> None:
    assert mended_number(text) == mended
