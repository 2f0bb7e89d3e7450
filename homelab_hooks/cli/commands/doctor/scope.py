"""Commands that set a setting where it is set now: a value in another scope would have no effect, or be overridden."""

from __future__ import annotations

from homelab_hooks.config.resolve import Config


def set_in_scope(config: Config, name: str, value: str, *, unset: str = "global") -> str:
    """Return how to set a setting in the option, the variable, or the scope of git config that sets it now.

    Args:
        unset: the scope of git config if nothing sets it.
    """
    effective = next(each for each in config.values if each.setting.name == name)
    kind, _, where = effective.source.partition(" ")
    if kind == "option":
        return f"{where} {value}"
    if kind == "environment":
        return f"export {where}={value}"
    scope = where.rpartition("(")[2].rstrip(")") if kind == "git" else unset
    if scope == "command":  # `git -c`, or GIT_CONFIG_PARAMETERS
        return f"git -c {effective.setting.git}={value}"
    return " ".join(["git config", *([f"--{scope}"] if scope != "local" else []), f"{effective.setting.git} {value}"])
