"""Servers of SSH, FTP and LDAP as processes of this machine; see `weft_kit.testing.servers`."""

import os
import pwd
import secrets
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from weft_kit.testing.certificates import CERTIFICATE, self_signed
from weft_kit.testing.servers import LOOPBACK, ServerProcess, program

_IN_NAMESPACE: Final = (
    'mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/shadow" /etc/shadow && mount -t tmpfs none /run'
    ' && mkdir -p /run/sshd && exec "$1" -D -e -f "$0/config"'
)
"""sshd asks the system for passwords: in a mount namespace it finds an account that the machine has not."""


class SshServer(ServerProcess):
    """OpenSSH's sshd. `home` is where who signs in begins; `key` opens it, and `password` where we are root."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.home: Final = folder / "home"
        self.password: Final = secrets.token_urlsafe(12)
        self.has_passwords: Final = os.geteuid() == 0
        self.user: Final = "weft" if self.has_passwords else pwd.getpwuid(os.geteuid()).pw_name

    @property
    def port(self) -> int:
        return self._port("ssh")

    @property
    def key(self) -> str:
        """The client's private key."""
        return (self.folder / "client").read_text()

    def _prepare(self) -> None:
        self.home.mkdir(exist_ok=True)
        for name in ("host", "client"):
            if not (self.folder / name).exists():
                words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)]
                subprocess.run(words, check=True)  # noqa: S603 - our own command
        settings = {
            "Port": self.port,
            "ListenAddress": LOOPBACK,
            "HostKey": self.folder / "host",
            "AuthorizedKeysFile": self.folder / "client.pub",
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "PermitRootLogin": "yes",
            "MaxStartups": "100",
            "Subsystem": "sftp internal-sftp",
        }
        (self.folder / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        if self.has_passwords:
            self._write_accounts()

    def _write_accounts(self) -> None:
        words = ["openssl", "passwd", "-6", "-stdin"]
        hashed = subprocess.run(  # noqa: S603 - our own command
            words, input=self.password, capture_output=True, text=True, check=True
        ).stdout.strip()
        user = f"{self.user}:x:0:0::{self.home}:/bin/sh\n"
        (self.folder / "passwd").write_text(Path("/etc/passwd").read_text() + user)
        (self.folder / "shadow").write_text(f"{self.user}:{hashed}:20000:0:99999:7:::\n")

    def _command(self) -> Sequence[str]:
        sshd = program("sshd")
        if self.has_passwords:
            return ["unshare", "--mount", "sh", "-c", _IN_NAMESPACE, str(self.folder), sshd]
        return [sshd, "-D", "-e", "-f", str(self.folder / "config")]

    def _ready(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as probe:
                return probe.recv(4) == b"SSH-"
        except OSError:
            return False


class LdapServer(ServerProcess):
    """OpenLDAP's slapd with an empty tree, in the clear and by TLS. `authority`: PEM of its certificate."""

    suffix: Final = "dc=example,dc=org"
    admin: Final = f"cn=admin,{suffix}"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.password: Final = secrets.token_urlsafe(12)

    @property
    def port(self) -> int:
        return self._port("ldap")

    @property
    def tls_port(self) -> int:
        return self._port("ldaps")

    @property
    def authority(self) -> str:
        return (self.folder / CERTIFICATE).read_text()

    def _prepare(self) -> None:
        certificate, key = self_signed(self.folder)
        (self.folder / "data").mkdir(exist_ok=True)
        schemas = ("core", "cosine", "inetorgperson")
        lines = [f"include /etc/ldap/schema/{name}.schema" for name in schemas]
        lines += ["modulepath /usr/lib/ldap", "moduleload back_mdb"]
        lines += [f"TLSCertificateFile {certificate}"]
        lines += [f"TLSCertificateKeyFile {key}"]
        lines += ["database mdb", f"suffix {self.suffix}", f"rootdn {self.admin}", f"rootpw {self.password}"]
        lines += [f"directory {self.folder}/data", "access to * by users read by anonymous auth"]
        (self.folder / "config").write_text("\n".join(lines) + "\n")

    def _command(self) -> Sequence[str]:
        addresses = f"ldap://{LOOPBACK}:{self.port} ldaps://{LOOPBACK}:{self.tls_port}"
        return [program("slapd"), "-d", "0", "-f", str(self.folder / "config"), "-h", addresses]

    def _ready(self) -> bool:
        try:
            for port in (self.port, self.tls_port):
                socket.create_connection((LOOPBACK, port), timeout=1).close()
        except OSError:
            return False
        return True


class FtpServer(ServerProcess):
    """vsftpd, which wants TLS and, as it does by itself, data connections that resume the session. Anonymous may do in
    all folders what we may, with the password."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.password: Final = secrets.token_urlsafe(12)

    @property
    def port(self) -> int:
        return self._port("ftp")

    def _prepare(self) -> None:
        certificate, key = self_signed(self.folder)
        (self.folder / "empty").mkdir(exist_ok=True)
        (self.folder / "passwords").write_text(f"{self.password}\n")
        yes = """listen run_as_launching_user anonymous_enable write_enable anon_upload_enable anon_mkdir_write_enable
            anon_other_write_enable ssl_enable allow_anon_ssl force_anon_logins_ssl force_anon_data_ssl
            secure_email_list_enable"""
        no = "background local_enable anon_world_readable_only seccomp_sandbox connect_from_port_20"
        settings = {
            "listen_port": self.port,
            "listen_address": LOOPBACK,
            "email_password_file": self.folder / "passwords",
            "secure_chroot_dir": self.folder / "empty",
            "rsa_cert_file": certificate,
            "rsa_private_key_file": key,
            "ssl_ciphers": "HIGH",
            **dict.fromkeys(yes.split(), "YES"),
            **dict.fromkeys(no.split(), "NO"),
        }
        path = self.folder / "config"
        path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        path.chmod(0o600)

    def _command(self) -> Sequence[str]:
        return [program("vsftpd"), str(self.folder / "config")]

    def _ready(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as probe:
                return probe.recv(4) == b"220 "
        except OSError:
            return False
