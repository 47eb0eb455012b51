"""`Documents`: what people name by its address."""

from typing import Final

from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import documents_pb2 as pb
from weft_kit.identity.access import AccessPolicy
from weft_node_sdk.context import Http, NodeRunError

SECONDS: Final = 10.0


class DocumentsServicer:
    def __init__(self, http: Http, policy: AccessPolicy) -> None:
        self._http = http
        self._policy = policy

    async def Fetch(self, request: pb.FetchDocumentRequest) -> pb.FetchDocumentResponse:
        project_id = request.project_id or await self._policy.default_project()
        await self._policy.require(project_id, "workflow:create")
        try:
            answer = await self._http.request(
                "GET",
                request.url,
                headers=[("accept", "application/json")],
                timeout=SECONDS,
                max_redirects=5,
                max_bytes=request.max_bytes,
            )
        except NodeRunError as error:
            raise WeftError(ErrorCode.UNPROCESSABLE, error.message) from None
        if answer.status >= 400:
            text = f"The address answered {answer.status} {answer.reason}.".replace(" .", ".")
            raise WeftError(ErrorCode.UNPROCESSABLE, text)
        return pb.FetchDocumentResponse(body=answer.body)
