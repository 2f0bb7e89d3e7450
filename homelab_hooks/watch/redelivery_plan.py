"""Decides whether the forge can send a lost push event to CI again, and through which webhook."""

from __future__ import annotations

import fnmatch
import re

from homelab_hooks.ci.provider import Traits
from homelab_hooks.config.address import ServerUrl
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.forge.provider import PushDelivery, PushedCommit, Webhook
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.watch.no_pipeline import LAND_EMPTY_COMMIT
from homelab_hooks.watch.snapshot import CommitSnapshot

_GLOB_CHARACTERS = re.compile(r"[?\[\]{}!]")


def check_redelivery_helps(snapshot: CommitSnapshot, traits: Traits, message: str) -> None:
    """Raise CommandError if a redelivery cannot help, or the commit's push has a pipeline already.

    Args:
        snapshot: of the pipelines of the push event; one without a stored configuration does not count.
        message: the commit's message.
    """
    verdict = snapshot.verdict
    if verdict.exit in (ExitCode.DENIED, ExitCode.UNREACHABLE):
        raise CommandError(verdict.reason, hint=verdict.hint, exit=verdict.exit)
    existing = [track.pipeline for track in snapshot.tracks if not snapshot.detail(track).lacks_config]
    if existing:
        raise _refuse(
            f"the push of this commit has a pipeline: {existing[0].run} is {existing[0].status}; "
            "a redelivery would make another one",
            f"to restart {existing[0].run}, run: homelab ci restart",
        )
    if snapshot.repo and not snapshot.repo.active:
        raise _refuse(f"the repository {snapshot.repo.full_name} is not active in CI", verdict.hint)
    if marker := traits.skip_marker.search(message):
        raise _refuse(
            f"the commit message contains {marker.group(0)}: {traits.name} would skip the push again",
            f"push a commit without {marker.group(0)}",
        )


def choose_webhook(hooks: tuple[Webhook, ...], server: ServerUrl, webhook_path: str) -> Webhook:
    """Return the one webhook that notifies a CI server. Raises CommandError (refused) if there is none, or several.

    A message never contains the URL of a webhook: its query holds a token of CI.

    Args:
        webhook_path: where the server receives webhooks.
    """
    path = server.path + webhook_path
    of_host = [hook for hook in hooks if (hook.host, hook.path.rstrip("/")) == (server.host, path)]
    of_port = [hook for hook in of_host if hook.port == server.port]
    found = of_port if len(of_port) == 1 else of_host
    if not found:
        raise _refuse(
            f"none of the repository's {len(hooks)} webhooks notifies {server.host}{path}",
            f"repair the repository in CI ({server}), which creates the webhook, then {LAND_EMPTY_COMMIT}",
        )
    if len(found) > 1:
        raise _refuse(
            f"{len(found)} of the repository's webhooks notify {server.host}{path}",
            "delete the webhooks that are not used, in the settings of the repository on the forge",
        )
    (hook,) = found
    _check_sends_pushes(hook)
    return hook


def _check_sends_pushes(hook: Webhook) -> None:
    """Raise CommandError for a webhook that sends no push: a test delivery answers 204 all the same (recording 05)."""
    if not hook.is_active:
        raise _refuse("the webhook is switched off", "activate the webhook in the settings of the repository")
    if not hook.sends_pushes:
        raise _refuse("the webhook does not send push events", "add push events to the webhook on the forge")


def check_delivery(delivery: PushDelivery, push: PushedCommit, hook: Webhook) -> None:
    """Raise CommandError (refused) if the forge would send the event of another push, or not this branch's."""
    name = delivery.ref.removeprefix("refs/heads/")
    if push.is_sent_by(delivery):
        if excludes_branch(hook.branch_filter, name):
            raise _refuse(
                f"the webhook's branch filter {hook.branch_filter} does not include {name}",
                "change the branch filter of the webhook on the forge",
            )
        return
    if push.ref.startswith("refs/tags/"):
        raise _refuse(
            f"the forge can only send the tip of its default branch {name}, not a tag",
            "delete the tag on the forge, and push it again",
        )
    raise _refuse(
        f"the forge can only send the tip of its default branch {name}, which is {short_sha(delivery.sha)} "
        f"and not {short_sha(push.sha)}",
        LAND_EMPTY_COMMIT,
    )


def excludes_branch(pattern: str, branch: str) -> bool:
    """Return whether a webhook's branch filter excludes a branch; a glob with more than `*` is taken to include it.

    >>> excludes_branch("release*", "main"), excludes_branch("{main,dev}", "x"), excludes_branch("", "main")
    (True, False, False)
    """
    if not pattern or _GLOB_CHARACTERS.search(pattern):
        return False
    return not fnmatch.fnmatchcase(branch, pattern)


def _refuse(message: str, hint: str) -> CommandError:
    return CommandError(message, hint=hint, exit=ExitCode.REFUSED)
