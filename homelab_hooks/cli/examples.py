"""Examples of each verb, for -h and the man pages; a test runs those that need nothing but a repository."""

from __future__ import annotations

EXAMPLES: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {
    ("ci", "watch"): (
        ("homelab-watch", "wait for CI's verdict on HEAD"),
        ("homelab-watch v1.2.0", "wait for the pipelines of a tag"),
        ("homelab-watch --timeout 10m || homelab ci logs", "show the logs of what failed"),
    ),
    ("ci", "status"): (("homelab ci status main", "how it stands with main's tip"),),
    ("ci", "logs"): (
        ("homelab ci logs --tail 50", "the last lines of each step that failed"),
        ("homelab ci logs --step test --follow", "one step's log while it runs"),
    ),
    ("ci", "restart"): (("homelab ci restart", "run HEAD's failed pipelines again, and watch"),),
    ("deploy", "wait"): (
        ("homelab deploy wait shop/web", "wait until the Deployment web in shop runs HEAD's image"),
        ("homelab deploy wait shop/sts/db --sha v1.2.0", "the same for a StatefulSet and a tag's commit"),
    ),
    ("work", "land"): (
        ("git land", "merge, verify, push, watch, and wait for the rollout"),
        ("git land --dry-run", "say what would be done and what would stop it"),
        ("git land --verify-cmd 'make check' --deploy shop/web", "name both for once"),
        ("git land --continue", "go on after a conflict or a crash"),
    ),
    ("work", "start"): (("cd $(homelab work start topic)", "a worktree and a branch of their own"),),
    ("work", "clean"): (("homelab work clean topic", "remove both again; nothing that is not landed is lost"),),
    ("hooks", "install"): (
        ("homelab hooks install", "watch CI after every push of the target from this repository"),
        ("homelab hooks install --global", "from every repository (git 2.54, or a global core.hooksPath)"),
    ),
    ("hooks", "uninstall"): (("homelab hooks uninstall", "take them out; what was there before is put back"),),
    ("hooks", "status"): (("homelab hooks status", "which hooks are there, and what fires when"),),
    ("doctor",): (("homelab doctor", "would a landing from here work, and what to do if not"),),
    ("config",): (("homelab config", "which settings are in force, and where they come from"),),
    ("demo",): (
        ("homelab demo", "a landing that ends green and rolled out"),
        ("homelab demo red", "one that CI refuses"),
    ),
    ("manifest",): (("homelab manifest --json", "every verb with its tier, for a permission hook"),),
}
