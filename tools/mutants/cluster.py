"""What a wait for a rollout is protected from: a switched context, logins that begin again, flaky API servers."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

ANSWERS = "tests/kubectl/test_answers.py"
LOGIN = "tests/kubectl/test_login.py"
DEPLOY = "tests/deploy/test_deploy.py"
SETTLE_BEGIN = "tests/deploy/kubernetes/test_settle_begin.py"
ONE_CALL = "tests/deploy/test_one_call.py"

CLUSTER = (
    Defence(
        "switched-contexts",
        "a wait keeps to the context that was the current one when it began",
        (Change("kubectl/client.py", "return self._replace(context=name) if name else self", "return self"),),
        (f"{LOGIN}::test_the_context_is_that_of_the_beginning",),
    ),
    Defence(
        "logins-that-begin-again",
        "a credential plugin that waits for a login is not started again",
        (Change("kubectl/login.py", " if self.words else self._within):", " if False else self._within):"),),
        (f"{LOGIN}::test_the_words_of_a_plugin_that_waits_are_shown_once_and_its_login_has_the_longer_time",),
    ),
    Defence(
        "floods-of-plugins",
        "the words of a credential plugin that prints without end are not kept",
        (Change("kubectl/login.py", "            del self.words[MAX_WORDS:]\n", ""),),
        (f"{LOGIN}::test_a_flood_of_words_is_neither_kept_nor_shown",),
    ),
    Defence(
        "words-of-plugins",
        "what a credential plugin prints is fit to be shown",
        (Change("kubectl/login.py", "truncate_text(strip_control_chars(text))", "text"),),
        (f"{LOGIN}::test_the_words_of_a_plugin_that_waits_are_shown_once_and_its_login_has_the_longer_time",),
    ),
    Defence(
        "answers-of-six-in-ten",
        "a call for a part of a snapshot is repeated, and each answer counts as contact",
        (Change("deploy/kubernetes/poller.py", "for _ in range(_MAX_TRIES - 1):", "for _ in range(0):"),),
        (f"{DEPLOY}::test_an_api_server_that_answers_six_of_ten_calls_is_usable",),
    ),
    Defence(
        "pods-before-the-workload",
        "a snapshot reads the workload after the pods, also in one call",
        (Change("kubectl/client.py", '[f"pods,{target.kind.resource}", ', '[f"{target.kind.resource},pods", '),),
        (f"{ONE_CALL}::test_a_new_image_that_comes_between_the_two_parts_is_not_taken_for_ours",),
    ),
    Defence(
        "workloads-that-may-not-be-listed",
        "a user who may get a workload, but not list workloads, can wait for it",
        (
            Change(
                "deploy/kubernetes/poller.py", "self._needs_two_calls.add(target)", "return _incomplete(both, first)"
            ),
        ),
        (f"{ONE_CALL}::test_a_workload_that_cannot_be_listed_with_its_pods_is_read_after_them",),
    ),
    Defence(
        "changes-during-a-snapshot",
        "the settle time does not begin before the last change of the objects in the snapshot",
        (Change("deploy/kubernetes/poller.py", "None if since is None else max(taken, since)", "taken"),),
        (f"{SETTLE_BEGIN}::test_what_changes_during_the_request_begins_the_settle_time_later",),
    ),
    Defence(
        "other-versions",
        "the settle time begins with the request only if the watch received the versions that were read",
        (Change("deploy/kubernetes/watcher.py", "known[uid][0] != version for uid", "False for uid"),),
        (f"{SETTLE_BEGIN}::test_a_watch_that_is_silent_does_not_begin_the_settle_time",),
    ),
    Defence(
        "faults-of-this-machine",
        "a kubeconfig that cannot work is not retried",
        (Change("kubectl/errors.py", "if local := _find_local_fault(done, cause):", "if local := None:"),),
        (f"{ANSWERS}::test_a_fault_of_this_machine_is_denied_with_the_line_that_tells",),
    ),
    Defence(
        "faults-of-the-network",
        "a fault of the network that kubectl reports like one of this machine is retried",
        (
            Change(
                "kubectl/errors.py",
                "cause.startswith(_LOCAL_FAULT) and not _REMOTE.search(cause)",
                "cause.startswith(_LOCAL_FAULT)",
            ),
        ),
        (f"{ANSWERS}::test_a_fault_of_the_network_is_retried",),
    ),
    Defence(
        "names-in-pull-errors",
        "a pull error is classified by what failed, not by the names in its message",
        (Change("deploy/kubernetes/pull_error.py", "    error = strip_names(message)\n", "    error = message\n"),),
        ("tests/deploy/kubernetes/test_pull_error.py::test_an_outage_passes_whatever_the_name_of_the_image",),
    ),
    Defence(
        "reasons-of-a-standstill",
        "a pod that does not start is reported with the reason of its events",
        (Change("deploy/kubernetes/assess.py", 'return case.history.standstill or ("", "")', 'return "", ""'),),
        (f"{DEPLOY}::test_what_holds_a_pod_up_is_reported_from_its_events",),
    ),
)
