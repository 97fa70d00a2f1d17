"""The demo shop's pictures: drawn by code, one hand, one light, no photographs needed."""

from backoffice.demo.pictures.catalogue import draw

__all__ = ["draw"]
