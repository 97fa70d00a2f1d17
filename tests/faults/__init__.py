"""The fault rig: the real site and its worker, ended at any point, and what must hold once somebody tried again."""
