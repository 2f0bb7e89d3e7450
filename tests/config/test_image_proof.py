"""Image proofs as a setting names them."""

from __future__ import annotations

import pytest

from homelab_hooks.config.image_proof import parse_image_proof
from homelab_hooks.config.resolve import SettingSources, resolve_config
from homelab_hooks.errors import CommandError

LIVE = "live:https://shop.example.test/version"


@pytest.mark.parametrize(
    "text",
    [
        "annotation:", "annotation", "label:", "env:", "digest:sha256:12", "digest:" + "0" * 64, "tags", "tag:x", ":",
        "auto:", "live:", "live", "release:v1", "env:a\nb", "",
    ],
)  # fmt: skip
def test_a_malformed_proof_is_an_error_that_names_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_image_proof(text)


@pytest.mark.parametrize(
    "text",
    [
        "auto", "tag", "release", "registry", "annotation:example.test/commit", "label:app.kubernetes.io/version",
        "env:GIT_SHA", "digest:sha256:" + "ab" * 32, f"{LIVE}#build.commit",
    ],
)  # fmt: skip
def test_a_proof_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_image_proof(text)) == text


def test_the_query_of_a_url_is_sent_and_not_shown() -> None:
    proof = parse_image_proof(f"{LIVE}?key=s3cret#commit")
    assert proof.live is not None
    assert (proof.live.target, str(proof)) == ("/version?key=s3cret", f"{LIVE}#commit")


def test_a_tracked_file_chooses_a_proof_but_no_url() -> None:
    assert str(resolve_config(SettingSources()).image_proof) == "auto"
    assert str(resolve_config(SettingSources(tracked={"image-proof": "registry"})).image_proof) == "registry"
    with pytest.raises(CommandError, match="cannot name the URL") as caught:
        resolve_config(SettingSources(tracked={"image-proof": LIVE}))
    assert "homelab.imageProof" in caught.value.hint
