"""Defects that every suite of a shop must catch: each is planted in a copy of the program, and a named test must turn red."""
