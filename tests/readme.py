"""README's Python, to be run as it stands there, in its order."""

import re
from pathlib import Path

HOSTS = ("synthcity", "sdv", "hyperimpute")
_PAGE = Path(__file__).parents[1] / "README.md"


def run(host=None):
    """Run the code that needs no host; with a host, what stands before its code, and that.

    Returns
    -------
    dict, Any
        The names defined, and the value of the last line.
    """
    text = _PAGE.read_text(encoding="utf-8")
    names, value = {}, None
    for block in re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        named = next((host for host in HOSTS if f"from {host}." in block), None)
        if named in (None, host):
            *lines, last = block.strip().splitlines()
            exec("\n".join(lines), names)
            value = eval(last, names)
        if host is not None and named == host:
            break
    return names, value
