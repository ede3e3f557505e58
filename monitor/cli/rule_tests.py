"""`rules test`: run the tests that stand beside the rules, once or at every change, for people and for CI."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.problems import coloured, counted, shown, styled
from monitor.cli.words import near

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.errors import Problem
    from monitor.prove import Proof
    from monitor.rules.testing.results import Line, TestResult

#: How often the folder is looked at (seconds) while `--watch` waits for a change.
LOOK_EVERY = 0.3


@click.command("test", short_help="Run the tests that stand beside the rules.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--watch", is_flag=True, help="Run them again whenever a file changes, until Ctrl-C.")
@click.option("--verbose", "-v", is_flag=True, help="Show the timeline of tests that pass, too.")
@click.option(
    "--junit", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write JUnit XML, for CI."
)
@click.option("--json", "as_json", is_flag=True, help="The results as JSON.")
@click.pass_obj
def test(
    config: Path | None, files: Sequence[Path], watch: bool, verbose: bool, junit: Path | None, as_json: bool
) -> None:
    """Run the tests in the folder `tests` of the rules, or only those in FILES, on simulated time.

    A test that fails shows what happened against what was expected. Exit status 0: all passed; 1: one failed, or a live
    rule has no test that fires or none that stays silent; 2: a file cannot be read.
    """
    from monitor.app import load_config

    loaded = load_config(config)
    if watch and as_json:
        raise click.UsageError("--watch is for people, --json for programs; leave one out.")
    chosen = [_name(loaded, file) for file in files]
    status = _run(loaded, chosen, verbose=verbose, junit=junit, as_json=as_json, clear=watch)
    if watch:
        _watch(loaded, chosen, verbose, junit)
    raise click.exceptions.Exit(status)


def _watch(config: Config, chosen: Sequence[str], verbose: bool, junit: Path | None) -> None:
    from monitor.rulebook import Watch

    folder = Watch(config.rules)
    while True:
        click.echo(styled(f"\nWaiting for a change in {near(config.rules)} … (Ctrl-C ends)", dim=True))
        while not folder.changed():
            time.sleep(LOOK_EVERY)
        _run(config, chosen, verbose=verbose, junit=junit, as_json=False, clear=True)


def _name(config: Config, file: Path) -> str:
    """The test file as it is called in the rules folder; it may be named from here, from there, or by its rule."""
    rules = config.rules
    tried = [file, rules / file, rules / "tests" / file, rules / "tests" / f"{file.name}.yaml"]
    for path in tried:
        if path.is_file() and path.resolve().is_relative_to((rules / "tests").resolve()):
            return path.resolve().relative_to(rules.resolve()).as_posix()
    raise click.UsageError(f"There is no file {file} with tests in {near(rules / 'tests')}.")


def _run(
    config: Config, chosen: Sequence[str], *, verbose: bool, junit: Path | None, as_json: bool, clear: bool
) -> int:
    from monitor.app import utc_now
    from monitor.errors import ConfigError
    from monitor.prove import prove
    from monitor.rulebook import read_rules

    if clear:
        click.clear()
    headed = ""

    def progress(result: TestResult) -> None:
        nonlocal headed
        # Whoever watches wants to see what fails, not to look for it.
        if as_json or (clear and result.passed):
            return
        if result.file != headed:
            headed = result.file
            click.echo(styled(near(headed), bold=True))
        _tell(result, verbose)

    try:
        rules = read_rules(config, utc_now().date())
    except ConfigError as error:
        if not clear:
            raise
        _complain(error.problems)
        return 2
    proof = prove(
        rules,
        config.brand_names,
        near(config.rules),
        time.perf_counter,
        competitors=config.competitors,
        files=chosen,
        progress=progress,
    )
    proof = replace(proof, results=tuple(map(_as_seen_from_here, proof.results)))
    if junit is not None:
        _write_junit(junit, proof)
    if as_json:
        _as_json(proof)
    else:
        _sum_up(proof, chosen=bool(chosen))
    return 1 if proof.problems or not proof.results else 0


def _tell(result: TestResult, verbose: bool) -> None:
    from monitor.rules.testing.results import told

    for line in told(_as_seen_from_here(result), timeline=verbose):
        click.echo(_styled(line))


def _as_seen_from_here(result: TestResult) -> TestResult:
    return replace(result, file=near(result.file))


def _sum_up(proof: Proof, *, chosen: bool) -> None:
    from monitor.rules.testing.results import summary, unreached

    click.echo()
    for line in unreached(proof.untested, chosen=chosen):
        click.echo(_styled(line))
    failures = {failure for result in proof.results for failure in result.failures}
    told = {(failure.file, failure.line, failure.column) for failure in failures}
    _complain([problem for problem in proof.problems if (problem.file, problem.line, problem.column) not in told])
    click.echo(_styled(summary(proof.results)))


def _complain(problems: Sequence[Problem]) -> None:
    for block in shown(problems):
        for line in coloured(block):
            click.echo(line)
    if problems:
        click.echo(counted(problems))


def _styled(line: Line) -> str:
    colours = {"good": "green", "bad": "red", "doubt": "yellow"}
    return styled(line.text, fg=colours.get(line.tone), dim=line.tone == "faint")


def _write_junit(file: Path, proof: Proof) -> None:
    from monitor.rules.testing.results import junit

    file.write_text(junit(proof.results), "utf-8")


def _as_json(proof: Proof) -> None:
    from monitor.rules.testing.results import as_json

    answer = {
        "ok": not proof.problems and bool(proof.results),
        "tests": [as_json(result) for result in proof.results],
        "unreached": [asdict(one) for one in proof.untested],
        "problems": [asdict(problem) for problem in proof.problems],
    }
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
