"""`weft`: everything in one process, one service, one workflow file, and care of an installation.

Exit codes: 0 done; 1 it failed (a run that ended as error, a check that found something); 2 wrong arguments or
settings; 3 the installation is not in a state for it (port or folder taken, server out of reach).
"""

import sys
from pathlib import Path

import click
from weft_contracts.errors import ErrorCode, WeftError

_EXIT = {
    ErrorCode.VALIDATION_ERROR: 2,
    ErrorCode.CONFLICT: 3,
    ErrorCode.UNAVAILABLE: 3,
    ErrorCode.TIMEOUT: 3,
}
SERVICES = (
    "gateway",
    "auth",
    "workflow-store",
    "orchestrator",
    "node-runner",
    "scheduler",
    "webhook-ingress",
    "realtime",
)


class Weft(click.Group):
    """Turns WeftError into a line on stderr and an exit code."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except WeftError as error:
            click.echo(f"weft: {error.message}", err=True)
            sys.exit(_EXIT.get(error.code, 1))


@click.group(cls=Weft, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="weft-cli", prog_name="weft")
def cli() -> None:
    """Workflow automation that loses nothing."""


@cli.command()
@click.option("--port", type=int, help="Port of the page, the API and the webhooks (WEFT_PORT, 8080).")
@click.option("--home", type=click.Path(path_type=Path), help="Folder of all data (WEFT_HOME, ~/.weft).")
def up(port: int | None, home: Path | None) -> None:
    """Start all eight services in one process. Ctrl-C stops them.

    \b
    weft up
    weft up --port 9000 --home ./data
    """
    from weft_cli.embedded.run import run

    flags = {name: value for name, value in (("port", port), ("home", home)) if value is not None}
    sys.exit(run(flags))


@cli.command()
@click.argument("name", type=click.Choice(SERVICES))
def service(name: str) -> None:
    """Start one service of the distributed form.

    \b
    WEFT_KAFKA_BROKERS=… WEFT_DATABASE_URL=… WEFT_REDIS_URL=… weft service orchestrator
    """
    from weft_kit.runtime import main as run_service

    run_service(name)


@cli.command("run")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--input",
    "items",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON list of items for the trigger.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document with status, error and items.")
def run_file(file: Path, items: Path | None, as_json: bool) -> None:
    """Run a workflow file without a server and print the items of its last node.

    \b
    weft run invoice.json
    weft run invoice.json --input items.json --json | jq .items
    """
    from weft_cli.commands.run_file import run_workflow_file

    sys.exit(run_workflow_file(file, items, as_json=as_json))


_SERVER = click.option(
    "--server",
    envvar="WEFT_SERVER",
    default="http://127.0.0.1:8080",
    help="Address of the Weft.",
    show_default=True,
    show_envvar=True,
)
_KEY = click.option(
    "--api-key", envvar="WEFT_API_KEY", required=True, help="An API key (page: API keys).", show_envvar=True
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@cli.command("import")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--publish", is_flag=True, help="Publish each workflow as well.")
@_JSON
@_SERVER
@_KEY
def import_files(files: tuple[Path, ...], publish: bool, as_json: bool, server: str, api_key: str) -> None:
    """Import workflow files (n8n's JSON as it is) into a running Weft.

    \b
    weft import *.json --publish
    """
    from weft_cli.commands.transfer import import_workflows

    sys.exit(import_workflows(server, api_key, files, publish=publish, as_json=as_json))


@cli.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@_JSON
@_SERVER
@_KEY
def export_all(folder: Path, as_json: bool, server: str, api_key: str) -> None:
    """Write every workflow that one may see into FOLDER, exactly as it was received."""
    from weft_cli.commands.transfer import export_workflows

    sys.exit(export_workflows(server, api_key, folder, as_json=as_json))


@cli.command()
def migrate() -> None:
    """Bring the database of WEFT_DATABASE_URL to the newest schema."""
    import asyncio

    from weft_kit.database.migrate import migrate_all
    from weft_kit.settings import CoreSettings

    settings = CoreSettings.load()
    if not settings.database_url:
        raise WeftError(
            ErrorCode.CONFLICT, "WEFT_DATABASE_URL is not set; `weft up` migrates its own database by itself."
        )
    asyncio.run(migrate_all(settings.dsn))
    click.echo("every schema is at its newest version")


@cli.group()
def keys() -> None:
    """Care of the master key."""


@keys.command()
def rotate() -> None:
    """Seal everything with a new master key: credentials, secrets, keys of files.

    Ended in the middle, it is run again and goes on; until it is done both keys open what they sealed. Without
    WEFT_MASTER_KEY the new key is made here and Weft has to be stopped; with it, see docs/security.md.

    \b
    weft keys rotate
    WEFT_MASTER_KEY=new WEFT_MASTER_KEY_PREVIOUS=old weft keys rotate
    """
    from weft_cli.commands.keys import rotate as rotate_keys

    sys.exit(rotate_keys())


@cli.group("dead-letters")
def dead_letters() -> None:
    """Messages that could not be handled.

    Of the cluster that WEFT_KAFKA_BROKERS names, else of the folder WEFT_HOME. A replay of a start is a new execution.

    \b
    weft dead-letters list
    weft dead-letters replay 01890a5d-ac96-774b-bcce-b302099a8057
    """


_LETTERS = click.argument("letters", nargs=-1)
_ALL = click.option("--all", "everything", is_flag=True, help="All that there are.")


@dead_letters.command("list")
@_JSON
def list_letters(as_json: bool) -> None:
    """What they are and why."""
    from weft_cli.commands import dead_letters as of

    of.run(of.listed(as_json=as_json))


@dead_letters.command("show")
@click.argument("letter")
def show_letter(letter: str) -> None:
    """One whole, as JSON. It may hold the data of an execution."""
    from weft_cli.commands import dead_letters as of

    of.run(of.shown(letter))


@dead_letters.command("replay")
@_LETTERS
@_ALL
def replay_letters(letters: tuple[str, ...], everything: bool) -> None:
    """Have them handled again: by the running Weft within seconds, else when it starts."""
    from weft_cli.commands import dead_letters as of

    of.run(of.treated(_chosen(letters, everything=everything), of.replay))


@dead_letters.command("remove")
@_LETTERS
@_ALL
def remove_letters(letters: tuple[str, ...], everything: bool) -> None:
    """Forget them."""
    from weft_cli.commands import dead_letters as of

    of.run(of.treated(_chosen(letters, everything=everything), of.remove))


def _chosen(letters: tuple[str, ...], *, everything: bool) -> tuple[str, ...]:
    """Nothing named stands for all, but only where that is said. Raises VALIDATION_ERROR."""
    if bool(letters) == everything:
        raise WeftError(ErrorCode.VALIDATION_ERROR, "Name the letters, or say --all.")
    return letters


@cli.command()
@_JSON
def doctor(as_json: bool) -> None:
    """Check what this machine has and what Weft needs."""
    from weft_cli.commands.doctor import examine

    sys.exit(examine(as_json=as_json))


def main() -> None:
    cli()


if __name__ == "__main__":
    main()
