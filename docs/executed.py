"""Run the Python of a page and write what it prints under every block.

The tutorial is such a page. A test runs it on the small study and fails where it shows something
else, with the command that mends it.
"""

import io
import re
from contextlib import redirect_stdout
from typing import Any

BLOCK = re.compile(r"```python\n(?P<code>.*?)```\n(?:\n```text\n.*?```\n)?", re.DOTALL)


def executed(page: str) -> str:
    """A page with the output of every block of Python below it.

    Blocks share their names, in order. Paths in them start at the working directory.

    Parameters
    ----------
    page
        Markdown.
    """
    names: dict[str, Any] = {}

    def with_output(block: re.Match[str]) -> str:
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(block["code"], names)
        code = f"```python\n{block['code']}```\n"
        return f"{code}\n```text\n{printed.getvalue()}```\n" if printed.getvalue() else code

    return BLOCK.sub(with_output, page)
