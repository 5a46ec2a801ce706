"""The control room's tools, called over MCP with nothing but Python's standard library.

LAB_MCP_URL is the address, LAB_AGENT the name that is written into timelines, LAB_TOKEN the token where one is needed:
`lab drill bench` sets them.
"""

import json
import os
import time
import urllib.request

URL = os.environ.get("LAB_MCP_URL", "http://127.0.0.1:8080/mcp")


class Refused(Exception):
    """A tool that says what is wrong."""


def call(tool, **arguments):
    """Calls a tool and returns its answer."""
    headers = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "x-agent": os.environ.get("LAB_AGENT", "agent"),
    }
    if "LAB_TOKEN" in os.environ:
        headers["authorization"] = "Bearer " + os.environ["LAB_TOKEN"]
    params = {"name": tool, "arguments": arguments}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    request = urllib.request.Request(URL, json.dumps(message).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        message = json.load(answer)
    if "error" in message:
        raise Refused(message["error"]["message"])
    text = message["result"]["content"][0]["text"]
    if message["result"].get("isError"):
        raise Refused(text)
    return json.loads(text)


def attempt(tool, **arguments):
    """Calls a tool; a refusal is printed, and the answer is then nothing."""
    try:
        return call(tool, **arguments)
    except Refused as refused:
        print(f"{tool}: {refused}", flush=True)
        return None


def firing():
    """The alerts that fire."""
    return call("list_alerts", state="firing")["alerts"]


def wait_for_alerts(seconds):
    """Waits until something fires; nothing, if nothing does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        alerts = firing()
        if alerts:
            return alerts
        time.sleep(2)
    return []


def wait_for_silence(seconds):
    """Waits until nothing fires any more; says whether that happened."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not firing():
            return True
        time.sleep(2)
    return False


def services():
    """The services that can be restarted, each once."""
    return sorted({target["service"] for target in call("list_actions")["targets"]})
