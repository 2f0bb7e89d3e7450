"""All defences."""

from __future__ import annotations

from tests.defences.repository import REPOSITORY
from tests.defences.secrets import SECRETS
from tests.defences.server import SERVER
from tests.defences.text import TEXT

REGISTER = (*SECRETS, *TEXT, *REPOSITORY, *SERVER)
