"""Make PDF files of our own pages, with nothing fetched from anywhere."""

from __future__ import annotations


def make(html: str) -> bytes:
    """Return a page as a PDF file. Whatever the page points at is refused: it holds all it needs.

    Raises weasyprint.urls.FatalURLFetchingError if it points at anything.
    """
    import weasyprint  # here, because loading it takes as long as all the rest
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    class Nothing(URLFetcher):  # type: ignore[misc]  # weasyprint carries no types
        """Refuses every address."""

        def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:  # noqa: ARG002 - its signature
            raise FatalURLFetchingError(f"papers fetch nothing: {url.partition(':')[0]}")

    return bytes(weasyprint.HTML(string=html, url_fetcher=Nothing()).write_pdf())
