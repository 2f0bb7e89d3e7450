"""Defences of the kinds of target: CronJobs, Flux, Argo CD, and Argo Rollouts."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

RESOURCES = "tests/deploy/kubernetes/test_resources.py"
ROLLOUTS = "tests/deploy/test_argo_rollout.py"
NEVER_EARLY = f"{RESOURCES}::test_no_history_ends_in_0_while_the_commit_is_not_delivered"
WAITED_FOR = f"{RESOURCES}::test_a_state_that_may_change_is_waited_for_and_said"

TARGETS = (
    Defence(
        "flux-observed-generation",
        "Ready=True of an older generation of a Kustomization is not success",
        (
            Change(
                "deploy/kubernetes/kustomization.py",
                "is_observed = found.observed == found.generation and found.ready.observed in {None, found.generation}",
                "is_observed = bool(found.generation)",
            ),
        ),
        (WAITED_FOR, NEVER_EARLY),
    ),
    Defence(
        "flux-older-failure",
        "Ready=False of an older revision of a Kustomization does not fail the commit",
        (
            Change(
                "deploy/kubernetes/kustomization.py",
                "if not attempted.is_ours or found.suspended or ready",
                "if found.suspended or ready",
            ),
        ),
        (WAITED_FOR,),
    ),
    Defence(
        "flux-attempt-in-message",
        "an attempt of the commit that fails before its build is a failure of the commit",
        (Change("kubectl/flux.py", "newest = named.group(1) if named else attempted", "newest = attempted"),),
        (f"{RESOURCES}::test_a_failure_of_the_commit_is_said_at_once_and_final_after_a_minute",),
    ),
    Defence(
        "flux-artifact-digest",
        "the digest of an OCI artifact is not taken for a commit",
        (
            Change(
                "kubectl/flux.py",
                'if named["algorithm"] == "sha1" or from_git:',
                'if named["digits"]:',
            ),
        ),
        (f"{RESOURCES}::test_a_revision_that_cannot_name_a_commit_is_unproven_at_once",),
    ),
    Defence(
        "argo-running-operation",
        "an application is not delivered while a sync operation runs, though it is Synced and Healthy",
        (
            Change(
                "deploy/kubernetes/application.py",
                "    if _is_syncing(found):\n        text",
                "    if found.operation_requested:\n        text",
            ),
            Change(
                "deploy/kubernetes/application.py",
                'if found.operation is not None and found.operation.phase != "Succeeded":',
                "if found.operation is not None and found.operation.phase in _FAILED_PHASES:",
            ),
        ),
        (WAITED_FOR, NEVER_EARLY),
    ),
    Defence(
        "argo-out-of-sync",
        "a revision that an application was only compared with is not delivered",
        (
            Change(
                "deploy/kubernetes/application.py",
                '    if found.sync != "Synced":\n',
                '    if found.sync == "Unknown":\n',
            ),
        ),
        (WAITED_FOR, NEVER_EARLY),
    ),
    Defence(
        "argo-older-health",
        "the health of an application that is not synced with the commit does not fail the commit",
        (
            Change(
                "deploy/kubernetes/application.py",
                'if found.health == "Degraded" and compared.is_ours and found.sync == "Synced" and not',
                'if found.health == "Degraded" and not',
            ),
        ),
        (WAITED_FOR,),
    ),
    Defence(
        "gitops-failure-age",
        "a failure of the commit ends the wait only after a minute",
        (Change("deploy/kubernetes/resource_assess.py", "< TRANSIENT_LIMIT_S:", "< 0:"),),
        (f"{RESOURCES}::test_a_failure_of_the_commit_is_said_at_once_and_final_after_a_minute",),
    ),
    Defence(
        "gitops-retry-age",
        "a retry does not make a failure younger",
        (
            Change(
                "deploy/kubernetes/resource_assess.py",
                "    if failure.key == memory.failure_key:\n",
                "    if failure.key == memory.failure_key and not failure.retried:\n",
            ),
        ),
        (f"{RESOURCES}::test_a_retry_ends_no_wait_and_does_not_make_the_failure_younger",),
    ),
    Defence(
        "rollout-observed-generation",
        "the observed generation of a Rollout is a number in a string",
        (
            Change(
                "kubectl/argo_rollout.py",
                "return int(text) if _GENERATION.fullmatch(text) else 0",
                'return status.get("observedGeneration") or 0',
            ),
        ),
        (f"{ROLLOUTS}::test_the_observed_generation_is_a_number_in_a_string",),
    ),
    Defence(
        "rollout-steps",
        "a Rollout is not done before its last step, though its pods are",
        (
            Change(
                "deploy/kubernetes/assess.py",
                "        _assess_phase,\n        _assess_evidence,",
                "        _assess_evidence,",
            ),
        ),
        (f"{ROLLOUTS}::test_a_stale_phase_is_not_success",),
    ),
    Defence(
        "rollout-older-degraded",
        "a phase Degraded of an older generation of a Rollout does not fail the commit",
        (
            Change(
                "deploy/kubernetes/pod_failures.py",
                "workload.phase.degraded and workload.observed == workload.generation:",
                "workload.phase.degraded:",
            ),
        ),
        (f"{ROLLOUTS}::test_an_older_revision_that_is_degraded_is_waited_on",),
    ),
    Defence(
        "stale-deadline",
        "a progress deadline that the previous rollout left does not fail the current one",
        (
            Change(
                "deploy/kubernetes/stale_conditions.py",
                "is_current = named is None or named",
                "is_current = True or named is None or named",
            ),
        ),
        (
            "tests/deploy/kubernetes/test_stale_conditions.py::test_a_passed_deadline_fails_the_rollout_of_its_own_replica_set",
            "tests/deploy/kubernetes/test_stale_conditions.py::test_a_quota_that_stops_an_old_replica_set_does_not_hold_up_the_new_one",
        ),
    ),
    Defence(
        "kind-discovery",
        "a kind that the API server could not list is not taken for one that the cluster lacks",
        (
            Change(
                "kubectl/errors.py",
                "_NO_KIND_PATTERN.search(text)) and not _INCOMPLETE_DISCOVERY.search(text):",
                "_NO_KIND_PATTERN.search(text)):",
            ),
        ),
        ("tests/kubectl/test_answers.py::test_a_kind_is_missing_only_if_the_api_server_could_list_its_groups",),
    ),
    Defence(
        "kind-that-was-there",
        "a kind that vanishes during a wait is an outage, not a missing workload",
        (
            Change(
                "deploy/kubernetes/snapshot.py",
                "if isinstance(poll, NotFound) and poll.hint and state.uid:",
                "if isinstance(poll, NotFound) and poll.hint and not state.target:",
            ),
        ),
        (f"{ROLLOUTS}::test_a_kind_that_vanishes_during_the_wait_is_an_outage",),
    ),
)
