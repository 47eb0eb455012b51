"""`Auth` and `Access`."""

from datetime import UTC, datetime

from weft_contracts.pb import auth_pb2 as pb
from weft_kit.rpc import current

from weft_auth.adapters.installation import KeptInstallation
from weft_auth.application.commands.accounts import Accounts
from weft_auth.application.commands.api_keys import ApiKeyCommands
from weft_auth.application.commands.sessions import Sessions
from weft_auth.application.commands.two_factor import TwoFactor
from weft_auth.application.queries.identity import IdentityQueries
from weft_auth.domain.model import ApiKey, OpenSession, Tokens, User
from weft_auth.domain.tokens import read_refresh_token


def _user(user: User) -> pb.User:
    message = pb.User(
        id=user.id,
        email=user.email,
        first_name=user.first_name,
        last_name=user.last_name,
        role=user.role,
        personal_project_id=user.personal_project_id,
    )
    message.created_at.FromDatetime(user.created_at)
    return message


def _tokens(tokens: Tokens) -> pb.Tokens:
    return pb.Tokens(
        access_token=tokens.access_token, refresh_token=tokens.refresh_token, expires_in=tokens.expires_in
    )


def _api_key(key: ApiKey) -> pb.ApiKey:
    message = pb.ApiKey(id=key.id, name=key.name, scopes=key.scopes, prefix=key.prefix)
    message.created_at.FromDatetime(key.created_at)
    if key.expires_at is not None:
        message.expires_at.FromDatetime(key.expires_at)
    if key.last_used_at is not None:
        message.last_used_at.FromDatetime(key.last_used_at)
    return message


def _session(session: OpenSession, current_id: str) -> pb.Session:
    message = pb.Session(
        id=session.id,
        address=session.address,
        user_agent=session.user_agent,
        current=session.id == current_id,
    )
    message.created_at.FromDatetime(session.created_at)
    message.last_used_at.FromDatetime(session.last_used_at)
    message.expires_at.FromDatetime(session.expires_at)
    return message


class AuthServicer:
    def __init__(
        self,
        accounts: Accounts,
        sessions: Sessions,
        two_factor: TwoFactor,
        api_keys: ApiKeyCommands,
        queries: IdentityQueries,
        installation: KeptInstallation,
        registration: str,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._two_factor = two_factor
        self._api_keys = api_keys
        self._queries = queries
        self._installation = installation
        self._registration = registration

    async def Register(self, request: pb.RegisterRequest) -> pb.RegisterResponse:
        user, tokens = await self._accounts.register(
            request.email, request.password, request.first_name, request.last_name
        )
        return pb.RegisterResponse(user=_user(user), tokens=_tokens(tokens))

    async def Login(self, request: pb.LoginRequest) -> pb.LoginResponse:
        user, tokens = await self._sessions.sign_in(
            request.email, request.password, request.code, request.address, request.user_agent
        )
        return pb.LoginResponse(user=_user(user), tokens=_tokens(tokens))

    async def Refresh(self, request: pb.RefreshRequest) -> pb.RefreshResponse:
        user, tokens = await self._sessions.refresh(request.refresh_token)
        return pb.RefreshResponse(user=_user(user), tokens=_tokens(tokens))

    async def Logout(self, request: pb.LogoutRequest) -> pb.LogoutResponse:
        who = current.get()
        caller_id = who.user_id if request.everywhere and who is not None and not who.scopes else ""
        await self._sessions.sign_out(request.refresh_token, request.everywhere, caller_id)
        return pb.LogoutResponse()

    async def GetUser(self, request: pb.GetUserRequest) -> pb.GetUserResponse:
        return pb.GetUserResponse(user=_user(await self._queries.user(request.user_id)))

    async def UpdateUser(self, request: pb.UpdateUserRequest) -> pb.UpdateUserResponse:
        user = await self._accounts.rename(
            request.user_id,
            request.first_name if request.HasField("first_name") else None,
            request.last_name if request.HasField("last_name") else None,
        )
        return pb.UpdateUserResponse(user=_user(user))

    async def ChangePassword(self, request: pb.ChangePasswordRequest) -> pb.ChangePasswordResponse:
        await self._accounts.change_password(request.user_id, request.current_password, request.new_password)
        return pb.ChangePasswordResponse()

    async def ListSessions(self, request: pb.ListSessionsRequest) -> pb.ListSessionsResponse:
        token = read_refresh_token(request.refresh_token)
        found = await self._queries.sessions(request.user_id)
        return pb.ListSessionsResponse(
            sessions=[_session(each, token.session_id if token else "") for each in found]
        )

    async def RevokeSession(self, request: pb.RevokeSessionRequest) -> pb.RevokeSessionResponse:
        await self._sessions.revoke(request.user_id, request.session_id)
        return pb.RevokeSessionResponse()

    async def GetTwoFactor(self, request: pb.GetTwoFactorRequest) -> pb.GetTwoFactorResponse:
        enabled, left = await self._two_factor.state(request.user_id)
        return pb.GetTwoFactorResponse(enabled=enabled, recovery_codes_left=left)

    async def SetUpTwoFactor(self, request: pb.SetUpTwoFactorRequest) -> pb.SetUpTwoFactorResponse:
        secret, uri = await self._two_factor.set_up(request.user_id)
        return pb.SetUpTwoFactorResponse(secret=secret, uri=uri)

    async def EnableTwoFactor(self, request: pb.EnableTwoFactorRequest) -> pb.EnableTwoFactorResponse:
        codes = await self._two_factor.enable(request.user_id, request.code)
        return pb.EnableTwoFactorResponse(recovery_codes=codes)

    async def DisableTwoFactor(self, request: pb.DisableTwoFactorRequest) -> pb.DisableTwoFactorResponse:
        await self._two_factor.disable(request.user_id, request.code)
        return pb.DisableTwoFactorResponse()

    async def CreateApiKey(self, request: pb.CreateApiKeyRequest) -> pb.CreateApiKeyResponse:
        expires: datetime | None = None
        if request.HasField("expires_at"):
            expires = request.expires_at.ToDatetime(tzinfo=UTC)
        made, key = await self._api_keys.create(request.user_id, request.name, list(request.scopes), expires)
        return pb.CreateApiKeyResponse(api_key=_api_key(made), key=key)

    async def ListApiKeys(self, request: pb.ListApiKeysRequest) -> pb.ListApiKeysResponse:
        found = await self._queries.api_keys(request.user_id)
        return pb.ListApiKeysResponse(api_keys=[_api_key(each) for each in found])

    async def DeleteApiKey(self, request: pb.DeleteApiKeyRequest) -> pb.DeleteApiKeyResponse:
        await self._api_keys.delete(request.user_id, request.api_key_id)
        return pb.DeleteApiKeyResponse()

    async def VerifyApiKey(self, request: pb.VerifyApiKeyRequest) -> pb.VerifyApiKeyResponse:
        found = await self._api_keys.verify(request.key)
        return pb.VerifyApiKeyResponse(user_id=found.user_id, scopes=found.scopes, api_key_id=found.id)

    async def GetKeys(self, request: pb.GetKeysRequest) -> pb.GetKeysResponse:
        return pb.GetKeysResponse(jwks=self._installation.jwks, issuer=self._installation.issuer)

    async def GetSetup(self, request: pb.GetSetupRequest) -> pb.GetSetupResponse:
        return pb.GetSetupResponse(
            needs_owner=await self._queries.needs_owner(), registration=self._registration
        )


class AccessServicer:
    def __init__(self, queries: IdentityQueries) -> None:
        self._queries = queries

    async def ListProjects(self, request: pb.ListProjectsRequest) -> pb.ListProjectsResponse:
        projects, default = await self._queries.projects(request.user_id)
        return pb.ListProjectsResponse(
            projects=[
                pb.Project(id=each.id, name=each.name, kind=each.kind, role=each.role) for each in projects
            ],
            default_project_id=default,
        )

    async def Authorize(self, request: pb.AuthorizeRequest) -> pb.AuthorizeResponse:
        role = await self._queries.authorize(request.user_id, request.project_id, request.action)
        return pb.AuthorizeResponse(role=role)
