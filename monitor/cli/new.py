"""`rules new`: asks a few questions and writes a rule with its tests."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.problems import styled
from monitor.cli.words import near, program
from monitor.errors import ConfigError, MonitorError

if TYPE_CHECKING:
    from monitor.rules.load import RuleSet
    from monitor.rules.writing.wizard import Folder, Question

#: Option → what it answers. The keys are those of the questions.
_OPTIONS = {
    "kind": "discussion, spike, voice or topic.",
    "brand": "A brand of the configuration.",
    "topic": "A topic of topics.yaml, for the kind topic.",
    "at-least": "How many negative posts; for the kind voice how many followers.",
    "within": "Within how long, for example 1h.",
    "times": "How many times as many as usual, for the kind spike.",
    "baseline": "The usual of how long before, for the kind spike.",
    "title": "The headline of the alert; {brand} stands for the name.",
    "id": "The rule's name, and that of its files.",
    "severity": "low, medium, high or critical.",
    "team": "A team of teams.yaml.",
    "playbook": "A guideline in the rules folder, or none.",
    "owner": "Who answers for the rule.",
}


def _with_options(command: Any) -> Any:
    for name, text in reversed(_OPTIONS.items()):
        command = click.option(f"--{name}", help=text)(command)
    return command


@click.command("new", short_help="Write a new rule with its tests.")
@_with_options
@click.option("--yes", is_flag=True, help="Ask nothing: take the default of all that no option answers.")
@click.pass_obj
def new(config: Path | None, /, yes: bool, **given: str | None) -> None:
    """Ask a few questions, and write a commented rule and two tests of it: one that fires, one that stays silent.

    The rule is recorded, but never posted, until its `status` is live. Every question can be answered by an option.
    """
    from monitor.app import load_config, utc_now
    from monitor.prove import prove
    from monitor.rulebook import read_rules, rule_files
    from monitor.rules.load import load_rules
    from monitor.rules.writing.newrule import text_of_rule, text_of_tests
    from monitor.rules.writing.wizard import interview

    settings = load_config(config)
    # Competitors last: whoever wants an alert on one names it.
    brands = [brand.name for brand in sorted(settings.brands, key=lambda brand: brand.competitor)]
    folder = _folder(read_rules(settings), brands)
    asking = _Asking(given, yes)
    answers = interview(folder, asking)
    for option in asking.given.keys() - asking.asked:
        raise click.UsageError(f"{_named(option)} does not go with the kind {answers.kind}; nothing was written.")
    files = {
        f"{answers.id}.yaml": text_of_rule(answers),
        f"tests/{answers.id}.yaml": text_of_tests(answers, folder.teams[answers.team], utc_now()),
    }
    before = rule_files(settings.rules)
    for name in files.keys() & before.keys():
        raise click.UsageError(f"{near(settings.rules / name)} is there already; nothing was written.")
    # What is written must be right; were it not, the files of before would stay as they are.
    rules = load_rules({**before, **files}, brands, str(settings.rules))
    proof = prove(
        rules,
        brands,
        str(settings.rules),
        time.monotonic,
        competitors=settings.competitors,
        files=[f"tests/{answers.id}.yaml"],
    )
    if proof.problems:
        raise ConfigError(proof.problems)
    _write(settings.rules, files)
    click.echo()
    for name in files:
        click.echo(f"{styled('wrote', fg='green')} {near(settings.rules / name)}")
    called, rule = program(config), near(settings.rules / f"{answers.id}.yaml")
    click.echo(f"{styled('ok   ', fg='green')} no mistake in {near(settings.rules)}, and both tests hold")
    click.echo(f"\nNext: read {rule} and put in what only you know, then run\n  {called} rules test")
    click.echo(f"The rule is recorded, but posts nothing. When you trust it, write `status: live` into {rule}.")


def _folder(rules: RuleSet, brands: list[str]) -> Folder:
    from monitor.rules.writing.wizard import Folder

    if not rules.teams:
        raise click.UsageError("There is no team yet that a rule could tell; write one into teams.yaml first.")
    taken = {rule.id for rule in rules.rules} | {Path(name).stem for name in rules.files}
    owners = Counter(rule.owner for rule in rules.rules).most_common(1)
    return Folder(
        brands, rules.teams, list(rules.topics), list(rules.guidelines), taken, owners[0][0] if owners else ""
    )


def _named(key: str) -> str:
    return f"--{key.replace('_', '-')}"


class _Asking:
    """Answers a question by its option, by its default, or by asking until the answer will do."""

    def __init__(self, given: Mapping[str, str | None], yes: bool) -> None:
        self.given = {key: answer for key, answer in given.items() if answer is not None}
        self.yes = yes
        self.asked: set[str] = set()

    def __call__(self, question: Question) -> Any:
        self.asked.add(question.key)
        if question.key in self.given or self.yes:
            answer = self.given.get(question.key, question.default)
            try:
                return question.read(answer.strip())
            except ValueError as error:
                raise click.UsageError(f"{_named(question.key)}: {error}") from error
        return self.answer(question)

    def answer(self, question: Question) -> Any:
        click.echo(f"\n{styled(question.text, bold=True)}")
        longest = max(map(len, question.choices), default=0)
        for number, (name, meaning) in enumerate(question.choices.items(), 1):
            click.echo(f"  {number}  {name:<{longest}}  {styled(meaning, dim=True)}".rstrip())
        while True:
            answer = click.prompt(">", default=question.default or None, prompt_suffix=" ")
            try:
                return question.read(answer.strip())
            except ValueError as error:
                click.echo(styled(f"  {error}", fg="red"))


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """All files or none; never over one that is there."""
    done: list[Path] = []
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                done.append(path)
                file.write(text)
    except OSError as error:
        for path in done:
            path.unlink(missing_ok=True)
        raise MonitorError(f"{error.filename} cannot be written: {error.strerror}; nothing was written.") from error
