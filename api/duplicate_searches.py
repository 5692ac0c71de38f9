"""/v1/duplicate-searches: look for one face behind several identities, follow the search, and fetch its report.

Who may not see scores gets no report, for it holds them.
"""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.deduplication import report_files
from analysis.deduplication.background_searches import BackgroundSearches, SearchState
from analysis.deduplication.composition import DeduplicationParts
from analysis.deduplication.expectation import LEAST_BUDGET
from analysis.deduplication.search import SearchView
from api import idempotency
from api.auth import AgreedPurpose, client_with
from api.dependencies import TheEngine, access_of
from api.idempotency import TheOnce
from api.openapi import CALLER_CODES, problems, request_body
from api.request_reading import AdmittedRequest, asked_of
from api.request_schemas import Body, GalleryName, Purpose
from api.response_schemas import UtcTime
from idverify.audit.events import utc_text
from idverify.clients.agencies import Client, Scope
from idverify.errors import NotFound, NotPermitted
from idverify.ids import GalleryId
from idverify.matching.operating_point import STRICTEST_RATE
from idverify.storage.jobs import JobState

router = APIRouter(tags=["duplicates"])
Reader = Annotated[Client, Depends(client_with(Scope.DUPLICATES_READ))]
SearchName = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$", description="The search's id.")]
_STRICTNESS = ("fmr", "budget")
_ABOUT_A_SEARCH = problems(*CALLER_CODES, "not_found", "request_invalid")


def _one_of_both(schema: dict[str, Any]) -> None:
    """What the validator below asks for, in the words of JSON Schema."""
    for name in _STRICTNESS:
        field = schema["properties"][name]
        number, _null = field.pop("anyOf")
        del field["default"]
        field |= number
    schema["oneOf"] = [{"required": [name]} for name in _STRICTNESS]


class DuplicateSearchBody(Body):
    """What to search, and how strictly: name one of `fmr` and `budget`."""

    model_config = ConfigDict(json_schema_extra=_one_of_both)

    gallery: GalleryName
    purpose: Purpose
    against: GalleryName | None = Field(None, description="Another gallery to compare with; absent: itself.")
    fmr: float | None = Field(
        None, ge=STRICTEST_RATE, le=0.5, description="False match rate of one comparison.", examples=[1e-6]
    )
    budget: float | None = Field(
        None, ge=LEAST_BUDGET, le=1e9, description="False pairs that can be reviewed, such as 200; the rate follows."
    )

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        named = [name for name in _STRICTNESS if name in self.model_fields_set]
        if len(named) != 1 or getattr(self, named[0]) is None:
            raise ValueError("expected one of fmr and budget")
        return self


class DuplicateSearchAnswer(BaseModel):
    """A search: what it announced, how far it is, and its report once it is through."""

    search: str
    gallery: GalleryId
    against: GalleryId | None
    progress: SearchState = Field(description="`stopped` and `failed` go on with POST …/run.")
    started_at: UtcTime
    policy: str = Field(description="Operating point and rules of the search.")
    fmr: float
    extrapolated: bool = Field(description="True: the rate lies beyond what was measured.")
    pairs: int = Field(description="Comparisons of references of different people.")
    expected_false_pairs: float = Field(description="So many pairs of different people reach the threshold by chance.")
    false_pairs_low: int = Field(description="In 95 of 100 such searches it is no fewer than this …")
    false_pairs_high: int = Field(description="… and no more than this.")
    blocks_done: int
    blocks: int = Field(description="0 until it is known.")
    report: str | None


def _searching(request: Request) -> BackgroundSearches:
    searching = request.app.state.searching
    assert isinstance(searching, BackgroundSearches)  # noqa: S101  set by create_app
    return searching


TheSearching = Annotated[BackgroundSearches, Depends(_searching)]


@router.post(
    "/v1/duplicate-searches",
    status_code=202,
    summary="Search a gallery for one face behind several identities",
    responses=problems(
        *CALLER_CODES,
        *idempotency.CODES,
        "gallery_not_found",
        "embedder_mismatch",
        "body_too_large",
        "content_type_unsupported",
        "request_invalid",
    ),
    response_description="The search is on record and runs; follow it by its id.",
    openapi_extra=request_body(DuplicateSearchBody),
)
def start_search(
    request: Request,
    engine: TheEngine,
    searching: TheSearching,
    asked: Annotated[
        AdmittedRequest[DuplicateSearchBody], Depends(asked_of(DuplicateSearchBody, Scope.DUPLICATES_READ))
    ],
    once: TheOnce,
) -> DuplicateSearchAnswer:
    """Says at once how many false pairs to expect, and works on. What it finds declines nobody: analysts decide."""
    client, body = asked.client, asked.body
    for gallery in filter(None, (body.gallery, body.against)):
        client.require(Scope.DUPLICATES_READ, gallery=gallery, purpose=body.purpose)
    access = access_of(request, client, body.purpose)
    search_plan = searching.searches.plan(body.gallery, against=body.against, fmr=body.fmr, budget=body.budget)
    now = utc_text(engine.journal.now())
    answer = once.answer(
        client,
        lambda alongside: searching.searches.start(search_plan, access, alongside),
        lambda search: _answer(SearchView(search, search_plan, JobState.RUNNING, now, 0, 0, None), SearchState.RUNNING),
        DuplicateSearchAnswer,
        body=body,
    )
    searching.resume(answer.search, access)
    return answer


@router.get("/v1/duplicate-searches/{search}", summary="How far a duplicate search is", responses=_ABOUT_A_SEARCH)
def show_search(
    searching: TheSearching, search: SearchName, _purpose: AgreedPurpose, client: Reader
) -> DuplicateSearchAnswer:
    """A search of a gallery that this client may not use answers like none."""
    view = searching.searches.show(search, within=client.galleries)
    return _answer(view, searching.progress(view))


@router.post(
    "/v1/duplicate-searches/{search}/run",
    status_code=202,
    summary="Go on with a search that stopped",
    responses=_ABOUT_A_SEARCH,
)
def run_search(
    request: Request, searching: TheSearching, search: SearchName, purpose: AgreedPurpose, client: Reader
) -> DuplicateSearchAnswer:
    """After a restart of the service, say. Blocks that are done are not done again; one that runs just runs on."""
    view = searching.searches.show(search, within=client.galleries)
    searching.resume(search, access_of(request, client, purpose))
    return _answer(view, searching.progress(view))


@router.delete(
    "/v1/duplicate-searches/{search}",
    status_code=204,
    summary="Cancel a duplicate search",
    responses=problems(*CALLER_CODES, "not_found", "conflict", "request_invalid"),
)
def cancel_search(
    request: Request, searching: TheSearching, search: SearchName, purpose: AgreedPurpose, client: Reader
) -> Response:
    """Stops it and deletes what it found so far. One that is through can not be cancelled: its report stands."""
    searching.searches.cancel(search, access_of(request, client, purpose), within=client.galleries)
    return Response(status_code=204)


@router.get(
    "/v1/duplicate-searches/{search}/report",
    summary="The signed report of a search",
    responses={200: {"content": {"application/json": {}}}, **_ABOUT_A_SEARCH},
    response_class=Response,
)
def search_report(
    request: Request,
    engine: TheEngine,
    searching: TheSearching,
    search: SearchName,
    purpose: AgreedPurpose,
    client: Reader,
) -> Response:
    """The report as JSON, which `python -m analysis report verify` checks offline. It holds scores: only for clients
    that may see them. Everybody whom it names gets a line in their access log.
    """
    if not client.sees_scores:
        raise NotPermitted("a report holds scores, which this client may not see")
    view = searching.searches.show(search, within=client.galleries)
    if view.report is None:
        raise NotFound("the search is not through yet")
    access = access_of(request, client, purpose)
    report = DeduplicationParts.of(engine.deployment).reports.read(view.report, access, within=client.galleries)
    return Response(report_files.as_json(report), media_type="application/json")


def _answer(view: SearchView, progress: SearchState) -> DuplicateSearchAnswer:
    expectation = view.plan.expectation
    return DuplicateSearchAnswer(
        search=view.search,
        gallery=view.plan.gallery,
        against=view.plan.against,
        progress=progress,
        started_at=view.started_at,
        policy=view.plan.policy,
        fmr=expectation.point.fmr,
        extrapolated=expectation.point.extrapolated,
        pairs=expectation.pairs,
        expected_false_pairs=expectation.expected,
        false_pairs_low=expectation.low,
        false_pairs_high=expectation.high,
        blocks_done=view.blocks_done,
        blocks=view.blocks,
        report=view.report,
    )
