"""Verbs on real repositories, the same whichever way git is started."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from homelab_hooks.ci.woodpecker.traits import WOODPECKER
from homelab_hooks.errors import CommandError
from homelab_hooks.git.containment import Containment
from homelab_hooks.git.gitpython import GitPythonRunner
from homelab_hooks.git.history import REFETCH_AFTER_S, Commit, GitContainment
from homelab_hooks.git.push_result import PushStatus
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.git.remotes import choose_remote, find_push_settings
from homelab_hooks.git.repository import Repository
from homelab_hooks.git.runner import PLAIN_CALL, DirectRunner, GitCall
from homelab_hooks.polling.outcome import Found, NotFound, Unavailable
from homelab_hooks.simulators.git_http import GitFault, GitServer, GitService, PushedRef
from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.system.completed import Completed
from tests.support.clock import FakeClock

pytestmark = pytest.mark.slow  # many processes of git each; together they would keep `make check` waiting

Opened = Callable[[Path], Repository]


def test_configuration_says_each_value_and_its_scope_outside_a_repository_too(opened: Opened, tmp_path: Path) -> None:
    entries = opened(tmp_path).location.config_entries()
    assert ("global", "user.name", "Ann Example") in [(e.scope, e.key, e.value) for e in entries]


def test_configuration_keeps_newlines_many_values_and_bare_keys(workshop: ScratchRepositories, opened: Opened) -> None:
    clone = workshop.clone("ann")
    clone.git("config", "homelab.verify", "make test\nmake lint")
    clone.git("config", "--add", "homelab.deploy", "a/b")
    clone.git("config", "--add", "homelab.deploy", "c/d")
    clone.write(".git/config", (clone.path / ".git/config").read_text() + "[homelab]\n\tflag\n")
    ours = [(e.key, e.value) for e in opened(clone.path).location.config_entries() if e.key.startswith("homelab.")]
    deploys = [("homelab.deploy", "a/b"), ("homelab.deploy", "c/d")]
    assert ours == [("homelab.verify", "make test\nmake lint"), *deploys, ("homelab.flag", "true")]


def test_a_broken_configuration_is_a_problem_not_a_traceback(workshop: ScratchRepositories, opened: Opened) -> None:
    clone = workshop.clone("ann")
    clone.write(".git/config", "[broken\n")
    with pytest.raises(CommandError, match="configuration"):
        opened(clone.path).location.config_entries()


def test_a_broken_variable_is_the_cause_and_not_a_file(
    workshop: ScratchRepositories, seal: dict[str, str], opened: Opened
) -> None:
    seal["GIT_CONFIG_PARAMETERS"] = "bogus"
    with pytest.raises(CommandError) as raised:
        opened(workshop.folder).location.config_entries()
    assert raised.value.hint == "correct or unset GIT_CONFIG_COUNT and GIT_CONFIG_PARAMETERS in the environment"


def test_places_are_found_from_a_folder_below_and_from_a_linked_work_tree(
    workshop: ScratchRepositories, either: Opened
) -> None:
    clone = workshop.clone("ann")
    clone.write("deep/er/x", "")
    clone.git("worktree", "add", "--quiet", "-b", "other", "../linked")
    linked = clone.path.parent / "linked"
    assert either(clone.path / "deep" / "er").location.top_level() == clone.path
    assert either(linked).location.top_level() == linked
    assert either(linked).location.common_dir() == clone.path / ".git"
    assert either(linked).location.git_dir() == clone.path / ".git" / "worktrees" / "linked"
    assert either(linked).worktrees.main_worktree() == clone.path


def test_outside_a_repository_there_are_no_places(opened: Opened, tmp_path: Path) -> None:
    git = opened(tmp_path)
    assert (git.location.top_level(), git.location.git_dir(), git.location.common_dir()) == (None, None, None)


def test_a_name_resolves_to_a_full_commit_and_says_when_it_is_a_tag(
    workshop: ScratchRepositories, either: Opened
) -> None:
    clone = workshop.clone("ann")
    clone.git("tag", "-a", "-m", "one", "v1")
    git = either(clone.path)
    for name, tag in [("HEAD", ""), ("main", ""), (clone.head[:9], ""), ("v1", "refs/tags/v1")]:
        found = git.history.resolve(name)
        assert found is not None
        assert (found.sha, found.tag) == (clone.head, tag)


def test_a_tag_precedes_a_branch_of_the_same_name(workshop: ScratchRepositories, either: Opened) -> None:
    """As `git rev-parse` has it; `--symbolic-full-name` prints nothing for such a name."""
    clone = workshop.clone("ann")
    clone.git("tag", "-a", "-m", "one", "both")
    tagged = clone.head
    clone.git("branch", "both", clone.commit("more"))
    git = either(clone.path)
    found = git.history.resolve("both")
    assert found is not None
    assert (found.sha, found.tag) == (tagged, "refs/tags/both")
    branch = git.history.resolve("heads/both")
    assert branch is not None
    assert (branch.sha, branch.tag) == (clone.head, "")


def test_the_objects_of_an_annotated_tag_are_known_and_a_lightweight_tag_has_none(
    workshop: ScratchRepositories, either: Opened
) -> None:
    clone = workshop.clone("ann")
    clone.git("tag", "light")
    clone.git("tag", "-a", "-m", "one", "inner")
    clone.git("-c", "advice.nestedTag=false", "tag", "-a", "-m", "two", "outer", "inner")
    inner, outer = clone.sha("refs/tags/inner"), clone.sha("refs/tags/outer")
    history = either(clone.path).history
    assert history.resolve("light") == Commit(clone.head, "refs/tags/light")
    assert history.resolve("inner") == Commit(clone.head, "refs/tags/inner", (inner,))
    assert history.resolve("outer") == Commit(clone.head, "refs/tags/outer", (outer, inner))
    assert history.resolve(outer) == Commit(clone.head, "", (outer, inner))
    assert history.resolve("inner^{}") == history.resolve("inner~0") == Commit(clone.head)
    assert set(history.annotated_tags_at(clone.head)) == {inner, outer}
    clone.git("tag", "-f", "-a", "-m", "moved", "inner", clone.commit("more"))
    moved = history.resolve("inner")
    assert moved == Commit(clone.head, "refs/tags/inner", (clone.sha("refs/tags/inner"),))


REVISIONS = (
    "@", ":/begin", ":/^add", ":/!-add", "HEAD^{/begin}", "@{u}", "main@{u}", "@{upstream}", "@{push}", "main@{1}",
    "HEAD@{1}", "@{1}", "@{-1}", "v1^{}", "v1^0", "v1~0", "v1^{commit}", "v1^{/begin}", "HEAD^", "HEAD~1", "HEAD~",
    "HEAD^{commit}", "HEAD@{now}", "tags/v1", "refs/tags/v1", "heads/main", "origin", "origin/main",
    "remotes/origin/main",
    "v1-0-g{sha}", "{sha}", "{SHA}", "main^{tree}^{commit}", "{tree}", "HEAD:README", ":README", ":0:README",
    ":/nothing like it", "HEAD^{/nothing}", "HEAD^@", "HEAD^!", "HEAD^-", "main..v1", "v1...main", "..", "HEAD..",
    "^HEAD", "-x", "--all", "--not", "-", "--", ":/[", "main@{99}", "v1@{u}", "HEAD~99", "@{-9}", "*", "a b", " ", "\n",
    "HEAD\n", "\udcff", "{blob}",
)  # fmt: skip


@pytest.mark.parametrize("name", REVISIONS)
def test_each_revision_means_the_commit_that_git_says_or_nothing(
    workshop: ScratchRepositories, opened: Opened, name: str
) -> None:
    """Git decides: a name that `rev-parse` gives exactly one object for, which is or leads to a commit."""
    clone = workshop.clone("ann")
    clone.git("tag", "-a", "-m", "one", "v1")
    clone.git("switch", "--quiet", "-c", "side")
    clone.git("switch", "--quiet", "main")
    clone.commit("more")
    names = {
        "sha": clone.head,
        "SHA": clone.head.upper(),
        "tree": clone.sha("HEAD^{tree}"),
        "blob": clone.sha("HEAD:README"),
    }
    for key, value in names.items():
        name = name.replace(f"{{{key}}}", value)
    one = clone.sha(name) if "\udcff" not in name and not re.search(r"\^[@!-]$", name) else ""
    expected = clone.sha(f"{one}^{{commit}}") if re.fullmatch(r"[0-9a-f]{40}", one) else ""
    if name.startswith("-"):
        expected = ""
    found = opened(clone.path).history.resolve(name)
    assert (found.sha if found else "") == expected


@pytest.mark.parametrize("name", ["nothing", "--all", "-h", "", "HEAD..main", "deadbeef", "^HEAD", "a\0b"])
def test_what_is_not_a_commit_resolves_to_nothing(workshop: ScratchRepositories, opened: Opened, name: str) -> None:
    assert opened(workshop.clone("ann").path).history.resolve(name) is None


@pytest.mark.parametrize("digits", [40, 64])
def test_a_full_sha_is_taken_outside_a_repository(opened: Opened, tmp_path: Path, digits: int) -> None:
    found = opened(tmp_path).history.resolve("A" * digits)
    assert found is not None
    assert found.sha == "a" * digits


def test_defect_39_the_push_url_follows_insteadof_pushinsteadof_and_pushurl(
    workshop: ScratchRepositories, either: Opened
) -> None:
    """Defect 39: OWNER/NAME came from the URL to fetch from."""
    clone = workshop.clone("ann")
    git = either(clone.path)
    clone.git("config", "url.https://fetch.example.test/.insteadOf", "gh:")
    clone.git("remote", "add", "gh", "gh:owner/repo.git")
    assert git.remotes.push_urls("gh") == ("https://fetch.example.test/owner/repo.git",)
    clone.git("config", "url.ssh://git@push.example.test/.pushInsteadOf", "gh:")
    assert git.remotes.push_urls("gh") == ("ssh://git@push.example.test/owner/repo.git",)
    assert git.remotes.fetch_url("gh") == "https://fetch.example.test/owner/repo.git"
    clone.git("remote", "set-url", "--add", "--push", "gh", "https://one.example.test/o/r")
    clone.git("remote", "set-url", "--add", "--push", "gh", "https://two.example.test/o/r")
    assert git.remotes.push_urls("gh") == ("https://one.example.test/o/r", "https://two.example.test/o/r")
    assert git.remotes.push_urls("https://h/o/r") == ("https://h/o/r",)


def test_defect_10_push_remote_and_push_default_are_respected(workshop: ScratchRepositories, opened: Opened) -> None:
    """Defect 10: the remote that git itself would push to was not considered."""
    clone = workshop.clone("ann", branch="topic")
    for name in ("forgejo", "backup", "mirror"):
        clone.git("remote", "add", name, str(workshop.bare_path))
    clone.git("config", "remote.pushDefault", "mirror")
    clone.git("config", "branch.topic.pushRemote", "backup")

    def meant() -> str:
        git = opened(clone.path)  # a command reads the settings once
        settings = find_push_settings(git.location.config_entries())
        own = settings.by_branch.get(git.history.current_branch(), "")
        return choose_remote(git.remotes.remote_names(), push_remote=own, push_default=settings.default).name

    assert meant() == "backup"
    clone.git("config", "--unset", "branch.topic.pushRemote")
    assert meant() == "mirror"
    clone.git("config", "--unset", "remote.pushDefault")
    assert meant() == "forgejo"


def test_the_default_branch_is_what_the_remote_says_also_where_nothing_is_recorded(
    workshop: ScratchRepositories, either: Opened
) -> None:
    clone = workshop.clone("ann")
    git = either(clone.path)
    assert git.remotes.head_branch("origin") == Found("main")
    clone.git("push", "--quiet", "origin", "HEAD:refs/heads/trunk")
    workshop.origin.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    clone.git("remote", "set-head", "origin", "--delete")
    assert git.remotes.head_branch("origin") == Found("trunk")


def test_a_remote_that_names_no_branch_is_distinguished_from_one_that_does_not_answer(
    workshop: ScratchRepositories, either: Opened, tmp_path: Path
) -> None:
    clone = workshop.clone("ann")
    clone.git("remote", "set-head", "origin", "--delete")
    workshop.origin.git("symbolic-ref", "HEAD", "refs/heads/nowhere")
    clone.git("remote", "add", "gone", str(tmp_path / "gone.git"))
    git = either(clone.path)
    assert isinstance(git.remotes.head_branch("origin"), NotFound)
    silent = git.remotes.head_branch("gone")
    assert isinstance(silent, Unavailable)
    assert "does not appear to be a git repository" in silent.reason


def test_a_tip_is_seen_absent_or_missed(workshop: ScratchRepositories, either: Opened, tmp_path: Path) -> None:
    clone = workshop.clone("ann")
    git = either(clone.path)
    assert git.remotes.ls_remote_branch(str(workshop.bare_path), "main") == Found(clone.head)
    assert isinstance(git.remotes.ls_remote_branch(str(workshop.bare_path), "ain"), NotFound)
    assert isinstance(git.remotes.ls_remote_branch(str(tmp_path / "nowhere"), "main"), Unavailable)


def test_containment_fetches_an_unknown_commit_once_and_moves_no_ref(
    workshop: ScratchRepositories, opened: Opened
) -> None:
    ann, bob = workshop.clone("ann"), workshop.clone("bob")
    ours, before = ann.head, ann.git("for-each-ref")
    newer = bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    contains = GitContainment(opened(ann.path).history, now=FakeClock().now, remote="origin", branch="main")
    assert contains(newer=newer, ours=ours) is Containment.CONTAINS
    assert contains(newer=newer[:10], ours=ours) is Containment.CONTAINS
    assert contains(newer=ours, ours=newer) is Containment.NOT_CONTAINED
    assert ann.git("for-each-ref") == before
    assert not (ann.path / ".git" / "FETCH_HEAD").exists()


def test_an_abbreviated_newer_commit_is_found_through_its_branch(workshop: ScratchRepositories, opened: Opened) -> None:
    ann, bob = workshop.clone("ann"), workshop.clone("bob")
    before, newer = ann.git("for-each-ref"), bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    assert GitContainment(opened(ann.path).history, now=FakeClock().now, remote="origin", branch="main")(
        newer=newer[:8], ours=ann.head
    ) is (Containment.CONTAINS)
    assert ann.git("for-each-ref") == before


@pytest.mark.parametrize("kind", ["branch", "tag"])
def test_the_name_of_a_ref_is_not_an_abbreviated_commit(
    workshop: ScratchRepositories, opened: Opened, kind: str
) -> None:
    """An image's tag `20241124` is a date, or an older state of the branch of that name: its tip proves nothing."""
    ann = workshop.clone("ann")
    ann.git(kind, "20241124")
    contains = GitContainment(opened(ann.path).history, now=FakeClock().now, remote="origin", branch="main")
    assert contains(newer="20241124", ours=ann.head) is Containment.ABSENT


def test_a_commit_that_the_remotes_branch_does_not_have_is_absent(
    workshop: ScratchRepositories, opened: Opened, tmp_path: Path
) -> None:
    ann = workshop.clone("ann")
    missing = "0123456789" * 4

    def compare(**source: str) -> Containment:
        contains = GitContainment(opened(ann.path).history, now=FakeClock().now, **source)
        return contains(newer=missing, ours=ann.head)

    assert compare(remote="origin", branch="main") is Containment.ABSENT
    assert compare(remote="origin") is Containment.ABSENT
    ann.git("remote", "add", "away", str(tmp_path / "away"))
    assert compare(remote="away", branch="main") is Containment.UNKNOWN
    assert compare() is Containment.UNKNOWN
    assert (
        GitContainment(opened(tmp_path).history, now=FakeClock().now)(newer=missing, ours=missing)
        is Containment.UNKNOWN
    )


def test_a_fetch_that_failed_is_made_again_after_a_pause(workshop: ScratchRepositories, opened: Opened) -> None:
    clock = FakeClock()
    ann, bob = workshop.clone("ann"), workshop.clone("bob")
    newer = bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    contains = GitContainment(opened(ann.path).history, now=clock.now, remote="origin")
    away = workshop.bare_path.rename(workshop.folder / "away")
    assert contains(newer=newer, ours=ann.head) is Containment.UNKNOWN
    away.rename(workshop.bare_path)
    assert contains(newer=newer, ours=ann.head) is Containment.UNKNOWN
    clock.sleep(REFETCH_AFTER_S)
    assert contains(newer=newer, ours=ann.head) is Containment.CONTAINS


def test_what_is_checked_out_is_a_branch_a_commit_both_or_neither(
    workshop: ScratchRepositories, opened: Opened
) -> None:
    clone = workshop.clone("work")
    history = opened(clone.path).history
    assert history.checked_out() == ("main", clone.head)
    clone.git("switch", "--quiet", "-c", "a/b-c")
    assert history.checked_out() == ("a/b-c", clone.head)
    clone.git("switch", "--quiet", "--detach")
    assert history.checked_out() == ("", clone.head)
    clone.git("symbolic-ref", "HEAD", "refs/elsewhere/x")
    assert history.checked_out() == ("", "")
    clone.git("symbolic-ref", "HEAD", "refs/heads/unborn")
    assert history.checked_out() == ("unborn", "")


def test_where_a_commit_is_missing_git_compares_nothing(workshop: ScratchRepositories, opened: Opened) -> None:
    ann = workshop.clone("ann")
    history = opened(ann.path).history
    missing = "0123456789" * 4
    assert {history.compare(older=missing, newer=ann.head), history.compare(older=ann.head, newer=missing)} == {
        Containment.UNKNOWN
    }


def test_where_history_ends_early_not_containing_is_unknown(workshop: ScratchRepositories, opened: Opened) -> None:
    ann = workshop.clone("ann")
    first = ann.head
    second = ann.commit("a")
    ann.git("push", "--quiet", "origin", "main")
    workshop.clone("shallow", at=f"file://{workshop.bare_path}")
    shallow = workshop.folder / "half"
    ann.git("clone", "--quiet", "--depth=1", f"file://{workshop.bare_path}", str(shallow))
    assert GitContainment(opened(shallow).history, now=FakeClock().now)(newer=second, ours=first) is Containment.UNKNOWN


@pytest.mark.parametrize("place", [".woodpecker/build.yaml", ".woodpecker.yaml", ".woodpecker.yml"])
def test_a_ci_configuration_is_found_at_the_commit_from_any_folder(
    workshop: ScratchRepositories, opened: Opened, place: str
) -> None:
    ann = workshop.clone("ann")
    before = ann.head
    with_it = ann.commit(place)
    ann.commit("sub/x")
    git = opened(ann.path / "sub")
    assert git.history.has_ci_configuration(before, WOODPECKER.config_paths) is False
    assert git.history.has_ci_configuration(with_it, WOODPECKER.config_paths) is True
    assert git.history.has_ci_configuration("0" * 40, WOODPECKER.config_paths) is None


def test_the_message_and_the_branches_at_a_commit_are_read(workshop: ScratchRepositories, opened: Opened) -> None:
    ann = workshop.clone("ann")
    ann.commit("a", message="one\n\n[CI SKIP] body")
    git = opened(ann.path)
    assert git.history.commit_message("HEAD") == "one\n\n[CI SKIP] body\n"
    assert git.remotes.tracking_branches_at("origin", git.remotes.tracking_commit("origin", "main")) == ("main",)
    assert git.remotes.tracking_branches_at("origin", ann.head) == ()


def test_changes_are_tracked_files_only_and_names_survive(workshop: ScratchRepositories, either: Opened) -> None:
    ann = workshop.clone("ann")
    name = 'a b\nc"-é'
    ann.commit(name)
    ann.write("untracked", "x")
    git = either(ann.path)
    assert git.worktree.uncommitted_changes() == ()
    ann.write(name, "changed")
    assert git.worktree.uncommitted_changes() == (f" M {name}",)


def test_a_branch_name_is_judged_by_git(workshop: ScratchRepositories, opened: Opened) -> None:
    git = opened(workshop.clone("ann").path)
    assert git.location.is_valid_branch("a/b-c")
    assert not any(git.location.is_valid_branch(name) for name in ["-x", "a..b", "a b", "x.lock", "", "@{1}"])


def test_an_inherited_git_dir_of_a_hook_does_not_mislead(workshop: ScratchRepositories, seal: dict[str, str]) -> None:
    ann, bob = workshop.clone("ann"), workshop.clone("bob")
    misled = {**seal, "GIT_DIR": str(bob.path / ".git"), "GIT_INDEX_FILE": "/nowhere", "GIT_PREFIX": "x/"}
    assert Repository(DirectRunner(misled, ann.path)).location.git_dir() == ann.path / ".git"
    through = GitPythonRunner(misled, ann.path, inherited={**os.environ, **misled}, interactive=True)
    assert Repository(through).location.git_dir() == ann.path / ".git"


def test_a_git_dir_with_its_work_tree_is_the_users_own_word(
    workshop: ScratchRepositories, seal: dict[str, str]
) -> None:
    ann, bob = workshop.clone("ann"), workshop.clone("bob")
    meant = {**seal, "GIT_DIR": str(bob.path / ".git"), "GIT_WORK_TREE": str(bob.path)}
    assert Repository(DirectRunner(meant, ann.path)).location.top_level() == bob.path


def test_a_missing_git_is_a_problem(tmp_path: Path, seal: dict[str, str]) -> None:
    with pytest.raises(CommandError, match="git cannot be started"):
        Repository(DirectRunner({**seal, "PATH": str(tmp_path)}, tmp_path)).location.top_level()


def test_names_of_three_megabytes_do_not_make_a_command_too_long(workshop: ScratchRepositories, opened: Opened) -> None:
    """A command may have two (execve(2))."""
    ann = workshop.clone("ann")
    names = [f"{'folder-with-a-long-name-' * 10}/{'n' * 240}-{number:04}" for number in range(6300)]
    assert sum(map(len, names)) > 3_000_000
    (ann.path / names[0]).parent.mkdir(parents=True)
    for name in names:
        (ann.path / name).write_text("text")
    ann.git("add", ".")
    ann.git("commit", "--quiet", "-m", "many")
    git = opened(ann.path)
    assert git.worktree.modified_since_tree("HEAD", names) == ()
    for name in names:
        (ann.path / name).write_text("changed")
    assert git.worktree.modified_since_tree("HEAD", names) == tuple(names)
    assert git.worktree.restore(names).ok
    assert git.worktree.uncommitted_changes() == ()


class SilentGit:
    """A git that prints nothing, and records each command with its timeout."""

    ssh_batch, untrusted = False, True

    def __init__(self) -> None:
        self.asked: list[tuple[str, float | None]] = []

    def run(self, args: Sequence[str], call: GitCall = PLAIN_CALL) -> Completed:
        self.asked.append((args[0], call.timeout))
        return Completed(1)

    def at(self, directory: Path) -> SilentGit:
        raise AssertionError(directory)


def test_each_question_to_a_remote_has_an_end() -> None:
    git = SilentGit()
    reader = ReadOnlyRepository(git)
    reader.remotes.ls_remote_branch("https://git.example.test/a/b", "main")
    reader.remotes.head_branch("origin")
    reader.history.fetch_objects("origin", "main")
    ends = [timeout for verb, timeout in git.asked if verb in {"ls-remote", "fetch"}]
    assert len(ends) == 3
    assert all(ends)


def test_ssh_may_not_ask_unless_the_user_set_his_own(workshop: ScratchRepositories, seal: dict[str, str]) -> None:
    """A fake ssh on PATH records how it was called."""
    ann = workshop.clone("ann")
    ann.git("remote", "add", "far", "git@git.example.test:acme/app.git")
    log = ann.path.parent / "called"
    stand_in = workshop.write_hook("ssh", f'echo "$@" >>{log}; exit 255', where=ann.path.parent / "bin")
    quiet = {**seal, "PATH": f"{stand_in.parent}:{seal['PATH']}"}
    Repository(DirectRunner(quiet, ann.path)).remotes.ls_remote_branch("far", "main")
    assert "-oBatchMode=yes" in log.read_text()
    log.write_text("")
    ann.git("config", "core.sshCommand", f"{stand_in} --mine")
    Repository(DirectRunner(quiet, ann.path)).remotes.ls_remote_branch("far", "main")
    assert log.read_text().startswith("--mine ")
    assert "BatchMode" not in log.read_text()


def test_a_push_over_http_lands_and_the_server_hears_of_it(
    workshop: ScratchRepositories, server: GitServer, either: Opened
) -> None:
    ann = workshop.clone("ann", at=f"{server.url}/acme/app.git", branch="topic")
    old, new = ann.head, ann.commit("a")
    heard: list[PushedRef] = []
    server.plan.on_push = heard.append
    outcome = either(ann.path).transfer.push_commit(new, to="main", remote="origin")
    assert outcome.status is PushStatus.ACCEPTED
    assert workshop.server_commit() == new
    assert [(u.repository, u.ref, u.old, u.new) for u in heard] == [("acme/app", "refs/heads/main", old, new)]
    assert ann.sha("refs/remotes/origin/main") == new


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ((GitFault.UNAUTHORIZED, GitService.PUSH_REFS), PushStatus.DENIED),
        ((GitFault.FORBIDDEN, GitService.PUSH_REFS), PushStatus.DENIED),
        ((GitFault.NOT_FOUND, GitService.PUSH_REFS), PushStatus.REFUSED),
        ((GitFault.UNAVAILABLE, GitService.PUSH_REFS), PushStatus.UNREACHABLE),
        ((GitFault.TOO_MANY, GitService.PUSH_REFS), PushStatus.UNREACHABLE),
        ((GitFault.DROP, GitService.PUSH_REFS), PushStatus.UNREACHABLE),
        ((GitFault.UNAVAILABLE, GitService.PUSH), PushStatus.UNKNOWN),
        ((GitFault.TOO_MANY, GitService.PUSH), PushStatus.UNKNOWN),
        ((GitFault.TOO_LARGE, GitService.PUSH), PushStatus.REFUSED),
        ((GitFault.FORBIDDEN, GitService.PUSH), PushStatus.DENIED),
        ((GitFault.NOT_FOUND, GitService.PUSH), PushStatus.REFUSED),
        ((GitFault.DROP, GitService.PUSH), PushStatus.UNKNOWN),
        ((GitFault.LOSE_ANSWER, GitService.PUSH), PushStatus.UNKNOWN),
    ],
)
def test_a_fault_of_an_http_server_is_distinguished(
    workshop: ScratchRepositories,
    server: GitServer,
    opened: Opened,
    wrong: tuple[GitFault, GitService],
    kind: PushStatus,
) -> None:
    ann = workshop.clone("ann", at=f"{server.url}/acme/app.git", branch="topic")
    new = ann.commit("a")
    fault, service = wrong
    server.plan.faults[service] = fault
    assert opened(ann.path).transfer.push_commit(new, to="main", remote="origin").status is kind
    assert (workshop.server_commit() == new) == (fault is GitFault.LOSE_ANSWER)
