"""Defences against images that look like the commit's."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

DIGESTS, RELEASE = "deploy/kubernetes/proofs/digests.py", "deploy/kubernetes/proofs/release.py"
KUBERNETES = "tests/deploy/kubernetes/"
REMOVED = f"{KUBERNETES}test_removed_characters.py"
PROPERTY = f"{KUBERNETES}test_auto_proof.py::test_no_combination_of_names_of_other_commits_proves"

IMAGE_PROOFS = (
    Defence(
        "moved-release-tags",
        "a git tag with two commits proves only what both contain",
        (Change(RELEASE, "    if proven == list(release.commits):\n", "    if proven:\n"),),
        (f"{KUBERNETES}test_release_proof.py::test_a_moved_tag_proves_nothing_and_both_commits_are_named", PROPERTY),
    ),
    Defence(
        "foreign-releases",
        "a release of a commit that does not contain ours proves nothing",
        (Change(RELEASE, "if contained is Containment.CONTAINS]", "if contained.is_known]"),),
        (f"{KUBERNETES}test_release_proof.py::test_a_release_proves_what_its_commit_contains",),
    ),
    Defence(
        "unverified-releases",
        "a local tag is not believed while the remote does not answer",
        (Change(RELEASE, "    if release.silence:\n", "    if release.silence and not release.places:\n"),),
        (f"{KUBERNETES}test_release_proof.py::test_a_tag_here_is_not_believed_while_the_remote_does_not_answer",),
    ),
    Defence(
        "joined-names",
        "a character that is removed from a text joins no two parts to the name of a commit",
        (Change("text/sanitize.py", "_INVISIBLE.sub(REMOVED_CHAR, _ESCAPES.sub(REMOVED_CHAR, spaced))", "spaced"),),
        (f"{REMOVED}::test_a_text_on_a_workload_is_read_as_it_is[put_image]",),
    ),
    Defence(
        "hidden-marks",
        "an invisible character does not hide that a build is dirty",
        (Change("text/commit_name.py", '.replace(REMOVED_CHAR, "")', ""),),
        (f"{REMOVED}::test_a_text_on_a_workload_is_read_as_it_is[put_label]",),
    ),
    Defence(
        "joined-revisions",
        "a character that is removed from the revision of a GitOps tool joins no two parts to a commit",
        (
            Change(
                "kubectl/status_text.py", "truncate_text(replace_control_chars(", "truncate_text(strip_control_chars("
            ),
        ),
        (f"{REMOVED}::test_a_revision_of_a_gitops_tool_is_read_as_it_is",),
    ),
    Defence(
        "moving-releases",
        "a git tag such as v1 or latest is not a release",
        (Change(RELEASE, " and not _MOVING_TAG.fullmatch(tag)", ""),),
        (f"{KUBERNETES}test_release_proof.py::test_a_tag_that_moves_by_design_is_no_release",),
    ),
    Defence(
        "labels-of-older-images",
        "a revision that does not contain the commit proves nothing",
        (Change(DIGESTS, "in found.items() if contained is Containment.CONTAINS]", "in found.items()]"),),
        (f"{KUBERNETES}test_registry_proof.py::test_what_the_registry_has_about_the_digest_decides", PROPERTY),
    ),
    Defence(
        "rival-revisions",
        "two known revisions of one image prove nothing",
        (Change(DIGESTS, "    if proven and not rivals:\n", "    if proven:\n"),),
        (f"{KUBERNETES}test_registry_proof.py::test_what_the_registry_has_about_the_digest_decides",),
    ),
    Defence(
        "one-pod-of-another-digest",
        "a rollout with pods of another digest is not complete",
        (
            Change(
                "deploy/kubernetes/assess.py", "        _assess_evidence,\n        _assess_digests,\n    )\n", "    )\n"
            ),
        ),
        (
            "tests/deploy/test_image_proofs.py::test_one_pod_that_keeps_another_digest_holds_the_rollout",
            "tests/deploy/test_prefixes.py::test_a_rollout_of_latest_that_stops_midway_is_never_called_done",
        ),
    ),
    Defence(
        "digests-of-init-containers",
        "the digest of an init container proves nothing",
        (Change(DIGESTS, "if each.name == container.name and not each.init]", "if each.name == container.name]"),),
        (f"{KUBERNETES}test_registry_proof.py::test_an_init_container_proves_nothing", PROPERTY),
    ),
    Defence(
        "digests-of-old-pods",
        "the digests of another revision's pods prove nothing",
        (Change(DIGESTS, "    new, _ = split_pods(snapshot, snapshot.kind)\n", "    new = snapshot.pods\n"),),
        (
            f"{KUBERNETES}test_registry_proof.py::test_pods_of_another_revision_and_terminating_ones_prove_nothing",
            PROPERTY,
        ),
    ),
    Defence(
        "image-ids",
        "an image's own ID is not taken for the digest of its manifest",
        (Change("kubectl/image_ref.py", ' if "@" in image_id else ""', ""),),
        ("tests/deploy/kubernetes/test_image_ref.py::test_an_image_id_without_a_repository_is_no_manifest",),
    ),
    Defence(
        "undecided-replacements",
        "an image that is not known yet is not taken for a replacement",
        (
            Change(
                "deploy/kubernetes/assess.py",
                "            return _assess_undecided(snapshot, expectation, history, named)\n",
                "            return _image_replaced(NoCommit(named.image, named.reason), expectation, history)\n",
            ),
        ),
        ("tests/deploy/test_image_proofs.py::test_a_rollout_of_latest_is_proven_by_its_digest",),
    ),
    Defence(
        "tracked-urls",
        "a tracked file cannot name the URL that is asked for the commit",
        (Change("config/resolve.py", "            _refuse_tracked_url(parsed)\n", ""),),
        ("tests/config/test_image_proof.py::test_a_tracked_file_chooses_a_proof_but_no_url",),
    ),
    Defence(
        "ref-named-as-commit",
        "the tip of a branch or tag whose name looks like an abbreviated commit proves nothing",
        (Change("git/history.py", "found.sha.startswith(name.lower())", "bool(name)"),),
        ("tests/git/test_repository.py::test_the_name_of_a_ref_is_not_an_abbreviated_commit[branch]",),
    ),
)
