"""The shop over HTTP for other front ends, partners and agents: /api/v1 (docs/api.md)."""
