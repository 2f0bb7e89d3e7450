"""Defences against code from a hostile repository, and against changes that a landing was not asked to make."""

from __future__ import annotations

from tools.mutants.mutant import ATTACK, Change, Defence

AGREEMENT = "tests/land/test_command_trust.py"
ENVIRONMENT = "git/environment.py"
GATES = "tests/hooks/pre_push/test_gates.py"
GATE = "hooks/pre_push/target.py"
HISTORY = "git/history.py"
SAME_TREE = "tests/land/test_same_tree.py"
SIGNALS = "tests/cli/test_signals.py"
TREE = "tests/land/test_task_worktree.py"
VERBS = "git/command.py"
WORKTREE = "land/task_worktree.py"


def looking(trap: str) -> tuple[str, ...]:
    """The test that a read-only command does not run the code of this trap."""
    return (f"{ATTACK}::test_a_read_only_command_runs_nothing_of_the_repositorys[{trap}]",)


REPOSITORY = (
    Defence(
        "fsmonitor",
        "who only looks runs no core.fsmonitor",
        (Change(ENVIRONMENT, '    "core.fsmonitor": "false",\n', ""),),
        looking("every_setting"),
    ),
    Defence(
        "filters",
        "nor filters of the repository's own settings",
        (Change(ENVIRONMENT, "**_disable_filters(without), ", ""),),
        looking("every_setting"),
    ),
    Defence(
        "settings-of-submodules",
        "nor what a submodule's settings name",
        (Change("git/worktree.py", '"dirty" if self._git.untrusted else "untracked"', '"untracked"'),),
        looking("every_setting"),
    ),
    Defence(
        "upload-pack",
        "nor an upload-pack on this machine",
        (Change(VERBS, '("--upload-pack=git-upload-pack",)', "()"),),
        looking("missing_commit"),
    ),
    Defence(
        "lazy-fetch",
        "nor an implicit fetch of missing objects",
        (Change(ENVIRONMENT, '{"GIT_ALLOW_PROTOCOL": "none"} if settings is None else {}', "dict[str, str]()"),),
        looking("missing_commit"),
    ),
    Defence(
        "alternates",
        "nor core.alternateRefsCommand",
        (Change(ENVIRONMENT, '    "core.alternateRefsCommand": ":",\n', ""),),
        looking("missing_commit"),
    ),
    Defence(
        "hooks",
        "nor hooks",
        (Change(VERBS, 'told = {"core.hooksPath": os.devnull, **settings}', "told = dict(settings)"),),
        looking("by_hooks"),
    ),
    Defence(
        "ext",
        "nor a remote that is a command",
        (Change(ENVIRONMENT, '    "protocol.ext.allow": "never",\n', ""),),
        looking("by_ext"),
    ),
    Defence(
        "askpass",
        "nor core.askPass",
        (Change(ENVIRONMENT, '    "core.askPass": "",\n', ""),),
        looking("by_password"),
    ),
    Defence(
        "showsignature",
        "nor gpg.program where the repository wants signatures to be shown: by setting and by option, each would do",
        (
            Change(ENVIRONMENT, '    "log.showSignature": "false",\n', ""),
            Change(HISTORY, '"--no-show-signature", "--format=%B"', '"--format=%B"'),
        ),
        looking("by_signature"),
    ),
    Defence(
        "options-of-remotes",
        "a remote whose URL looks like an option is not an option",
        (Change("git/remotes.py", '"ls-remote", "--", url, _HEADS', '"ls-remote", url, _HEADS'),),
        looking("by_options"),
    ),
    Defence(
        "devices",
        "a tracked link to a device is not a file",
        (Change("config/files.py", "if not stat.S_ISREG(mode):", "if False:"),),
        (f"{ATTACK}::test_a_tracked_link_to_a_device_is_not_a_file",),
    ),
    Defence(
        "large-files",
        "of a file no more is read than a person would write",
        (Change("config/files.py", "file.read(max_bytes)", "file.read()"),),
        ("tests/config/test_sources.py::test_no_more_of_a_tracked_file_is_read_than_a_person_would_write",),
    ),
    Defence(
        "pipes",
        "a hook that is a link to a pipe or a device is not waited for",
        (
            Change(
                "hooks/install/discover.py",
                'read_bounded_file(path).decode("utf-8", "surrogateescape")',
                "path.read_text()",
            ),
        ),
        (f"{ATTACK}::test_a_hook_that_is_a_link_to_a_pipe_is_not_waited_for[hooks status]",),
    ),
    Defence(
        "modules-of-the-watcher",
        "a background watcher imports no module from the repository: another directory, and an option",
        (
            Change("app/background.py", '("-P", "-m",', '("-m",'),
            Change("app/background.py", 'cwd=Path("/")', "cwd=runtime.directory"),
        ),
        ("tests/hooks/background/test_pushed.py::test_the_watcher_takes_no_module_from_the_repository",),
    ),
    Defence(
        "agreement-to-land",
        "a landing runs no command of a tracked file before the user agreed",
        (Change("cli/commands/work/land.py", "command_trust.require_trusted(config, session)", "pass"),),
        (f"{ATTACK}::test_a_tracked_files_command_is_not_run_before_the_user_agreed[land]",),
    ),
    Defence(
        "agreement-in-the-gate",
        "nor does the gate before a plain push",
        (Change("cli/commands/hooks/verify.py", "command_trust.require_trusted(config, session)", "pass"),),
        (f"{ATTACK}::test_a_tracked_files_command_is_not_run_before_the_user_agreed[gate]",),
    ),
    Defence(
        "agreement-to-this-command",
        "who agreed to one command has not agreed to another",
        (Change("app/command_trust.py", "return command in self.commands()", "return bool(self.commands())"),),
        (f"{AGREEMENT}::test_only_what_was_agreed_to_is_known",),
    ),
    Defence(
        "agreement-by-a-yes",
        "who does not say yes has not agreed",
        (Change("app/command_trust.py", "if not session.ask(", "if session.ask("),),
        (f"{AGREEMENT}::test_without_a_yes_nothing_is_run[n]",),
    ),
    Defence(
        "tracked-notification",
        "a tracked file names no command that hears how a watch ended",
        (Change("config/schema.py", 'git="homelab.notify",', 'git="homelab.notify", tracked="notify",'),),
        ("tests/hooks/background/test_pushed.py::test_the_tracked_file_names_no_command_that_hears",),
    ),
    Defence(
        "branches-like-options",
        "a branch that a setting names is never an option",
        (Change("config/parsers.py", "|^[-/.]|", "|^[/.]|"),),
        ("tests/config/test_table.py::test_a_malformed_value_is_a_usage_error_that_names_setting_and_source",),
    ),
    Defence(
        "new-branches-like-options",
        "nor that of a branch that is to be made",
        (Change("git/location.py", 'not name.startswith("-") and self', "self"),),
        ("tests/git/test_repository.py::test_a_branch_name_is_judged_by_git",),
    ),
    Defence(
        "workloads-like-options",
        "a workload's name is never an option of kubectl's",
        (Change("config/parsers.py", "if not _WORKLOAD.fullmatch(text):", "if False:"),),
        ("tests/config/test_table.py::test_a_malformed_value_is_a_usage_error_that_names_setting_and_source",),
    ),
    Defence(
        "topics-that-lead-out",
        "a topic does not lead out of the folder of worktrees",
        (Change(WORKTREE, "or not git.location.is_valid_branch(branch):", "or False:"),),
        (f"{TREE}::test_defect_18_a_topic_that_git_takes_for_no_branch_is_refused[../x]",),
    ),
    Defence(
        "topics-like-options",
        "nor is it an option",
        (Change(WORKTREE, 'if not topic or topic.startswith("-") or', "if not topic or"),),
        (f"{TREE}::test_defect_18_a_topic_that_git_takes_for_no_branch_is_refused[-x]",),
    ),
    Defence(
        "owners",
        "a user whose name git takes for no branch owns none",
        (
            Change(
                WORKTREE, 'user if user and git.location.is_valid_branch(user) and "/" not in user else "user"', "user"
            ),
        ),
        (f"{TREE}::test_a_name_that_git_takes_for_no_branch_is_not_an_owner",),
    ),
    Defence(
        "gate-that-cannot-tell",
        "a gate that cannot tell whether it is the target does not open",
        (
            Change(
                GATE,
                '    raise CommandError(\n        f"could not determine',
                '    return False\n    raise CommandError(\n        f"could not determine',
            ),
        ),
        (f"{GATES}::test_a_gate_that_cannot_tell_the_target_does_not_open",),
    ),
    Defence(
        "gate-and-ancestors",
        "only a push that descends from git land's passes the gate",
        (Change(GATE, "return ours and all(", "return all("),),
        (f"{GATES}::test_another_push_of_the_same_commit_does_not_open_the_gate",),
    ),
    Defence(
        "gate-and-commits",
        "and only with the commit that git land pushes",
        (
            Change(
                GATE,
                'return ours and all(f"{update.sha}:{update.ref}" in command for update in updates)',
                "return ours",
            ),
        ),
        (f"{GATES}::test_a_note_that_a_killed_landing_left_does_not_open_the_gate",),
    ),
    Defence(
        "gate-and-what-is-checked-out",
        "the gate verifies what is pushed, or refuses it",
        (
            Change(
                "hooks/pre_push/verify.py",
                "if git.history.tree_of(update.sha) != git.history.tree_of(head):",
                "if False:",
            ),
        ),
        (f"{GATES}::test_what_is_verified_is_what_is_pushed",),
    ),
    Defence(
        "fast-forward",
        "a push is never forced",
        (Change("git/transfer.py", 'f"{sha}:{ref}",', 'f"+{sha}:{ref}",'),),
        (
            "tests/land/test_races.py::test_over_http_another_push_between_the_advertisement_and_ours_is_a_lost_race",
            "tests/land/test_races.py::test_with_a_fast_forward_only_a_lost_race_is_said_and_nothing_has_moved",
        ),
    ),
    Defence(
        "verified-again",
        "after a lost race the new tree is verified too",
        (Change("land/steps.py", "if tree == landing.state.verified_tree:", "if landing.state.verified_tree:"),),
        ("tests/land/test_land_defects.py::test_defect_1_after_a_lost_race_the_new_tree_is_verified_too",),
    ),
    Defence(
        "turns-after-a-lost-race",
        "of several who wait for a landing not all begin at once, which nearly all of them would lose",
        (
            Change(
                "land/contention.py",
                "return draw < (after.overtaken / CERTAIN_AFTER_LANDINGS) ** CHANCE_EXPONENT",
                "return draw >= 0.0",
            ),
        ),
        ("tests/land/test_contention.py::test_of_people_who_land_ten_commits_each_no_one_starves",),
    ),
    Defence(
        "verification-that-changes-files",
        "what a verification changed is not pushed unseen",
        (
            Change("land/steps.py", "        require_same_tree(landing, sha, when=DURING_VERIFICATION)\n", ""),
            Change("land/steps.py", "        require_same_tree(landing, sha, when=BEFORE_PUSH)\n", ""),
        ),
        ("tests/land/test_land_defects.py::test_defect_5_what_is_pushed_is_what_was_verified_not_what_head_became",),
    ),
    Defence(
        "tree-before-the-push",
        "what a hook changed after the merge is not pushed unverified",
        (Change("land/steps.py", "        require_same_tree(landing, sha, when=BEFORE_PUSH)\n", ""),),
        (f"{SAME_TREE}::test_an_unverified_landing_is_held_to_it_too[edits]",),
    ),
    Defence(
        "tree-before-the-verification",
        "a verification of another tree than the commit's does not count",
        (
            Change("land/steps.py", "        require_same_tree(landing, sha, when=BEFORE_VERIFICATION)\n", ""),
            Change("land/steps.py", "        require_same_tree(landing, sha, when=DURING_VERIFICATION)\n", ""),
            Change("land/steps.py", "        require_same_tree(landing, sha, when=BEFORE_PUSH)\n", ""),
        ),
        (f"{SAME_TREE}::test_a_change_after_the_merge_ends_with_22_and_names_the_file[post-merge-edits]",),
    ),
    Defence(
        "tree-after-the-fetch",
        "what was written while the target was fetched is not merged into",
        (Change("land/run.py", "    require_same_tree(landing, head, when=DURING_FETCH)\n", ""),),
        (f"{SAME_TREE}::test_a_change_while_the_target_is_fetched_is_a_refusal_and_nothing_was_done[edits]",),
    ),
    Defence(
        "hidden-changes",
        "changed files that git status does not look at are seen",
        (Change("land/tree_check.py", "hidden = git.worktree.hidden_changes()", "hidden: tuple[str, ...] = ()"),),
        (
            (
                f"{SAME_TREE}::test_a_change_after_the_merge_ends_with_22_and_names_the_file"
                "[verification-edits and marks skip-worktree]"
            ),
        ),
    ),
    Defence(
        "fetched-tip",
        "another program's fetch does not decide what is landed",
        (
            Change("git/transfer.py", ' "--no-write-fetch-head", "--refmap=",', ' "--refmap=",'),
            Change("git/transfer.py", 'f"{own}^{{commit}}"', '"FETCH_HEAD^{commit}"'),
        ),
        (
            (
                "tests/land/test_fetched_tip.py::test_a_landing_merges_what_it_fetched_and_nothing_else"
                "[another branch is fetched-merge]"
            ),
        ),
    ),
    Defence(
        "own-operation-only",
        "a merge or rebase that the user began is neither undone nor continued",
        (
            Change("land/ownership.py", "if operation.name != kind or not state.merge_began_at:", "if False:"),
            Change("land/ownership.py", "if state.operation_mark and", "if False and"),
            Change("land/ownership.py", "return found == recorded", "return True"),
        ),
        (
            "tests/land/test_own_operation.py::test_an_operation_of_the_users_own_is_named_and_left_alone[--abort-merge]",
        ),
    ),
    Defence(
        "heads-of-an-operation",
        "a merge of another commit than the landing's is the user's own",
        (
            Change("land/ownership.py", "return found == recorded", "return True"),
            Change("land/ownership.py", "if state.operation_mark and", "if False and"),
        ),
        (
            (
                "tests/land/test_own_operation.py"
                "::test_a_merge_that_the_user_begins_while_the_merge_of_the_landing_is_resolved_is_left_alone"
            ),
        ),
    ),
    Defence(
        "own-merge-commit",
        "a merge that the user committed is not taken back",
        (
            Change(
                "land/ownership.py", "    if not state.merge_began_at:\n        return False\n    merged", "    merged"
            ),
            Change("land/ownership.py", "parents[0] == state.merge_began_at and ", ""),
        ),
        ("tests/land/test_own_operation.py::test_what_the_user_merged_or_rebased_himself_is_not_taken_back[merge]",),
    ),
    Defence(
        "one-landing",
        "a second landing does not begin while one runs",
        (Change("system/file_lock.py", "fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)", "pass"),),
        ("tests/land/test_resume.py::test_a_second_landing_learns_who_holds_the_lock",),
    ),
    Defence(
        "signals-after-the-result",
        "from the moment the result is written no signal changes it or the exit status",
        (Change("app/session.py", "        ignore_signals()\n", ""),),
        (f"{SIGNALS}::test_a_signal_at_any_line_leaves_one_result_and_its_exit_status",),
    ),
    Defence(
        "signals-between-the-work-and-its-result",
        "nor does a second one come between an interruption and its result",
        (
            Change(
                "system/signals.py",
                "return _runs_in(frame, run_interruptible) and not self.ignored",
                "return not self.ignored",
            ),
        ),
        (f"{SIGNALS}::test_a_signal_at_any_line_leaves_one_result_and_its_exit_status",),
    ),
    Defence(
        "signals-at-the-end-of-the-process",
        "nor does a signal that finds Python on its way out",
        (Change("cli/__init__.py", "leave if argv is None else int", "int"),),
        (f"{SIGNALS}::test_a_storm_of_signals_from_the_result_line_on_changes_no_status",),
    ),
    Defence(
        "one-result",
        "a command has one result, and its exit status",
        (
            Change("app/session.py", "        if self.result:\n            return int(self.result.exit)\n", ""),
            Change(
                "app/session.py",
                "                if self.result:\n                    return int(self.result.exit)\n",
                "",
            ),
        ),
        (f"{SIGNALS}::test_what_comes_after_the_result_neither_repeats_nor_changes_it",),
    ),
    Defence(
        "editors",
        "no editor is opened where no message is needed",
        (Change(ENVIRONMENT, '"GIT_EDITOR": ":", "GIT_SEQUENCE_EDITOR": ":"', '"LC_CTYPE": "C"'),),
        ("tests/test_examples.py::test_an_example_shows_what_it_says[git/environment.py]",),
    ),
    Defence(
        "live-urls-of-tracked-files",
        "a live URL that only a tracked file names is not requested before it is approved",
        (
            Change(
                "app/follow_setup.py",
                "        command_trust.require_trusted_links(self.specs, config, session)\n",
                "",
            ),
        ),
        ("tests/land/test_command_trust.py::test_a_live_url_of_a_tracked_file_is_requested_only_after_its_approval",),
    ),
)
