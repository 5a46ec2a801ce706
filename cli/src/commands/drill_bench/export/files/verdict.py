"""Asks the lab for its verdict on the first run, and writes it as Harbor's reward: what it said counts, once.

The oracle is the lab's: users are served again for a few seconds while the load is back at its baseline, alerts are
clear, no order is lost, no protection is left off. What was not submitted is submitted here.
"""

import json
import pathlib
import time
import urllib.error
import urllib.request

LAB = "http://lab:18080/api/v1/drills"
# The drill of this task: the run of an easier one is worth nothing.
DRILL = pathlib.Path("/tests/drill").read_text().strip()
# How long the lab may take to judge and to put everything back.
PATIENCE = 420


def ask(path, body=None):
    """GET, or POST of a body. Nothing, if the lab refuses: a run that is over cannot be submitted."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(LAB + path, data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        print(path, error.code, error.read().decode(errors="replace"))
        return None


def first():
    """The first run; nothing, if the agent never began."""
    runs = ask("/runs?limit=50") or []
    runs = runs.get("runs", []) if isinstance(runs, dict) else runs
    return runs[-1] if runs else None


def ended(run):
    """The run as it is once everything is judged and put back."""
    ask(f"/runs/{run['id']}/submit", {})
    until = time.monotonic() + PATIENCE
    while run and not run.get("ended_at") and time.monotonic() < until:
        time.sleep(2)
        run = ask(f"/runs/{run['id']}") or run
    return run


def main():
    run = first()
    if run and not run.get("ended_at"):
        run = ended(run)
    verdict = (run or {}).get("verdict") or "never began"
    score = ((run or {}).get("score") or {}).get("total", 0)
    if run and run.get("drill") != DRILL:
        verdict, score = "another drill", 0
    for failure in (run or {}).get("failures", []):
        print("not met:", failure["condition"], "| expected:", failure["expected"], "| seen:", failure["seen"])
    print("verdict:", verdict, "score:", score)
    reward = {"reward": 1.0 if verdict == "passed" else 0.0, "score": score / 100}
    folder = pathlib.Path("/logs/verifier")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reward.json").write_text(json.dumps(reward))


main()
