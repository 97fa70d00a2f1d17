"""Importers: real data of other systems, read by written rules, written in one transaction or not at all."""
