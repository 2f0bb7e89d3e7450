"""Defences of the registry client: what names an image, and where the credentials of a registry are sent."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

CLIENT = "tests/registry/test_client.py"
LOGIN = "tests/registry/test_authorization.py"
CONFIG = "tests/registry/test_docker_config.py"
FACTS = "registry/image_facts.py"

REGISTRIES = (
    Defence(
        "registry-content",
        "a manifest and a configuration are checked against the digest that named them",
        (Change("registry/manifest.py", "if compute_digest(body) != digest:", "if not digest:"),),
        (f"{CLIENT}::test_content_is_checked_against_its_digest",),
    ),
    Defence(
        "registry-attestations",
        "an attestation in an index is not an image of a platform",
        (
            Change(
                "registry/manifest.py",
                "return not (is_attestation or is_unknown or has_other_type)",
                "return not has_other_type",
            ),
        ),
        (
            f"{CLIENT}::test_an_attestation_of_the_tagged_index_is_not_the_image",
            f"{CLIENT}::test_the_revision_of_an_index_is_that_of_each_platform",
        ),
    ),
    Defence(
        "registry-other-platforms",
        "a tag that names one platform of the running index does not name the others",
        (
            Change(
                FACTS,
                "platforms <= list_platform_digests(tagged)",
                "not platforms.isdisjoint(list_platform_digests(tagged))",
            ),
        ),
        (f"{CLIENT}::test_an_index_with_another_platform_than_the_tagged_manifest_may_run_another_image",),
    ),
    Defence(
        "registry-other-revisions",
        "an index whose platforms have different revisions has none",
        (Change(FACTS, "if len(found) > 1:", "if not platforms:"),),
        (f"{CLIENT}::test_platforms_with_different_revisions_give_none_but_each_has_its_own",),
    ),
    Defence(
        "registry-other-tags",
        "a tag of the commit that names another image proves nothing",
        (Change("registry/client.py", "if is_same_image(running, tagged):", "if tagged:"),),
        (f"{CLIENT}::test_the_tag_of_another_image_does_not_count",),
    ),
    Defence(
        "registry-redirect-token",
        "the request to the storage of a registry carries no credentials",
        (
            Change(
                "registry/connection.py",
                'HttpRequest("GET", place.target)',
                'HttpRequest("GET", place.target, b"", '
                '{"Authorization": self._authorizer.find_known(question.image.repository)})',
            ),
        ),
        (f"{LOGIN}::test_a_blob_is_downloaded_from_storage_without_the_credentials",),
    ),
    Defence(
        "registry-redirect-address",
        "storage is reached at the address that was checked",
        (Change("registry/connection.py", "question, address=address)", "question)"),),
        (f"{LOGIN}::test_a_blob_is_downloaded_from_storage_without_the_credentials",),
    ),
    Defence(
        "registry-redirect-length",
        "a redirect whose address is longer than the HTTP library takes is not followed",
        (Change("net/download_redirect.py", "len(url) > MAX_LOCATION_CHARS or ", ""),),
        (f"{LOGIN}::test_a_redirect_without_a_usable_address_is_a_silence",),
    ),
    Defence(
        "registry-realm",
        "a token service receives no credentials unencrypted",
        (Change("registry/token_service.py", "if not _is_protected(server, registry):", "if not server:"),),
        (f"{LOGIN}::test_a_token_service_without_tls_or_address_receives_nothing",),
    ),
    Defence(
        "registry-scope",
        "a token may pull from one repository, whatever scope the registry names",
        (Change("registry/token_service.py", 'f"repository:{repository}:pull"', 'challenge.parameters.get("scope")'),),
        (f"{LOGIN}::test_a_token_is_requested_with_the_credentials_for_pulling_one_repository",),
    ),
    Defence(
        "registry-http",
        "a registry on another machine is not asked without TLS unless the user allows it",
        (Change("registry/reference.py", "if is_local or (allows_http and names_port):", "if host:"),),
        (f"{LOGIN}::test_http_is_for_this_machine_or_where_the_user_allows_it",),
    ),
    Defence(
        "registry-public-cas",
        "homelab.caFile does not replace the CAs of public registries",
        (
            Change(
                "net/http.py",
                "context.load_verify_locations(path)",
                "context = ssl.create_default_context(cafile=path)",
            ),
        ),
        ("tests/net/test_answers.py::test_trust_anchors_are_added_to_the_systems_for_registries",),
    ),
    Defence(
        "registry-other-credentials",
        "the credentials of a registry with a similar name are not sent",
        (
            Change(
                "registry/docker_config.py",
                "found[1].lower() in hosts",
                "hosts[0].startswith(found[1].lower())",
            ),
        ),
        (f"{CONFIG}::test_no_other_registry_is",),
    ),
    Defence(
        "registry-helper-path",
        "a credential helper is a program on PATH, not a file that the configuration names",
        (Change("registry/docker_config.py", "if not _HELPER_NAME.fullmatch(name):", "if not name:"),),
        (f"{CONFIG}::test_a_helper_with_a_path_is_not_run",),
    ),
    Defence(
        "registry-helper-tokens",
        "a credential helper gets none of our tokens",
        (Change("app/registry_setup.py", "runtime.process_runner", "runtime.hook_runner"),),
        ("tests/registry/test_sockets.py::test_a_credential_helper_gets_none_of_our_tokens",),
    ),
    Defence(
        "registry-helper-secret",
        "what a failing helper prints is left out of the message if it may contain a secret",
        (Change("registry/credentials.py", 'if not words or "{" in words', "if not words"),),
        ("tests/registry/test_credential_helpers.py::test_a_helper_that_fails_is_named_without_its_secret",),
    ),
    Defence(
        "registry-rate-limit",
        "a registry that limits the rate is not asked before the time that it names",
        (
            Change(
                "registry/client.py", "if silence is not None and now < until:", "if silence is not None and now < 0:"
            ),
        ),
        (f"{CLIENT}::test_a_rate_limit_is_waited_for_without_a_request",),
    ),
    Defence(
        "registry-late-tag",
        "a tag that is pushed after the image runs is found",
        (Change("registry/client.py", "else RECHECK_INTERVAL_S", "else inf"),),
        (f"{CLIENT}::test_a_tag_that_is_pushed_after_the_image_runs_is_found_within_a_minute",),
    ),
    Defence(
        "registry-once",
        "a question about a digest is asked once",
        (Change("registry/client.py", "if answer is None or expires_at <= self._hosts.now():", "if key:"),),
        (f"{CLIENT}::test_one_question_about_a_digest_is_one_request_for_each_document",),
    ),
    Defence(
        "registry-long-revision",
        "a revision that is too long is not cut to one that names a commit",
        (Change("registry/manifest.py", "if len(revision) > MAX_REVISION_CHARS:", "if not raw:"),),
        (f"{CLIENT}::test_a_revision_that_is_too_long_is_not_cut[revision]",),
    ),
)
