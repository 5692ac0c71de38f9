"""Runs duplicate searches beside the requests of a service; what was cut off stays, and can go on.

A search belongs to the database, not to this process: after a restart it stands where it stopped until somebody lets it
go on, through any door.
"""

import threading
from enum import StrEnum

from analysis.deduplication.search import DuplicateSearches, SearchCancelled, SearchView
from idverify.access import Access
from idverify.engine import Engine
from idverify.errors import IdverifyError
from idverify.storage.jobs import JobState


class SearchState(StrEnum):
    """How a search stands, as this process can know it."""

    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    FINISHED = "finished"


class BackgroundSearches:
    """The searches that this process runs, each in a thread of its own."""

    def __init__(self, engine: Engine) -> None:
        self.searches = DuplicateSearches(engine.deployment)
        self._running: set[str] = set()
        self._failed: set[str] = set()
        self._lock = threading.Lock()

    def go_on(self, search: str, access: Access) -> None:
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
            pass  # as it was told to
        except IdverifyError:
            self._failed.add(search)
        finally:
            self._running.discard(search)
