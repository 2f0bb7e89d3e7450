"""An image registry in memory, and recorded rollouts whose images all have the tag `latest`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from homelab_hooks.git.release_tags import ReleaseTag
from homelab_hooks.kubectl.image_ref import extract_digest, extract_tag
from homelab_hooks.registry.answer import ImageFacts, RegistryAnswer, RegistrySilence, RunningImage
from homelab_hooks.simulators.kubernetes.timeline import RolloutRecording
from homelab_hooks.text.json_fields import Json

UNKNOWN_IMAGE = RegistrySilence(reason="registry.example.test does not know the image")


@dataclass
class MemoryRegistry:
    """Answers by digest; what it does not have is unknown to it."""

    answers: Mapping[str, RegistryAnswer]
    asked: list[RunningImage] = field(default_factory=list)

    def describe_image(self, image: RunningImage, sha: str) -> RegistryAnswer:
        """Return the answer for the digest."""
        assert len(sha) in {40, 64}
        self.asked.append(image)
        return self.answers.get(image.digest, UNKNOWN_IMAGE)


@dataclass
class MemoryReleases:
    """Release tags in memory."""

    tags: Mapping[str, ReleaseTag]
    asked: list[str] = field(default_factory=list)

    def find_release(self, name: str) -> ReleaseTag:
        """Return the tag; one without a place if it does not exist."""
        self.asked.append(name)
        return self.tags.get(name, ReleaseTag())


def read_registry(played: RolloutRecording) -> MemoryRegistry:
    """Return a registry with the images that the pods of a recording run, each labelled with its tag as the commit."""
    statuses = [
        status
        for snapshot in played.snapshots
        for pod in snapshot["pods"]
        for status in pod["status"].get("containerStatuses") or ()
        if status.get("imageID")
    ]
    return MemoryRegistry(
        {
            extract_digest(status["imageID"]): ImageFacts(revisions=(extract_tag(status["image"]).ljust(40, "0"),))
            for status in statuses
        }
    )


def as_latest(objects: Sequence[Json]) -> list[Json]:
    """Return the objects with the tag `latest` in place of each tag of `app`, as after `kubectl rollout restart`."""
    return [_as_latest(each) for each in objects]


def _as_latest(raw: Json) -> Json:
    spec = raw.get("spec", {})
    if raw["kind"] == "Pod":
        return {**raw, "spec": _spec_as_latest(spec)}
    if raw["kind"] == "ControllerRevision":
        template = raw["data"]["spec"]["template"]
        return {**raw, "data": {**raw["data"], "spec": {**raw["data"]["spec"], "template": _template(template)}}}
    if "template" not in spec:
        return raw
    return {**raw, "spec": {**spec, "template": _template(spec["template"])}}


def _template(template: Json) -> Json:
    restarts = {"kubectl.kubernetes.io/restartedAt": next(each["image"] for each in template["spec"]["containers"])}
    meta = template.get("metadata") or {}
    annotations = {**(meta.get("annotations") or {}), **restarts}
    return {**template, "metadata": {**meta, "annotations": annotations}, "spec": _spec_as_latest(template["spec"])}


def _spec_as_latest(spec: Any) -> Any:
    containers = [
        {**each, "image": f"{each['image'].rpartition(':')[0]}:latest"} if each["name"] == "app" else each
        for each in spec["containers"]
    ]
    return {**spec, "containers": containers}
