"""Check of the notification settings: whether Apprise is installed and can use each URL; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator

from homelab_hooks.cli.commands.doctor.parallel import DoctorCheck
from homelab_hooks.config.resolve import Config
from homelab_hooks.events import Finding, FindingStatus
from homelab_hooks.notify import apprise_job
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.text.humanize import pluralize

CHECK = "notifications"
EDIT_HINT = "to see the URLs, run: git config --get-all homelab.notifyUrl"


def notifications_check(config: Config, runner: ProcessRunner) -> DoctorCheck:
    """Return the check of homelab.notifyUrl. A landing does not need it, so the worst finding is a warning."""
    return DoctorCheck(CHECK, lambda: _check_notifications(config, runner), EDIT_HINT)


def _check_notifications(config: Config, runner: ProcessRunner) -> Iterator[Finding]:
    urls = config.notify_url
    if not urls:
        return
    delivery = apprise_job.check_urls(urls, runner)
    for text in delivery.problems:
        remedy = EDIT_HINT if delivery.is_installed else apprise_job.format_install_hint()
        yield Finding(CHECK, FindingStatus.WARNING, text.removesuffix(f"; {apprise_job.format_install_hint()}"), remedy)
    if not delivery.problems:
        schemes = ", ".join(sorted({apprise_job.scheme_of(url) for url in urls}))
        yield Finding(CHECK, FindingStatus.OK, f"{pluralize(len(urls), 'target')} ({schemes}), not tried")
