"""A provider of sign-ins by OAuth 2.0 and 1.0a, and a service behind it, on authlib's server side. In a thread; its
state is open to the test."""

import logging
import os
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Self

from authlib.integrations.flask_oauth1 import AuthorizationServer as OAuth1Server
from authlib.integrations.flask_oauth1 import ResourceProtector
from authlib.integrations.flask_oauth2 import AuthorizationServer as OAuth2Server
from authlib.oauth1 import ClientMixin as OAuth1Client
from authlib.oauth1 import TemporaryCredential, TokenCredentialMixin
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask, jsonify, redirect, request
from werkzeug.serving import make_server

CLIENT, KEY = "weft", "s3cr3t/of the client"
logging.getLogger("werkzeug").setLevel(logging.ERROR)
INSECURE = "AUTHLIB_INSECURE_TRANSPORT"
"""What lets authlib speak http, for as long as a provider is there."""


@dataclass
class Client(ClientMixin):
    redirect_uris: list[str] = field(default_factory=list)
    methods: tuple[str, ...] = ("client_secret_basic", "client_secret_post")

    def get_client_id(self) -> str:
        return CLIENT

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uris[0]

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == KEY

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in self.methods

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return True


@dataclass
class Code(AuthorizationCodeMixin):
    code: str
    redirect_uri: str
    scope: str
    code_challenge: str
    code_challenge_method: str
    auth_time: float = field(default_factory=time.time)

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


@dataclass
class Token(TokenMixin):
    access_token: str
    refresh_token: str
    scope: str
    until: float
    revoked: bool = False

    def check_client(self, client: Any) -> bool:
        return True

    def get_scope(self) -> str:
        return self.scope

    def is_expired(self) -> bool:
        return self.until < time.time()

    def is_revoked(self) -> bool:
        return self.revoked

    def get_user(self) -> str:
        return "ada"

    def get_client(self) -> Any:
        return None


@dataclass
class OldClient(OAuth1Client):
    def get_default_redirect_uri(self) -> str:
        return ""

    def get_client_secret(self) -> str:
        return KEY

    def get_rsa_public_key(self) -> None:
        return None


@dataclass
class OldToken(TokenCredentialMixin):
    token: str
    secret: str

    def get_oauth_token(self) -> str:
        return self.token

    def get_oauth_token_secret(self) -> str:
        return self.secret


class Provider:
    """`asked`: the forms of the token endpoint. `agrees`: whether the user consents. `seconds`: how long tokens live.
    `rotates`: whether a refresh token works once only."""

    def __init__(self) -> None:
        self.client = Client()
        self.codes: dict[str, Code] = {}
        self.tokens: list[Token] = []
        self.asked: list[dict[str, str]] = []
        self.agrees = True
        self.seconds = 3600
        self.rotates = True
        self.pause = 0.0
        self.temporary: dict[str, TemporaryCredential] = {}
        self.old_tokens: dict[str, OldToken] = {}
        self._app = Flask("provider")
        self._oauth2()
        self._oauth1()
        self._server = make_server("127.0.0.1", 0, self._app, threaded=True)
        self.port = self._server.server_port
        self.base = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._before = os.environ.get(INSECURE)
        os.environ[INSECURE] = "1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        del os.environ[INSECURE]
        if self._before is not None:
            os.environ[INSECURE] = self._before

    def credential(self, **more: Any) -> dict[str, Any]:
        """The fields of an `oAuth2Api`."""
        return {
            "grantType": "authorizationCode",
            "authUrl": f"{self.base}/authorize",
            "accessTokenUrl": f"{self.base}/token",
            "clientId": CLIENT,
            "clientSecret": KEY,
            "scope": "read write",
            "authQueryParameters": "prompt=consent&state=mine",
            "authentication": "header",
            **more,
        }

    def old_credential(self, **more: Any) -> dict[str, Any]:
        """The fields of an `oAuth1Api`."""
        return {
            "requestTokenUrl": f"{self.base}/1/initiate",
            "authUrl": f"{self.base}/1/authorize",
            "accessTokenUrl": f"{self.base}/1/token",
            "consumerKey": CLIENT,
            "consumerSecret": KEY,
            "signatureMethod": "HMAC-SHA1",
            **more,
        }

    def expire(self) -> None:
        """Access tokens that were given are no good any more."""
        for token in self.tokens:
            token.until = 0

    def _oauth2(self) -> None:
        provider, app = self, self._app
        app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
        server = OAuth2Server(app, lambda client_id: self.client if client_id == CLIENT else None, self._save)

        class CodeGrant(grants.AuthorizationCodeGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

            def save_authorization_code(self, code: str, request: Any) -> None:
                data = request.payload.data
                provider.codes[code] = Code(
                    code,
                    request.payload.redirect_uri,
                    request.payload.scope,
                    data["code_challenge"],
                    data["code_challenge_method"],
                )

            def query_authorization_code(self, code: str, client: Any) -> Code | None:
                return provider.codes.get(code)

            def delete_authorization_code(self, authorization_code: Code) -> None:
                del provider.codes[authorization_code.code]

            def authenticate_user(self, authorization_code: Code) -> str:
                return "ada"

        class RefreshGrant(grants.RefreshTokenGrant):
            INCLUDE_NEW_REFRESH_TOKEN = True
            TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

            def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
                found = [each for each in provider.tokens if each.refresh_token == refresh_token]
                return next((each for each in found if not each.revoked), None)

            def authenticate_user(self, refresh_token: Token) -> str:
                return "ada"

            def revoke_old_credential(self, refresh_token: Token) -> None:
                refresh_token.revoked = provider.rotates

        class ClientGrant(grants.ClientCredentialsGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

        server.register_grant(CodeGrant, [CodeChallenge(required=True)])
        server.register_grant(RefreshGrant)
        server.register_grant(ClientGrant)

        @app.get("/authorize")
        def authorize() -> Any:
            grant = server.get_consent_grant(end_user="ada")
            return server.create_authorization_response(
                grant_user="ada" if provider.agrees else None, grant=grant
            )

        @app.post("/token")
        def token() -> Any:
            provider.asked.append(request.form.to_dict())
            time.sleep(provider.pause)
            return server.create_token_response()

        @app.get("/user")
        def user() -> Any:
            """As GitHub's API answers a personal access token."""
            if request.headers.get("Authorization") != f"token {KEY}":
                return jsonify(message="Bad credentials"), 401
            return jsonify(login="ada")

        @app.get("/me")
        def me() -> Any:
            bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
            known = [each for each in provider.tokens if each.access_token == bearer]
            if not known or known[0].is_expired() or known[0].is_revoked():
                return jsonify(error="expired"), 401
            return jsonify(name="ada", scope=known[0].scope)

    def _save(self, token: dict[str, Any], _: Any) -> None:
        token["expires_in"] = self.seconds
        self.tokens.append(
            Token(
                token["access_token"],
                token.get("refresh_token", ""),
                token.get("scope", ""),
                time.time() + self.seconds,
            )
        )

    def _oauth1(self) -> None:
        provider, app = self, self._app
        app.config["OAUTH1_SUPPORTED_SIGNATURE_METHODS"] = ["HMAC-SHA1"]
        server = OAuth1Server(app, query_client=lambda name: OldClient() if name == CLIENT else None)

        def create_temporary(token: dict[str, str], client_id: str, redirect_uri: str) -> Any:
            made = TemporaryCredential({**token, "client_id": client_id, "oauth_callback": redirect_uri})
            provider.temporary[token["oauth_token"]] = made
            return made

        def create_verifier(credential: Any, grant_user: str, verifier: str) -> str:
            credential["oauth_verifier"], credential["user_id"] = verifier, grant_user
            return verifier

        def create_token(token: dict[str, str], credential: Any) -> OldToken:
            made = OldToken(token["oauth_token"], token["oauth_token_secret"])
            provider.old_tokens[made.token] = made
            return made

        server.register_hook("create_temporary_credential", create_temporary)
        server.register_hook("get_temporary_credential", provider.temporary.get)
        server.register_hook("delete_temporary_credential", lambda name: provider.temporary.pop(name, None))
        server.register_hook("create_authorization_verifier", create_verifier)
        server.register_hook("create_token_credential", create_token)
        server.register_hook("exists_nonce", lambda *_: False)
        protect = ResourceProtector(
            app,
            query_client=lambda name: OldClient() if name == CLIENT else None,
            query_token=lambda _, name: provider.old_tokens.get(name),
            exists_nonce=lambda *_: False,
        )

        @app.post("/1/initiate")
        def initiate() -> Any:
            return server.create_temporary_credentials_response()

        @app.get("/1/authorize")
        def consent() -> Any:
            return server.create_authorization_response(grant_user="ada")

        @app.post("/1/token")
        def exchange() -> Any:
            return server.create_token_response()

        @app.route("/1/me", methods=["GET", "POST"])
        @protect()
        def whoami() -> Any:
            return jsonify(name="ada", given=request.form.to_dict(), query=request.args.to_dict())

        @app.get("/")
        def start() -> Any:
            return redirect("/me")
