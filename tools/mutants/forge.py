"""Defences of the requests to a forge: where a token is sent, and which push is sent to CI again."""

from __future__ import annotations

from tools.mutants.mutant import REQUESTS, Change, Defence

PLAN = "watch/redelivery_plan.py"
TOKEN = "auth/forge_token.py"
TOKENS = "tests/auth/test_forge_token.py"
PLACES = "tests/forge/test_place.py"
SENDING = "tests/forge/test_redelivery.py"
REDELIVERY = "tests/watch/test_redelivery.py"

FORGE = (
    Defence(
        "forge-tokens-detected",
        "a forge that was only detected receives no token from a variable",
        (Change(TOKEN, "    return destination.is_landing_remote", "    return True"),),
        (f"{TOKENS}::test_a_forge_that_was_only_detected_receives_no_variable",),
    ),
    Defence(
        "forge-tokens-of-github",
        "a token of github.com is not sent to another GitHub unless the user names it",
        (Change(TOKEN, "return destination.origin == GITHUB_API_ORIGIN", "return True"),),
        (f"{TOKENS}::test_a_forge_that_was_only_detected_receives_no_variable",),
    ),
    Defence(
        "forge-tokens-twice",
        "no variable is sent to two origins",
        (
            Change(
                TOKEN,
                "origins_by_variable.get(name, destination.origin) == destination.origin",
                "destination.origin == destination.origin",
            ),
        ),
        (f"{TOKENS}::test_no_variable_is_sent_to_two_origins",),
    ),
    Defence(
        "forge-hosts-like-github",
        "a host whose name only begins or ends like github.com is not github.com",
        (
            Change(
                "forge/place.py",
                "if url.host in (*GITHUB_HOSTS, GITHUB_API.host):",
                'if "github.com" in url.host:',
            ),
        ),
        (f"{PLACES}::test_a_host_that_only_begins_like_github_com_is_not_github_com",),
    ),
    Defence(
        "forge-kind-first",
        "the request that detects the kind of a forge carries no token",
        (
            Change(
                "forge/detect.py",
                'HttpRequest("GET", path)',
                'HttpRequest("GET", path, b"", {"Authorization": "x"})',
            ),
        ),
        ("tests/forge/test_detect.py::test_a_forge_is_recognized",),
    ),
    Defence(
        "webhook-urls",
        "the query of a webhook's URL, which holds a token of CI, is not kept",
        (Change("forge/webhook_json.py", "parts.path", "parts.path + parts.query"),),
        (f"{SENDING}::test_the_query_of_a_webhooks_url_is_not_kept",),
    ),
    Defence(
        "webhooks-of-others",
        "only the webhook of the CI server is used",
        (Change(PLAN, "(hook.host, hook.path.rstrip", "(server.host, hook.path.rstrip"),),
        (f"{REDELIVERY}::test_the_one_webhook_of_the_ci_server_is_chosen",),
    ),
    Defence(
        "webhooks-ambiguous",
        "none of several webhooks of the CI server is used",
        (
            Change(PLAN, "    if len(found) > 1:", "    if False:"),
            Change(PLAN, "    (hook,) = found\n", "    hook = found[0]\n"),
        ),
        (f"{REDELIVERY}::test_no_other_webhook_is_used",),
    ),
    Defence(
        "redelivery-of-another-push",
        "the event of another commit, branch, or tag is not sent to CI",
        (
            Change(
                "forge/provider.py", "return delivery.sha in self.tag_objects | {self.sha} and is_ref", "return True"
            ),
        ),
        (f"{REDELIVERY}::test_the_event_of_another_push_is_not_sent",),
    ),
    Defence(
        "redelivery-twice",
        "a push that has a pipeline is not sent to CI again",
        (Change(PLAN, "    if existing:", "    if False:"),),
        (f"{REDELIVERY}::test_a_redelivery_that_cannot_help_is_refused",),
    ),
    Defence(
        "redelivery-refs",
        "a test delivery never names a ref, which would make a pipeline of the wrong commit",
        (Change("forge/gitea/redelivery.py", "{hook.id}/tests", "{hook.id}/tests?ref=refs/heads/main"),),
        (f"{SENDING}::test_gitea_sends_the_tip_of_the_default_branch_and_is_never_given_a_ref",),
    ),
    Defence(
        "manual-pipelines-unasked",
        "a manual pipeline is started only on request",
        (Change("watch/restart_plan.py", "    if manual.is_requested:", "    if not snapshot.tracks:"),),
        ("tests/watch/test_restart.py::test_a_commit_without_a_pipeline_is_refused_with_every_remedy",),
    ),
    Defence(
        "forge-cleartext",
        "a forge's token is not sent unencrypted to another machine",
        (Change("app/forge_setup.py", "        if not config.allows_http:", "        if False:"),),
        ("tests/watch/test_redelivery_command.py::test_a_token_is_not_sent_unencrypted_to_another_machine",),
    ),
    Defence(
        "forge-tracked-file",
        "a tracked file does not decide where the forge is",
        (
            Change(
                "config/schema.py",
                'env=("HOMELAB_FORGE_URL",), git="homelab.forgeUrl", default_label',
                'env=("HOMELAB_FORGE_URL",), git="homelab.forgeUrl", tracked="forge-url", default_label',
            ),
        ),
        (f"{REQUESTS}::test_a_tracked_file_does_not_decide_where_the_forge_is",),
    ),
)
