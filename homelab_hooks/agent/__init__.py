"""Sets up coding agents to use this tool: permission rules, a skill, and a hook that wakes them."""
