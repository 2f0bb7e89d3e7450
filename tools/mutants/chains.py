"""Defences of the chain: no link after one that did not succeed, and a receipt that names the right one."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

RANDOM_CHAINS = ("tests/follow/test_random_chains.py::test_no_random_chain_ends_with_a_wrong_verdict",)
CHAIN, LIVE = "follow/chain.py", "follow/live.py"

CHAINS = (
    Defence(
        "chain-order",
        "no link begins after one that timed out",
        (
            Change(
                CHAIN,
                "if last.exit is ExitCode.OK and len(verdicts)",
                "if last.exit in {ExitCode.OK, ExitCode.TIMEOUT} and len(verdicts)",
            ),
        ),
        RANDOM_CHAINS,
    ),
    Defence(
        "chain-named-link",
        "the link that did not succeed is the one that is named",
        (Change(CHAIN, "decided = links[len(results) - 1]", "decided = links[-1]"),),
        RANDOM_CHAINS,
    ),
    Defence(
        "live-settle",
        "one answer that names the commit is not enough",
        (Change(LIVE, "if since is not None and now - since >= state.settle:", "if since is not None:"),),
        RANDOM_CHAINS,
    ),
)
