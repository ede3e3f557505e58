"""The commands as people run them: what they print, with which status they end, and what they never do."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

POSTS = [
    {"source": "forum", "native_id": str(n), "text": text, "published_at": "2026-03-30T10:00:00Z"}
    for n, text in enumerate(
        ["Acme is an awful company, never again!", "I love Acme, best service ever!", "My dog likes the rain."]
    )
]


def run(*arguments: str, cwd: Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "monitor", *arguments],
        cwd=cwd, input=stdin, capture_output=True, text=True, timeout=60, check=False,
        env={**inherited, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as after `init` and a first `ingest` with one bad line among the good ones."""
    folder = tmp_path_factory.mktemp("used")
    assert run("init", cwd=folder).returncode == 0
    lines = [json.dumps(post) for post in POSTS]
    lines.insert(1, '{"source": "forum", "text": "no id"}')
    (folder / "posts.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    ingested = run("ingest", "posts.jsonl", cwd=folder)
    assert ingested.returncode == 1, "a bad line is a problem found"
    assert "line 2: native_id is missing" in ingested.stderr
    assert "3 posts: 2 new mentions" in ingested.stdout
    assert "1 bad line set aside in posts.jsonl.rejected" in ingested.stdout
    assert (folder / "posts.jsonl.rejected").read_text("utf-8") == lines[1] + "\n"
    return folder


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\nsys.argv = ['brand-monitor', '--help']\nfrom monitor.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'onnxruntime', 'transformers', 'pydantic', 'sqlite3', 'slack_sdk', 'yaml', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert printed.stdout.splitlines()[-1] == "[]"
    assert "demo" in printed.stdout and "escalations" in printed.stdout


def test_init_keeps_what_is_there_and_passes_its_own_check(tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text("brands: [{name: Ours, terms: [ours]}]\n", "utf-8")
    written = run("init", cwd=tmp_path)
    assert "kept  monitor.yaml" in written.stdout and "wrote rules/teams.yaml" in written.stdout
    assert (tmp_path / "monitor.yaml").read_text("utf-8").startswith("brands: [{name: Ours")


def test_init_for_a_brand_passes_its_own_check_at_once(tmp_path: Path) -> None:
    assert "with --brand" in run("init", "example", cwd=tmp_path).stdout
    written = run("init", "--brand", "Müller & Söhne", cwd=tmp_path)
    assert written.returncode == 0 and "wrote rules/muller-sohne-spike.yaml" in written.stdout
    checked = run("check", cwd=tmp_path)
    assert checked.returncode == 0 and "MEND" not in checked.stdout, checked.stdout + checked.stderr
    again = run("init", "--brand", "Zephyr", cwd=tmp_path)
    assert "kept  monitor.yaml" in again.stdout and "Zephyr, which must stand there" in again.stdout
    refused = run("init", "new", "--brand", "“Best”", cwd=tmp_path)
    assert refused.returncode == 2 and "--brand: curly quotes" in refused.stderr and not (tmp_path / "new").exists()


def test_a_fresh_starter_is_good(used: Path) -> None:
    checked = run("check", cwd=used)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "MEND" not in checked.stdout and "messages go to the console" in checked.stdout


def test_ingesting_again_changes_nothing(used: Path) -> None:
    again = run("ingest", "-", cwd=used, stdin="\n".join(json.dumps(post) for post in POSTS))
    assert again.returncode == 0
    assert "3 posts: 0 new mentions, 0 answers of ours, 2 known before (0 of them edited), 0 bad lines" in again.stdout


def test_what_was_taken_in_can_be_found(used: Path) -> None:
    found = json.loads(run("search", "awful", "--json", cwd=used).stdout)
    assert [mention["post"]["native_id"] for mention in found] == ["0"] and found[0]["label"] == "negative"
    assert "awful company" in run("search", "AWFUL", cwd=used).stdout
    talks = json.loads(run("discussions", "--days", "3650", "--json", cwd=used).stdout)
    assert [(talk["brand"], talk["mentions"], talk["negative"]) for talk in talks] == [("Acme", 1, 1), ("Acme", 1, 0)]


def test_status_without_a_daemon(used: Path) -> None:
    told = run("status", cwd=used)
    assert told.returncode == 0 and "not running" in told.stdout and "2 in 2 stored posts" in told.stdout
    assert json.loads(run("status", "--json", cwd=used).stdout)["mentions"] == 2


def test_backup_is_a_database_and_its_hint_restores_it(used: Path, tmp_path: Path) -> None:
    copied = run("backup", "kept.db", cwd=used)
    assert copied.returncode == 0 and "replaced" not in copied.stdout
    assert sqlite3.connect(used / "kept.db").execute("SELECT count(*) FROM mentions").fetchone() == (2,)
    copied = run("backup", "kept.db", cwd=used)
    assert "checked, replaced" in copied.stdout
    hint = copied.stdout.splitlines()[-1]
    assert subprocess.run(hint, shell=True, cwd=used, check=False).returncode == 0
    assert run("status", cwd=used).returncode == 0


def test_status_of_a_feed_that_was_never_read(tmp_path: Path) -> None:
    run("init", cwd=tmp_path)
    feed = "sources: [{feed: 'http://127.0.0.1:9/a.xml', name: shop}]\nnetwork: {allow_hosts: ['127.0.0.1']}\n"
    (tmp_path / "monitor.yaml").write_text("brands: [{name: Acme, terms: [acme]}]\n" + feed, "utf-8")
    run("run", "--once", cwd=tmp_path)
    told = run("status", cwd=tmp_path)
    assert told.returncode == 1 and "shop  failing  never read  next in" in told.stdout
    assert ", the last" not in told.stdout and "Connection refused" in told.stdout


def test_a_backup_makes_neither_folders_nor_databases(used: Path, tmp_path: Path) -> None:
    refused = run("backup", "nowhere/kept.db", cwd=used)
    assert refused.returncode == 1 and "no folder nowhere" in refused.stderr and not (used / "nowhere").exists()
    run("init", cwd=tmp_path)
    assert run("backup", "kept.db", cwd=tmp_path).returncode == 1
    assert not (tmp_path / "brand-monitor.db").exists() and not (tmp_path / "kept.db").exists()


def test_bad_lines_that_cannot_be_set_aside_stop_nothing(used: Path, tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text("{\n[]\n" + json.dumps(POSTS[0]) + "\n", "utf-8")
    (tmp_path / "posts.jsonl.rejected").mkdir()
    ingested = run("ingest", str(tmp_path / "posts.jsonl"), cwd=used)
    assert ingested.returncode == 1 and "Traceback" not in ingested.stderr
    assert ingested.stderr.count("posts.jsonl.rejected cannot be written") == 1
    assert ingested.stdout.startswith("1 post: ") and ingested.stdout.endswith("2 bad lines\n")


def test_the_config_is_found_by_its_variable(used: Path, tmp_path: Path) -> None:
    assert run("status", cwd=tmp_path, BRAND_MONITOR_CONFIG=str(used / "monitor.yaml")).returncode == 0


@pytest.mark.parametrize("what", ["config", "rules", "teams", "topics", "tests"])
def test_schemas_are_json(tmp_path: Path, what: str) -> None:
    assert json.loads(run("schema", what, cwd=tmp_path).stdout)["$schema"].startswith("https://json-schema.org/")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["status"], "monitor.yaml: there is no such file; `brand-monitor init`", id="no config"),
        pytest.param(["statsu"], "No such command 'statsu'", id="a typo"),
        pytest.param(["ingest", "nowhere.jsonl"], "nowhere.jsonl", id="no file"),
        pytest.param(["escalations", "resolve", "1"], "--outcome", id="a missing option"),
        pytest.param(["escalations", "--json", "show", "1"], "go after `show`", id="an option of the list"),
        pytest.param(["status", "--config", "m.yaml"], "goes before the command", id="the config after the command"),
    ],
)
def test_wrong_usage_ends_with_status_2(tmp_path: Path, arguments: list[str], says: str) -> None:
    ended = run(*arguments, cwd=tmp_path)
    assert ended.returncode == 2 and says in ended.stderr and "Traceback" not in ended.stderr


def test_commands_are_printed_as_this_one_was_called(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "brand-monitor"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom monitor.cli import main\nmain()\n")
    program.chmod(0o700)

    def next_command(*arguments: str, path: str = os.environ["PATH"]) -> str:
        called = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=True,
                                env={"PATH": path, "PYTHONPATH": str(ROOT)})  # fmt: skip
        return called.stdout.splitlines()[-1].strip()

    config = "--config 'my brand/monitor.yaml' check"
    assert next_command("bin/brand-monitor", "init", "my brand") == f"bin/brand-monitor {config}"
    assert next_command(sys.executable, "-m", "monitor", "init", "my brand") == f"brand-monitor {config}"
    path = f"{program.parent}:{os.environ['PATH']}"
    assert next_command("sh", "-c", "brand-monitor init", path=path) == "brand-monitor check"


def test_problems_name_files_as_seen_from_here(tmp_path: Path) -> None:
    run("init", cwd=tmp_path)
    (tmp_path / "rules" / "teams.yaml").write_text("social: {chanel: '#x'}\n", "utf-8")
    for command in (["check"], ["rules", "check"]):
        told = run(*command, cwd=tmp_path)
        assert told.returncode == 2 and "rules/teams.yaml:1" in told.stdout + told.stderr
        assert str(tmp_path) not in told.stdout + told.stderr


def test_every_mistake_of_a_config_is_told_at_once(tmp_path: Path) -> None:
    brand = "brands:\n  - name: Acme\n    termz: [acme]\n    languages: [no]\n"
    (tmp_path / "monitor.yaml").write_text(f"{brand}slack: {{channel: '#alerts'}}\nstor: x.db\n", "utf-8")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text("id: a\nstatus: alive\nmatch: {brands: [acme]}\n", "utf-8")
    ended = run("check", cwd=tmp_path)
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
    assert "rules/a.yaml:2:1: status: must be test, live or off" in ended.stdout, ended.stdout
    assert "there is no brand" not in ended.stdout
    for line, says in ((3, 'did you mean "terms"'), (4, '"no"'), (6, 'did you mean "store"')):
        assert any(f"monitor.yaml:{line}:" in told and says in told for told in ended.stdout.splitlines()), ended.stdout
    assert run("status", cwd=tmp_path).returncode == 2


def test_rules_check_shows_the_line_and_counts(tmp_path: Path) -> None:
    run("init", cwd=tmp_path)
    (tmp_path / "rules" / "topics.yaml").write_text("legal: {no: [advokat]}\nsafety: {en: fire}\njobs: {en: [job]}\n")
    told = run("rules", "check", cwd=tmp_path)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.splitlines() == [
        'rules/topics.yaml:1:9: legal.no: YAML reads no as false; write "no" in quotes',
        "    1 | legal: {no: [advokat]}",
        "      |         ^^",
        "",
        "rules/topics.yaml:2:10: safety.en: must be a list; write [fire], or each entry on its own line after a dash",
        "    2 | safety: {en: fire}",
        "      |          ^^^^^^^^",
        "",
        "2 mistakes in 1 file.",
    ]
    assert run("check", cwd=tmp_path).stdout.splitlines()[-1] == "2 mistakes in 1 file."


def test_rules_check_as_json(tmp_path: Path) -> None:
    run("init", cwd=tmp_path)
    answer = json.loads(run("rules", "check", "--json", cwd=tmp_path).stdout)
    assert (answer["ok"], answer["problems"], len(answer["rules"])) == (True, [], 4)
    (tmp_path / "rules" / "teams.yaml").write_text("social: {channel: '#s'}\nlegal: {chanel: '#l'}\n")
    told = run("rules", "check", "--json", cwd=tmp_path)
    answer = json.loads(told.stdout)
    assert (told.returncode, answer["ok"], answer["rules"]) == (2, False, [])
    (problem,) = answer["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == ("rules/teams.yaml", 2, 9)
    assert (problem["key"], problem["warning"]) == ("legal.chanel", False)
    assert problem["message"] == 'unknown key; did you mean "channel"?'
    (tmp_path / "monitor.yaml").write_text("brands: []\n")
    answer = json.loads(run("rules", "check", "--json", cwd=tmp_path).stdout)
    assert [problem["file"] for problem in answer["problems"]] == ["monitor.yaml", "rules/teams.yaml"]


def test_a_new_rule_is_asked_for_until_the_answers_will_do(tmp_path: Path) -> None:
    run("init", cwd=tmp_path)
    answers = ["tpoic", "4", "", "safety", "two", "2", "1h", "Fire at {brand}", "", "", "legal", "", "jana@example.com"]
    told = run("rules", "new", cwd=tmp_path, stdin="\n".join(answers) + "\n")
    assert told.returncode == 0, told.stderr
    assert '"tpoic" is none of them; did you mean "topic"?' in told.stdout
    assert '"two" is no whole number' in told.stdout and "wrote rules/fire-at-acme.yaml" in told.stdout
    rule = (tmp_path / "rules" / "fire-at-acme.yaml").read_text("utf-8")
    assert "owner: jana@example.com" in rule and "team: legal" in rule and "topics: {any_of: [safety]}" in rule
    checked = run("rules", "check", cwd=tmp_path)
    assert checked.returncode == 0 and "fire-at-acme (test, high)" in checked.stdout


def test_a_new_rule_without_questions_never_writes_over_another(tmp_path: Path) -> None:
    run("init", cwd=tmp_path)
    first = run("rules", "new", "--yes", "--kind", "spike", "--at-least", "20", "--id", "our-spike", cwd=tmp_path)
    assert first.returncode == 0 and "minimum_now: 20" in (tmp_path / "rules" / "our-spike.yaml").read_text("utf-8")
    before = sorted((tmp_path / "rules").rglob("*"))
    for arguments, says in (
        (["--id", "our-spike"], 'there is a "our-spike" already'),
        (["--times", "4"], "--times does not go with the kind discussion; nothing was written"),
        (["--team", "scoial"], 'did you mean "social"?'),
        (["--kind", "voice", "--at-least", "ten"], "--at-least: "),
    ):
        refused = run("rules", "new", "--yes", *arguments, cwd=tmp_path)
        assert refused.returncode == 2 and says in refused.stderr, refused.stderr
    assert sorted((tmp_path / "rules").rglob("*")) == before


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        pytest.param(lambda db: db.write_text("hello " * 500), "is not a database", id="not a database"),
        pytest.param(lambda db: db.chmod(stat.S_IRUSR), "cannot be written", id="read-only", marks=pytest.mark.skipif(
            os.geteuid() == 0, reason="root may write everything")),
    ],
)  # fmt: skip
def test_a_database_that_cannot_be_used(tmp_path: Path, spoil: object, says: str) -> None:
    run("init", cwd=tmp_path)
    (tmp_path / "brand-monitor.db").touch()
    spoil(tmp_path / "brand-monitor.db")  # type: ignore[operator]
    ended = run("ingest", "-", cwd=tmp_path, stdin=json.dumps(POSTS[0]))
    assert ended.returncode == 1 and says in ended.stderr and "Traceback" not in ended.stderr


def test_a_reader_that_stops_early_is_no_error(used: Path) -> None:
    command = f"{sys.executable} -m monitor schema rules | head -1"
    ended = subprocess.run(command, shell=True, cwd=used, capture_output=True, text=True, check=False,
                           env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert ended.stderr == ""


def test_a_token_is_never_shown(used: Path) -> None:
    told = run("check", cwd=used, SLACK_BOT_TOKEN="xoxb-very-secret-token")
    assert told.returncode == 0 and "very-secret" not in told.stdout + told.stderr
    wrong = run("check", cwd=used, SLACK_BOT_TOKEN="xapp-very-secret-token")
    assert wrong.returncode == 1 and "is no bot token" in wrong.stdout and "very-secret" not in wrong.stdout


def test_explain_says_why_nothing_alerted(used: Path) -> None:
    told = run("rules", "explain", "d1", cwd=used, COLUMNS="300")
    assert told.returncode == 0 and told.stdout.startswith("d1  discussion · Acme · Acme is an awful company")
    assert "acme-negative-thread did not alert: 1 negative mention within 1h" in told.stdout
    assert "✗ no   negative_mentions" in told.stdout and "rules/acme-negative-thread.yaml:" in told.stdout
    assert "\x1b" not in told.stdout
    found = json.loads(run("rules", "explain", "M1", "--rule", "acme-loud-voice", "--json", cwd=used).stdout)
    [rule] = found["rules"]
    assert (found["id"], rule["result"], rule["failed"]["name"]) == ("m1", "did not alert", "author_reach")
    assert rule["failed"]["line"] > 0 and rule["sentence"].startswith("acme-loud-voice ")


def test_ids_that_explain_takes(used: Path) -> None:
    assert "m1 · Acme · forum" in run("search", "awful", cwd=used).stdout
    assert "\nd1  Acme" in run("discussions", "--days", "3650", cwd=used).stdout.replace("\n ", "\n")
    several = run("rules", "explain", "1", cwd=used)
    assert several.returncode == 2 and "1 may be any of these" in several.stderr
    assert "m1     mention     Acme is an awful" in several.stderr and "d1     discussion" in several.stderr
    unknown = run("rules", "explain", "e9", cwd=used)
    assert unknown.returncode == 1 and "There is no escalation e9" in unknown.stderr
    assert "Traceback" not in unknown.stderr and run("rules", "explain", "99", cwd=used).returncode == 1
    wrong = run("rules", "explain", "x1", cwd=used)
    assert wrong.returncode == 2 and "write m12 for a mention" in wrong.stderr
    assert "There is no escalation 9" in run("escalations", "show", "e9", cwd=used).stderr
    assert "There is no rule nope; there are: acme-" in run("rules", "explain", "d1", "--rule", "nope", cwd=used).stderr


@pytest.mark.parametrize(
    ("time", "mend"),
    [
        ("yesterday", "is no moment; write how long ago, as 2h"),
        ("2026-03-30T10:00", "write 2026-03-30T10:00+02:00"),
        ("2999-03-30T10:00Z", "lies in the future"),
    ],
)
def test_moments_that_explain_does_not_take(used: Path, time: str, mend: str) -> None:
    refused = run("rules", "explain", "d1", "--at", time, cwd=used)
    assert refused.returncode == 2 and mend in " ".join(refused.stderr.split())
