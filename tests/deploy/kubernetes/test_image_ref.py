"""What an image proves, and what it does not."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from homelab_hooks.kubectl import image_ref
from homelab_hooks.text import commit_name

HEX = "0123456789abcdef"
SHAS = st.text(HEX, min_size=40, max_size=40)
SEPARATORS = st.sampled_from("-._+")
WORDS = st.text("ghijklmnopqrstuvwxyz", min_size=1, max_size=12)
HOSTS = st.sampled_from(["", "registry.example.test/", "registry.example.test:5000/", "localhost:5000/team/"])


@given(
    sha=SHAS, length=st.integers(7, 40), separator=SEPARATORS, before=WORDS, after=WORDS, described=st.booleans(),
)  # fmt: skip
def test_a_prefix_of_seven_digits_or_more_as_a_token_of_its_own_proves(
    *, sha: str, length: int, separator: str, before: str, after: str, described: bool
) -> None:
    token = ("g" if described else "") + sha[:length]
    if "dirty" in {before, after}:
        return
    assert commit_name.has_commit_token(separator.join([before, token, after]), sha)
    assert commit_name.has_commit_token(token, sha)


@given(SHAS, st.integers(1, 6))
def test_fewer_digits_never_prove(sha: str, length: int) -> None:
    assert not commit_name.has_commit_token(sha[:length], sha)


@given(
    sha=SHAS, length=st.integers(7, 40), letters=st.text("xyzXYZ", min_size=1, max_size=3), in_front=st.booleans(),
)  # fmt: skip
def test_a_token_with_letters_grown_on_never_proves(*, sha: str, length: int, letters: str, in_front: bool) -> None:
    """A substring does not prove the commit."""
    token = letters + sha[:length] if in_front else sha[:length] + letters
    assert not commit_name.has_commit_token(token, sha)


@given(SHAS, SHAS, st.integers(7, 40))
def test_another_commit_proves_only_if_it_shares_the_digits(sha: str, other: str, length: int) -> None:
    assert commit_name.has_commit_token(other[:length], sha) is sha.startswith(other[:length])


@given(SHAS, st.integers(7, 40))
def test_more_digits_than_the_commit_has_prove_nothing(sha: str, extra: int) -> None:
    assert not commit_name.has_commit_token(sha + "a" * extra, sha)


@given(SHAS, st.integers(7, 40), SEPARATORS, st.sampled_from(["dirty", "DIRTY", "Dirty"]))
def test_a_dirty_tag_never_proves(sha: str, length: int, separator: str, word: str) -> None:
    assert not commit_name.has_commit_token(f"{sha[:length]}{separator}{word}", sha)
    assert commit_name.is_dirty_build(f"{word}{separator}{sha[:length]}")


@given(SHAS, HOSTS, WORDS, WORDS)
def test_host_path_and_digest_are_not_the_tag(sha: str, host: str, path: str, name: str) -> None:
    """The commit anywhere but in the tag does not prove it."""
    for reference in (f"{host}{sha}/{name}:{path}", f"{host}{path}/{sha}", f"{sha}:5000/{name}"):
        assert not commit_name.has_commit_token(image_ref.extract_tag(reference), sha)
    assert not commit_name.has_commit_token(image_ref.extract_tag(f"{host}{name}:{path}@sha256:{sha}{sha[:24]}"), sha)
    assert commit_name.has_commit_token(image_ref.extract_tag(f"{host}{path}/{name}:{sha[:8]}@sha256:{'0' * 64}"), sha)


@given(SHAS)
def test_digits_count_in_lower_case_only(sha: str) -> None:
    upper = sha[:12].upper()
    assert commit_name.has_commit_token(upper, sha) is (upper == sha[:12])


@pytest.mark.parametrize("tag", ["latest", "main", "1.2.3", "v1", "2024-01-01", "", "stable-slim", "x9f2c1a7b"])
def test_a_tag_without_such_a_token_names_no_commit(tag: str) -> None:
    assert not commit_name.find_commit_tokens(tag)


def test_a_sha_256_commit_is_named_like_any_other() -> None:
    sha = "9f2c1a7b" * 8
    assert commit_name.has_commit_token(sha, sha)
    assert commit_name.has_commit_token(sha[:8], sha)


@pytest.mark.parametrize(
    ("image_id", "is_manifest"),
    [
        ("registry.example.test/app@sha256:" + "0" * 64, True),
        ("docker-pullable://registry.example.test:5000/app@sha256:" + "0" * 64, True),
        ("docker://sha256:" + "0" * 64, False),
        ("sha256:" + "0" * 64, False),
        ("", False),
    ],
)
def test_an_image_id_without_a_repository_is_no_manifest(image_id: str, *, is_manifest: bool) -> None:
    """It is the digest of the image's configuration, which was built or imported on the node."""
    assert bool(image_ref.extract_manifest_digest(image_id)) is is_manifest
    assert bool(image_ref.extract_digest(image_id)) is bool(image_id)
