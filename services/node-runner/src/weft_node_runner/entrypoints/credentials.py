"""The part of `NodeTools` that is about credentials: trying them, and signing in at services."""

from typing import Any

import orjson
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import node_runner_pb2 as pb
from weft_contracts.pb import workflow_store_pb2 as store
from weft_contracts.rpc.workflow_store import Credentials
from weft_kit.identity.access import AccessPolicy
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.credentials import CALLBACKS, TOKENS, patched, tokens_of, with_defaults

from weft_node_runner.application import oauth
from weft_node_runner.application.tokens import Tokens
from weft_node_runner.application.trial import UNTESTABLE, Gate, Verdict, refused, tried


class CredentialTools:
    """`origin`: the installation's public address, the only one that services send users back to."""

    def __init__(
        self,
        credentials: Credentials,
        policy: AccessPolicy,
        catalogue: Catalogue,
        gate: Gate,
        tokens: Tokens,
        origin: str,
    ) -> None:
        self._credentials = credentials
        self._policy = policy
        self._catalogue = catalogue
        self._gate = gate
        self._tokens = tokens
        self._origin = origin

    # --- trials -----------------------------------------------------------------------------------------------

    async def test(self, request: pb.TestCredentialRequest) -> pb.TestCredentialResponse:
        """Raises NOT_FOUND, FORBIDDEN, VALIDATION_ERROR."""
        stored = request.credential_id
        if stored:
            # for those only who could store the change
            action = "credential:update" if request.data else "credential:test"
            kind, secret, project_id = await self._opened(stored, action)
            if request.data:
                stored, secret = (
                    "",
                    patched(self._catalogue.credential_type(kind), secret, _fields(request.data)),
                )
        else:
            project_id = request.project_id or await self._policy.default_project()
            await self._policy.require(project_id, "credential:create")
            kind, secret = request.type, _fields(request.data)
        verdict = await self._tried(kind, secret, stored, project_id)
        return pb.TestCredentialResponse(ok=verdict.ok, tested=verdict.tested, message=verdict.message)

    async def _tried(self, kind: str, secret: dict[str, Any], credential_id: str, project_id: str) -> Verdict:
        definition = self._catalogue.credential_type(kind)
        if definition is None:
            message = f"The credential type '{kind}' is not installed."
            raise WeftError(ErrorCode.VALIDATION_ERROR, message, path="type")
        if definition.get("sign_in") != "oauth2":
            return await tried(self._catalogue, self._gate, kind, secret)
        given, held = with_defaults(definition, secret), tokens_of(secret)
        alone = given.get("grantType") == "clientCredentials"
        try:
            if credential_id:
                # a token that was just given proves the credential, where a stored one may be old
                stale = str(held.get("access_token") or "")
                secret = await self._tokens.current(definition, credential_id, project_id, secret, stale)
            elif alone:
                secret = {**secret, TOKENS: await oauth.client_tokens(self._gate.http, given)}
            else:
                message = "Save the credential and connect it: the service asks for consent then."
                return Verdict(ok=False, message=message, tested=False)
        except NodeRunError as error:
            return refused(error)
        if definition.get("test"):
            return await tried(self._catalogue, self._gate, kind, secret)
        if alone or held.get("refresh_token"):
            return Verdict(ok=True, message="The service has given a token.")
        return UNTESTABLE

    # --- sign-ins ---------------------------------------------------------------------------------------------

    async def begin(self, request: pb.BeginSignInRequest) -> pb.BeginSignInResponse:
        """Raises NOT_FOUND, FORBIDDEN; VALIDATION_ERROR where the kind has no sign-in or its fields allow none."""
        kind, secret, _ = await self._opened(request.credential_id, "credential:update")
        definition = self._catalogue.credential_type(kind) or {}
        sign_in = str(definition.get("sign_in", ""))
        if not sign_in:
            message = "Credentials of this kind have no sign-in at a service."
            raise WeftError(ErrorCode.VALIDATION_ERROR, message, type=kind)
        secret = with_defaults(definition, secret)
        if secret.get("grantType") == "clientCredentials":
            message = "Client credentials need no consent: nodes get their tokens by themselves."
            raise WeftError(ErrorCode.VALIDATION_ERROR, message)
        back = f"{self._origin}{CALLBACKS[sign_in]}"
        try:
            if sign_in == "oauth1":
                state = await self._keep(request, {}, "")
                url, token = await oauth.request_token(self._gate.http, secret, f"{back}?state={state}")
                await self._keep(request, {"token": token}, state)
            else:
                verifier = oauth.new_verifier()
                state = await self._keep(request, {"verifier": verifier, "back": back}, "")
                url = oauth.consent_url(secret, back, state, verifier)
        except NodeRunError as error:
            raise WeftError(ErrorCode.VALIDATION_ERROR, error.message) from None
        return pb.BeginSignInResponse(url=url)

    async def _keep(self, request: pb.BeginSignInRequest, secret: dict[str, Any], state: str) -> str:
        call = store.BeginSignInRequest(
            credential_id=request.credential_id,
            binding=request.binding,
            secret=orjson.dumps(secret),
            state=state,
        )
        return (await self._credentials.BeginSignIn(call)).state

    async def finish(self, request: pb.FinishSignInRequest) -> pb.FinishSignInResponse:
        """Raises VALIDATION_ERROR where no such sign-in is open in that browser."""
        found = await self._credentials.TakeSignIn(
            store.TakeSignInRequest(state=request.state, binding=request.binding)
        )
        definition = self._catalogue.credential_type(found.type) or {"type": found.type, "fields": []}
        secret = with_defaults(definition, orjson.loads(found.data))
        begun, tokens, error = orjson.loads(found.secret), None, ""
        try:
            if request.error or not request.code:
                error = f"The service has not agreed: {request.error[:300] or 'it sent no code'}"
            elif definition.get("sign_in") == "oauth1":
                token = begun.get("token") or {}
                if request.token != token.get("oauth_token"):
                    raise NodeRunError("The service sent another token back than it gave")
                tokens = await oauth.verified_token(self._gate.http, secret, token, request.code)
            else:
                tokens = await oauth.code_tokens(
                    self._gate.http, secret, request.code, begun["back"], begun["verifier"]
                )
        except NodeRunError as failure:
            error = failure.message
        put = store.PutTokensRequest(credential_id=found.credential_id, lease=found.lease)
        if tokens is not None:
            put.tokens = orjson.dumps(tokens)
        try:
            await self._credentials.PutTokens(put)
        except WeftError as conflict:
            if conflict.code is not ErrorCode.CONFLICT:
                raise
            error = error or conflict.message
        return pb.FinishSignInResponse(name=found.name, error=error)

    async def _opened(self, credential_id: str, action: str) -> tuple[str, dict[str, Any], str]:
        """Kind, fields, project of a credential that the caller may do that with. Raises NOT_FOUND, FORBIDDEN."""
        found = await self._credentials.Get(store.GetCredentialRequest(credential_id=credential_id))
        project_id = found.credential.project_id
        await self._policy.require(project_id, action)
        call = store.DecryptRequest(credential_id=credential_id, project_id=project_id)
        opened = await self._credentials.Decrypt(call)
        return opened.type, _fields(opened.data), project_id


def _fields(data: bytes) -> dict[str, Any]:
    fields = orjson.loads(data or b"{}")
    if not isinstance(fields, dict):
        raise WeftError(ErrorCode.VALIDATION_ERROR, "The data of a credential must be a JSON object.")
    return fields
