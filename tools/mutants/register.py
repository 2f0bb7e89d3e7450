"""All defences."""

from __future__ import annotations

from tools.mutants.agents import AGENTS
from tools.mutants.cancels import CANCELS
from tools.mutants.cases import CASES
from tools.mutants.chain import CHAIN
from tools.mutants.chains import CHAINS
from tools.mutants.children import CHILDREN
from tools.mutants.cluster import CLUSTER
from tools.mutants.contact import WAITING
from tools.mutants.forge import FORGE
from tools.mutants.forge_links import FORGE_LINKS
from tools.mutants.image_proofs import IMAGE_PROOFS
from tools.mutants.landing import LANDING
from tools.mutants.mcp import MCP
from tools.mutants.notifications import NOTIFICATIONS
from tools.mutants.pipelines import PIPELINES
from tools.mutants.processes import PROCESSES
from tools.mutants.proposals import PROPOSALS
from tools.mutants.proxies import PROXIES
from tools.mutants.pull_requests import PULL_REQUESTS
from tools.mutants.queue import QUEUE
from tools.mutants.registries import REGISTRIES
from tools.mutants.repository import REPOSITORY
from tools.mutants.responder import RESPONDER
from tools.mutants.reverts import REVERTS
from tools.mutants.search import SEARCH
from tools.mutants.secrets import SECRETS
from tools.mutants.server import SERVER
from tools.mutants.settings import SETTINGS
from tools.mutants.stream import STREAM
from tools.mutants.superseding import SUPERSEDING
from tools.mutants.targets import TARGETS
from tools.mutants.terminal import TERMINAL
from tools.mutants.text import TEXT
from tools.mutants.user_work import USER_WORK
from tools.mutants.watchers import WATCHERS
from tools.mutants.watching import WATCHING

REGISTER = (
    *SECRETS,
    *NOTIFICATIONS,
    *TERMINAL,
    *TEXT,
    *REPOSITORY,
    *SERVER,
    *CHILDREN,
    *CASES,
    *WAITING,
    *RESPONDER,
    *STREAM,
    *SEARCH,
    *PIPELINES,
    *LANDING,
    *WATCHING,
    *WATCHERS,
    *USER_WORK,
    *SETTINGS,
    *PROXIES,
    *PROCESSES,
    *CHAIN,
    *CANCELS,
    *SUPERSEDING,
    *QUEUE,
    *FORGE,
    *CHAINS,
    *FORGE_LINKS,
    *IMAGE_PROOFS,
    *PULL_REQUESTS,
    *REVERTS,
    *PROPOSALS,
    *CLUSTER,
    *MCP,
    *REGISTRIES,
    *TARGETS,
    *AGENTS,
)
