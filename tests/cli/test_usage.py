"""Usage errors, help, versions and the settings' table, as processes."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from homelab_hooks import __version__
from homelab_hooks.cli.command_exit_codes import list_exit_codes
from homelab_hooks.cli.main import main
from homelab_hooks.cli.verbs import COMMANDS, Command
from homelab_hooks.config.schema import SETTINGS
from homelab_hooks.simulators.programs import find_free_port
from homelab_hooks.simulators.repositories import Clone
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.process_runner import ProcessRunner
from tests.cli.shell import PROGRAMS, Shell
from tests.views.schema import SCHEMA, objects

pytestmark = pytest.mark.slow  # a real process each; together they would keep `make check` waiting

HEAVY = {"httpx", "httpcore", "rich", "hvac", "git", "stamina", "asyncio", "requests", "ssl", "anyio", "yaml"}
WRONG = [
    ["homelab-watch", "--nonsense"],
    ["homelab-watch", "a", "b"],
    ["homelab-watch", "--timeout"],
    ["homelab-watch", "--timeout", "soon"],
    ["homelab-watch", "--timeout=--"],
    ["homelab-watch", "--server=--"],
    ["homelab-watch", "--output=--"],
    ["homelab-watch", "--repo=--"],
    ["homelab-watch", "--repo", "../../x"],
    ["homelab-watch", "--repo", "acme/.."],
    ["homelab-watch", "--repo", "acme/app?x=/y"],
    ["homelab-watch", "--server", ""],
    ["homelab-watch", "--server", "http://ci.example.test"],
    ["homelab-watch", "--output", "xml"],
    ["homelab-watch", "--event", "push_back"],
    ["homelab-watch", "no-such-branch"],
    ["homelab-watch", "--upload-pack=x"],
    ["homelab", "ci", "status", "--nonsense"],
    ["homelab", "ci", "nonsense"],
    ["homelab", "nonsense"],
    ["homelab", "ci"],
    ["homelab"],
    ["homelab", "config", "--dial", "ci.example.test"],
]


@pytest.mark.parametrize("command", WRONG, ids=" ".join)
def test_a_usage_error_has_a_result_line(shell: Shell, command: list[str]) -> None:
    ended = shell(*command)
    assert (ended.code, len(ended.lines)) == (2, 1), ended
    assert (ended.result["verdict"], ended.result["exit"]) == ("usage", "2")
    assert ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("--tiemout=5", "did you mean --timeout? "), ("--dry_run", "did you mean --dry-run? "),
        ("--abrt", "did you mean --abort? "), ("--dryrun", "did you mean --dry-run? "),
        ("--verify", "did you mean --verify-cmd? "), ("--json", "did you mean --output json? "),
        ("--zz", ""), ("--forc", ""), ("--frce", ""),
    ],
)  # fmt: skip
def test_a_misspelt_option_is_answered_with_the_one_that_was_meant(bare: Shell, given: str, meant: str) -> None:
    ended = bare("git-land", given)
    assert ended.err.splitlines() == [
        f"unrecognized arguments: {given}", f"hint: {meant}see 'git land -h'",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "hints"),
    [("--verson", ["hint: did you mean --version?"]), ("--hlep", ["hint: did you mean --help?"]), ("--json", [])],
)
def test_a_misspelt_option_without_a_command_too(bare: Shell, given: str, hints: list[str]) -> None:
    said = bare("homelab", given).err.splitlines()
    assert said[said.index(f"unknown option {given}; no command given") + 1 :] == hints


@pytest.mark.parametrize("command", [WRONG[0], WRONG[3], WRONG[12]], ids=" ".join)
def test_a_usage_error_has_a_json_result(shell: Shell, command: list[str]) -> None:
    for given in ([*command, "--output=json"], [*command, "--output", "json"]):
        (found,) = objects(shell(*given).lines)
        assert (found["verdict"], found["exit"]) == ("usage", 2)
        assert found["reason"]
    (found,) = objects(shell(*command, HOMELAB_OUTPUT="json").lines)
    assert found["exit"] == 2


def test_an_output_from_gits_settings_holds_for_a_later_error(shell: Shell, clone: Clone) -> None:
    clone.git("config", "homelab.output", "json")
    (found,) = objects(shell("homelab-watch", "no-such-branch").lines)
    assert found["verdict"] == "usage"


def test_a_malformed_setting_names_itself_and_its_source(shell: Shell, clone: Clone) -> None:
    clone.git("config", "homelab.timeout", "soon")
    ended = shell("homelab-watch")
    assert ended.code == 2
    assert "invalid value 'soon' for homelab.timeout (git config, local)" in ended.err


@pytest.mark.parametrize(
    ("tracked", "shown"),
    [('timeout = "5parsecs"', "5parsecs"), ("timeout = [1.5]", "[1.5]")],
)
def test_config_shows_what_is_malformed_with_its_source(shell: Shell, clone: Clone, tracked: str, shown: str) -> None:
    clone.write(".homelab.toml", f"{tracked}\n")
    ended = shell("homelab", "config")
    assert re.search(rf"^timeout +{re.escape(shown)} +\.homelab\.toml: malformed$", ended.err, re.MULTILINE)
    clone.git("config", "homelab.timeout", "5minutes")
    ended = shell("homelab", "config", "--server", "http://ci.example.test")
    assert ended.code == 2
    assert re.search(r"^timeout +5minutes +git config homelab\.timeout \(local\): malformed$", ended.err, re.MULTILINE)
    assert re.search(r"^server +http://ci\.example\.test +option --server: refused$", ended.err, re.MULTILINE)


def test_a_forbidden_key_of_the_tracked_file_is_warned_about(
    shell: Shell, clone: Clone, woodpecker: WoodpeckerSimulator
) -> None:
    clone.write(".homelab.toml", 'server = "https://evil.example.test"\n')
    ended = shell("homelab-watch", "--appear-timeout", "0")
    assert ended.code == 3
    assert (
        "warning: ignoring `server` in .homelab.toml: it can only be set in git config, the environment, or an option"
        in ended.err
    )
    assert woodpecker.count() > 0


HELP = [
    ["homelab", "doctor"],
    ["homelab", "ci", "logs"],
    ["homelab", "hooks", "install"],
    ["homelab-watch"],
    ["git-land"],
]
"""of each kind one; the next test has the others"""


@pytest.mark.parametrize("command", HELP, ids=" ".join)
def test_help_needs_no_repository_network_or_settings(bare: Shell, seal: dict[str, str], command: list[str]) -> None:
    """Not even a git configuration that can be read is needed."""
    Path(seal["GIT_CONFIG_GLOBAL"]).write_text("[broken\n")
    for word in ("-h", "--help"):
        ended = bare(*command, word, HOMELAB_TIMEOUT="soon", WOODPECKER_SERVER="nonsense")
        assert (ended.code, ended.err) == (0, "")
        assert ended.out.startswith("usage: ")


@pytest.mark.parametrize("verb", COMMANDS, ids=lambda verb: "-".join(verb.words))
def test_help_lists_the_exit_codes_of_the_command(verb: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("homelab", (), [*verb.words, "-h"], int) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: ")
    table = shown.partition("\nexit codes:\n")[2]
    listed = [int(code) for code in re.findall(r"^  (\d+) +[a-z-]+: ", table, re.MULTILINE)]
    assert listed == [int(code) for code in list_exit_codes(verb.words)]
    assert {0, 2, 130} <= set(listed)


def test_help_works_in_a_directory_that_is_gone(bare: Shell, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    program = PROGRAMS / "homelab-watch"
    done = ProcessRunner(bare.environ).run(["sh", "-c", f'rmdir "{gone}"; exec "{program}" -h'], cwd=gone)
    assert (done.code, done.out[:7]) == (0, "usage: ")
    gone.mkdir()
    done = ProcessRunner(bare.environ).run(["sh", "-c", f'rmdir "{gone}"; exec "{program}"'], cwd=gone)
    assert (done.code, "Traceback" in done.err) == (2, False)
    assert done.out.startswith("homelab: usage exit=2")


def test_the_overview_names_every_verb(bare: Shell) -> None:
    for word in ("-h", "--help", "help"):
        ended = bare("homelab", word)
        assert (ended.code, ended.err) == (0, "")
        for verb in COMMANDS:
            assert (" ".join(verb.words) in ended.out) is not verb.hidden


def test_a_group_of_verbs_has_help_too(bare: Shell) -> None:
    ended = bare("homelab", "ci", "-h")
    assert ended.code == 0
    assert "usage: homelab ci [-h] COMMAND ..." in ended.out
    assert re.search(r"^  watch +wait for the CI result", ended.out, re.MULTILINE)
    assert "deploy" not in ended.out
    assert ended.out.endswith("Use 'homelab ci COMMAND -h' for more about a command.\n")


def test_help_explains_the_format_of_durations_and_breaks_no_word(bare: Shell) -> None:
    for columns in ("40", "80"):
        bare.more.update(COLUMNS=columns)
        shown = bare("homelab-watch", "-h").out
        assert "90s (seconds), 2m, or 1h30m" in " ".join(shown.split())
        assert not re.search(r"\w-$", shown, re.MULTILINE), "a word that is cut at a hyphen cannot be copied"


@pytest.mark.parametrize("words", ["--version", "-h", "ci watch -h"])
def test_a_reader_that_does_not_read_help_to_its_end_sees_no_traceback(bare: Shell, words: str) -> None:
    done = ProcessRunner(bare.environ).run(["sh", "-c", f'"{PROGRAMS}/homelab" {words} | true'], cwd=bare.directory)
    assert done.err == ""


@pytest.mark.parametrize("command", ["homelab", "homelab-watch", "git-land"])
def test_the_version_is_reported(bare: Shell, command: str) -> None:
    ended = bare(command, "--version")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"{command.replace('git-', 'git ')} {__version__}\n"


def imported(shell: Shell, call: str, **environ: str) -> set[str]:
    """The first names of all modules that a call imports."""
    done = ProcessRunner({**shell.environ, **shell.more, **environ}).run(
        [sys.executable, "-X", "importtime", "-c", f"import sys; from homelab_hooks import cli; sys.exit(cli.{call})"],
        cwd=shell.directory,
    )
    names = re.findall(r"^import time:.*\|\s+([\w.]+)$", done.err, re.MULTILINE)
    assert "homelab_hooks.cli" in names
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize(
    "call",
    ["homelab(['--version'])", "homelab(['--help'])", "homelab_watch(['--version'])", "homelab_watch(['--help'])",
     "git_land(['--version'])", "git_land(['--help'])", "homelab(['ci', 'status', '-h'])"],
)  # fmt: skip
def test_nothing_heavy_is_imported_for_help_and_version(bare: Shell, call: str) -> None:
    assert imported(bare, call) & HEAVY == set()


def test_hvac_is_not_imported_where_the_environment_has_a_token(shell: Shell) -> None:
    """Though a Vault is known; nor is git's Python library, for a watch."""
    down = f"http://127.0.0.1:{find_free_port()}"
    names = imported(shell, "homelab_watch(['--unreachable-timeout', '0'])", VAULT_ADDR=down, WOODPECKER_SERVER=down)
    assert "httpcore" in names
    assert names & {"hvac", "requests", "git", "rich", "asyncio", "httpx"} == set()


AT_FIRST_REQUEST = """
import os, sys
from homelab_hooks import cli

def stop(event, _):
    if event == "socket.connect":
        os.write(1, "\\n".join(sys.modules).encode())
        os._exit(0)

sys.addaudithook(stop)
cli.homelab_watch(["--unreachable-timeout", "0"])
"""


def test_what_judges_a_response_is_imported_after_the_first_request(shell: Shell) -> None:
    """As are the reports and git's messages: the time to the first request is measured by `make bench`."""
    down = f"http://127.0.0.1:{find_free_port()}"
    processes = ProcessRunner({**shell.environ, **shell.more, "WOODPECKER_SERVER": down})
    done = processes.run([sys.executable, "-c", AT_FIRST_REQUEST], cwd=shell.directory)
    names = set(done.out.splitlines())
    assert "homelab_hooks.watch.poller" in names
    later = {"watch.machine", "watch.failure_report", "watch.no_pipeline", "git.transport_error"}
    assert names & {f"homelab_hooks.{name}" for name in later} == set()


def test_config_shows_every_setting_with_its_source_and_no_secret(shell: Shell, clone: Clone) -> None:
    clone.git("config", "homelab.ciDial", "127.0.0.1:8443")
    clone.write(".homelab.toml", 'repo = "acme/app"\ndeploy = ["web/shop", "web/sts/db"]\n')
    shell.more |= {"VAULT_TOKEN": "hvs.s3cret", "WP_TOKEN": "wp-s3cret", "GITEA_TOKEN": "gitea-s3cret"}
    plain = shell("homelab", "config", "--timeout", "5m")
    found = objects(shell("homelab", "config", "--timeout", "5m", "--output", "json").lines)
    rows = {row["setting"]: (row["value"], row["source"]) for row in found if row["event"] == "setting"}
    assert set(rows) == {setting.name.replace("_", "-") for setting in SETTINGS} | {"token", "forge-token"}
    assert rows["timeout"] == ("5m", "option --timeout")
    assert rows["dial"] == ("127.0.0.1:8443", "git config homelab.ciDial (local)")
    assert rows["deploy"] == ("web/shop web/sts/db", ".homelab.toml")
    assert rows["server"] == (shell.more["WOODPECKER_SERVER"], "environment WOODPECKER_SERVER")
    assert rows["settle"] == ("5s", "default")
    assert rows["token"][1] == "environment WOODPECKER_TOKEN"
    assert rows["forge-token"] == ("(set)", "environment GITEA_TOKEN")
    assert plain.code == 0
    for name, (value, source) in rows.items():
        assert name == "output" or re.search(
            rf"^{name} +{re.escape(value)} +{re.escape(source)}$", plain.out, re.MULTILINE
        )
    for secret in ("alice-token", "s3cret"):
        assert secret not in plain.out + plain.err + json.dumps(found)


def test_config_says_where_a_token_would_be_looked_for(shell: Shell) -> None:
    ended = shell("homelab", "config", WOODPECKER_TOKEN="", WP_TOKEN="wp-s3cret")
    assert re.search(r"^token +\(set\) +environment WP_TOKEN$", ended.out, re.MULTILINE)
    ended = shell("homelab", "config", WOODPECKER_TOKEN="")
    assert re.search(r"^token +\(not set\) +git's credential helpers$", ended.out, re.MULTILINE)


def test_config_works_without_any_setting_and_outside_a_repository(bare: Shell) -> None:
    ended = bare("homelab", "config")
    assert ended.code == 0
    assert re.search(r"^server +\(woodpecker-cli's current context\) +default$", ended.out, re.MULTILINE)


def test_a_broken_git_configuration_is_a_usage_error(shell: Shell, clone: Clone) -> None:
    (clone.path / ".git" / "config").write_text("[broken\n")
    ended = shell("homelab", "config")
    assert ended.code == 2
    assert "git's configuration cannot be read" in ended.err


def test_the_manifest_lists_every_verb_with_its_tier(bare: Shell) -> None:
    found = json.loads(bare("homelab", "manifest", "--json").out)
    rows = {row["verb"]: row["tier"] for row in found["verbs"]}
    assert rows == {" ".join(verb.words): verb.tier for verb in COMMANDS}
    assert set(rows.values()) == {"read", "write"}
    assert "deploy wait" in bare("homelab", "manifest").out
    assert json.loads(bare("homelab", "manifest", "--schema").out) == SCHEMA


def test_of_the_settings_the_manifest_needs_only_the_output(shell: Shell, clone: Clone) -> None:
    clone.git("config", "homelab.timeout", "bogus")
    for options in ([], ["--json"], ["--schema"], ["--output", "json"]):
        assert shell("homelab", "manifest", *options).code == 0
    wrong = shell("homelab", "manifest", "--output", "bogus")
    assert wrong.code == 2
    assert "invalid value 'bogus' for --output" in wrong.err


@pytest.mark.parametrize("variable", [True, False], ids=["variable", "option"])
def test_every_answer_is_events_and_one_result_in_json(shell: Shell, *, variable: bool) -> None:
    """Also of the commands that print no result line in plain mode, and by the variable, which holds for all."""
    given = [] if variable else ["--output", "json"]
    shell.more |= {"HOMELAB_OUTPUT": "json"} if variable else {}
    for command, kind, code in (
        ("homelab manifest", "verb", 0),
        ("homelab config", "setting", 0),
        ("homelab config --timeout 5x", "setting", 2),
        ("homelab hooks status", "log", 0),
        ("homelab demo --list", "answer", 0),
        ("homelab follow --list", "result", 0),
        ("homelab ci status --list", "result", 2),
        ("homelab nonsense", "result", 2),
    ):
        ended = shell(*command.split(), *given)
        found = objects(ended.lines)
        assert (ended.code, found[-1]["exit"]) == (code, code), ended
        assert kind in {one["event"] for one in found}, ended


def test_a_worktree_is_created_and_removed_in_json(shell: Shell, ann: Clone) -> None:
    made = objects(shell("homelab", "work", "start", "topic", at=ann.path, HOMELAB_OUTPUT="json").lines)
    assert [(one["event"], one.get("text", "")) for one in made] == [
        ("log", "fetching origin/main"), ("answer", str(ann.path / ".worktrees" / "topic")), ("result", ""),
    ]  # fmt: skip
    removed = objects(shell("homelab", "work", "clean", "topic", "--output", "json", at=ann.path).lines)
    assert (removed[-1]["verdict"], removed[-1]["exit"]) == ("ok", 0)


@pytest.mark.parametrize("wrong", [["--dryrun"], ["--timeout", "5x"], ["--repo", "foo"], ["--remote", "nosuch"]])
def test_a_usage_error_of_git_land_says_that_nothing_landed(shell: Shell, wrong: list[str]) -> None:
    ended = shell("git-land", *wrong)
    assert (ended.code, ended.result["landed"]) == (2, "no")
    told = objects(shell("git-land", "--output", "json", *wrong).lines)[-1]
    assert (told["exit"], told["landed"]) == (2, False)
