"""Examples for -h and the man pages; a test runs those that need only a repository."""

from __future__ import annotations

EXAMPLES: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {
    ("ci", "watch"): (
        ("homelab-watch", "wait for the CI result of HEAD"),
        ("homelab-watch v1.2.0", "wait for the pipelines of a tag"),
        ("homelab-watch --timeout 10m || homelab ci logs", "show the logs if it fails"),
    ),
    ("ci", "status"): (
        ("homelab ci status main", "the CI status of main's latest commit"),
        ("homelab ci status --web", "open the pipeline's page too"),
    ),
    ("ci", "logs"): (
        ("homelab ci logs --tail 50", "the last 50 lines of each failed step"),
        ("homelab ci logs --step test --follow", "follow one step's log"),
    ),
    ("ci", "restart"): (
        ("homelab ci restart", "restart HEAD's failed pipelines and watch them"),
        ("homelab ci restart --redeliver", "send the push to CI again, after a lost webhook"),
    ),
    ("ci", "cancel"): (("homelab ci cancel", "cancel HEAD's running and pending pipelines"),),
    ("deploy", "wait"): (
        ("homelab deploy wait shop/web", "wait until the Deployment web in shop runs HEAD's image"),
        ("homelab deploy wait shop/sts/db --sha v1.2.0", "a StatefulSet, and the commit of a tag"),
        ("homelab deploy wait flux-system/ks/apps", "wait until Flux has applied HEAD"),
    ),
    ("follow",): (
        ("homelab follow", "follow HEAD through the configured links"),
        ("homelab follow --receipt v1.2.0", "what every link of an earlier run ended with"),
        (
            "homelab follow --follow ci --follow mirror:github --follow live:https://shop.example.org/version",
            "CI, a mirror, and the running service",
        ),
    ),
    ("work", "land"): (
        ("git land", "merge, verify, push, watch CI, and wait for the rollout"),
        ("git land --dry-run", "show what would be done, and what would prevent it"),
        ("git land --verify-cmd 'make check' --deploy shop/web", "use this check and this workload, for this run only"),
        ("git land --continue", "continue after a conflict or a crash"),
    ),
    ("work", "start"): (('cd "$(homelab work start topic)"', "create a worktree and a branch for a task"),),
    ("work", "clean"): (("homelab work clean topic", "remove the worktree and the branch of a task"),),
    ("hooks", "install"): (
        ("homelab hooks install", "watch CI after each push to the target"),
        ("homelab hooks install --global", "in every repository (git 2.54, or a global core.hooksPath)"),
    ),
    ("hooks", "uninstall"): (("homelab hooks uninstall", "remove the hooks and restore the previous ones"),),
    ("hooks", "status"): (("homelab hooks status", "show the installed hooks and what runs when"),),
    ("trust", "list"): (("homelab trust list", "list the approved commands"),),
    ("trust", "revoke"): (
        ("homelab trust revoke 'make test'", "ask again before this command is run"),
        ("homelab trust revoke --all", "ask again before any command is run"),
    ),
    ("agent", "install"): (
        ("homelab agent install claude", "show what is written for Claude Code, and write it after a question"),
        ("homelab agent install codex --yes", "set up Codex without a question"),
    ),
    ("agent", "uninstall"): (("homelab agent uninstall claude", "restore the files of Claude Code"),),
    ("agent", "status"): (("homelab agent status claude", "show whether Claude Code is set up"),),
    ("doctor",): (("homelab doctor", "check your setup"),),
    ("config",): (("homelab config", "show effective settings and their sources"),),
    ("mcp",): (("claude mcp add homelab -- homelab mcp", "add the server to Claude Code, in this repository"),),
    ("completion",): (
        ('eval "$(homelab completion bash)"', "complete commands in bash; put this line into ~/.bashrc"),
        ("homelab completion fish | source", "complete commands in fish"),
    ),
    ("demo",): (
        ("homelab demo", "a landing that passes CI and is rolled out"),
        ("homelab demo red", "a landing that fails in CI"),
    ),
    ("manifest",): (("homelab manifest --json", "all commands with their tiers, for the permissions of an agent"),),
}
