"""Runs duplicate searches in threads beside the requests of a service.

A search is a job in the database: one that was interrupted, by a restart say, stays stopped there until somebody
resumes it from the pages, the API or a terminal.
"""

import threading
from enum import StrEnum

from analysis.deduplication.search import DuplicateSearches, SearchCancelled, SearchView
from idverify.access import Access
from idverify.errors import IdverifyError
from idverify.storage.jobs import JobState


class SearchState(StrEnum):
    """How far a search is, as this process can know it."""

    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    FINISHED = "finished"


class BackgroundSearches:
    """The searches that this process runs, each in a thread of its own."""

    def __init__(self, searches: DuplicateSearches) -> None:
        self.searches = searches
        self._running: set[str] = set()
        self._failed: set[str] = set()
        self._lock = threading.Lock()

    def resume(self, search: str, access: Access) -> None:
        """Do what is not done yet of a search; does nothing when it runs here already."""
        with self._lock:
            if search in self._running:
                return
            self._running.add(search)
            self._failed.discard(search)
        threading.Thread(target=self._run, args=(search, access), name=f"search-{search[:8]}", daemon=True).start()

    def progress(self, view: SearchView) -> SearchState:
        """Of a search that `searches` showed."""
        if view.state is JobState.FINISHED:
            return SearchState.FINISHED
        if view.search in self._running:
            return SearchState.RUNNING
        return SearchState.FAILED if view.search in self._failed else SearchState.STOPPED

    def _run(self, search: str, access: Access) -> None:
        try:
            self.searches.run(search, access, lambda *_: None)
        except SearchCancelled:
            pass  # as somebody asked for
        except IdverifyError:
            self._failed.add(search)
        finally:
            self._running.discard(search)
