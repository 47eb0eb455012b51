"""What the jail of expressions and scripts can't have on this machine."""

import asyncio

from weft_expressions.evaluator import EvaluatorPool


def missing() -> list[str]:
    """Names of the walls that the kernel does not give, each with its reason. Raises EvaluatorUnavailable."""

    async def ask() -> list[str]:
        pool = EvaluatorPool(1)
        await pool.start()
        try:
            return pool.missing
        finally:
            await pool.stop()

    return asyncio.run(ask())
