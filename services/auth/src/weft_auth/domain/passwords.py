"""What makes a password acceptable, and how it is prepared for hashing."""

import base64
import hashlib
import re
from typing import Final

from weft_contracts.errors import ErrorCode, WeftError

MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 1024
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]{2,}")

COMMON: Final = frozenset(
    ["12345678", "123456789", "1234567890", "12345678910", "0123456789", "87654321", "987654321", "9876543210", "11111111", "111111111", "1111111111", "00000000", "000000000", "0000000000", "88888888", "99999999", "66666666", "77777777", "55555555", "22222222", "12341234", "11223344", "1122334455", "12344321", "123123123", "123454321", "123321123", "147258369", "789456123", "159753456", "31415926", "20202020", "password", "password1", "password12", "password123", "password1234", "passw0rd", "p@ssw0rd", "p@ssword", "pa55word", "passwort", "passwort1", "motdepasse", "contraseña", "contrasena", "senha123", "wachtwoord", "kennwort1", "mypassword", "newpassword", "changeme", "changeme1", "changeme123", "change_me", "letmein1", "letmein123", "letmeinnow", "welcome1", "welcome12", "welcome123", "welcome2024", "welcome2025", "qwertyui", "qwertyuiop", "qwerty12", "qwerty123", "qwerty1234", "qwertzui", "qwertzuiop", "azertyuiop", "1qaz2wsx", "1q2w3e4r", "1q2w3e4r5t", "q1w2e3r4", "q1w2e3r4t5", "asdfghjk", "asdfghjkl", "asdf1234", "zxcvbnm1", "zxcvbnm123", "qazwsxedc", "qazwsx123", "1qazxsw2", "zaq12wsx", "abcd1234", "abc12345", "abcdefgh", "abcdefg1", "abc123456", "a1b2c3d4", "aa123456", "aaaaaaaa", "aaaaaaaaaa", "iloveyou", "iloveyou1", "iloveyou2", "ihateyou", "sunshine", "sunshine1", "princess", "princess1", "football", "football1", "baseball", "baseball1", "basketball", "superman", "superman1", "batman123", "spiderman", "starwars", "starwars1", "pokemon123", "minecraft", "trustno1", "whatever", "whatever1", "computer", "computer1", "internet", "michelle", "jennifer", "jonathan", "christian", "samantha", "patricia", "victoria", "charlie1", "jordan23", "michael1", "jessica1", "daniel123", "ashley123", "thomas123", "nicole123", "matthew1", "liverpool", "liverpool1", "chelsea1", "arsenal1", "barcelona", "realmadrid", "manchester", "juventus", "mercedes", "corvette", "ferrari1", "porsche911", "mustang1", "harley123", "yamaha123", "butterfly", "chocolate", "cheesecake", "blink182", "metallica", "nirvana1", "slipknot", "eminem123", "hello123", "hellohello", "helloworld", "hello1234", "goodbye1", "monkey123", "dragon123", "shadow123", "master123", "killer123", "freedom1", "secret123", "secretpassword", "admin123", "admin1234", "administrator", "adminadmin", "root1234", "rootroot", "toor1234", "testtest", "test1234", "test12345", "testing1", "testing123", "tester123", "guest123", "user1234", "username", "demo1234", "default1", "temp1234", "temporary", "example1", "sample123", "samsung1", "google123", "facebook1", "linkedin1", "microsoft", "apple123", "windows10", "windows11", "linux123", "ubuntu123", "oracle123", "weftweft", "workflow", "workflow1", "automation", "n8nn8nn8", "integration", "summer2024", "summer2025", "winter2024", "winter2025", "spring2024", "spring2025", "autumn2024", "autumn2025", "january1", "february1", "monday123", "friday123", "sommer2024", "winter123"]
)
"""Passwords that every list of stolen ones begins with, of those with at least eight characters."""


def normal_email(text: str) -> str:
    """The form in which addresses are compared. Raises VALIDATION_ERROR for what is none."""
    email = text.strip().lower()
    if len(email) > 254 or not _EMAIL.fullmatch(email):
        raise WeftError(ErrorCode.VALIDATION_ERROR, "That is not an e-mail address.", field="email")
    return email


def check_strength(password: str, email: str) -> None:
    """Raises VALIDATION_ERROR that says what to do."""
    folded = password.casefold()
    if len(password) < MIN_LENGTH:
        reason = f"Choose a password of at least {MIN_LENGTH} characters."
    elif len(password) > MAX_LENGTH:
        reason = f"Choose a password of at most {MAX_LENGTH} characters."
    elif folded in COMMON or len(set(folded)) < 3:
        reason = "That password is among the first that anyone would try; choose another."
    elif folded in {email, email.partition("@")[0]}:
        reason = "The password must not be the e-mail address."
    else:
        return
    raise WeftError(ErrorCode.VALIDATION_ERROR, reason, field="password")


def prehash(password: str) -> bytes:
    """What bcrypt is given: it looks at 72 bytes and stops at a zero byte, so a fixed-size text of the whole."""
    return base64.b64encode(hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest())
