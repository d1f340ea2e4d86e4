"""A gateway asked from Python with nothing but requests: one picture at once, then a run of files that a worker's root has.

    pip install requests
    CLIPFLEET_URL=http://localhost:8321 CLIPFLEET_KEY=... python3 gateway_requests.py pictures/owl.jpg owl.jpg bear.png
"""

import json, os, sys

import requests

URL = os.environ.get("CLIPFLEET_URL", "http://localhost:8321")
LABELS = ["fox", "bear", "owl"]

session = requests.Session()
session.headers["authorization"] = f"Bearer {os.environ.get('CLIPFLEET_KEY', '')}"


def ask(method, path, **how):
    answer = session.request(method, URL + path, timeout=60, **how)
    if not answer.ok:  # A problem document, whose code is one of docs/errors.md.
        problem = answer.json()
        sys.exit(f"{problem['code']}: {problem['detail']}")
    return answer


def main():
    picture, *files = sys.argv[1:]
    with open(picture, "rb") as image:
        answer = ask("POST", "/v1/classify", files={"image": image}, data={"candidate_labels": ",".join(LABELS)})
    print(picture, answer.json()[0]["label"])

    run = ask("POST", "/v1/runs", json={"labelSet": {"labels": LABELS}, "source": "gateway_requests.py"}).json()["run"]
    # A generator is sent as it goes, so that a list of millions needs no memory.
    lines = (json.dumps({"uri": file}).encode() + b"\n" for file in files)
    headers = {"content-type": "application/x-ndjson"}
    ask("POST", f"/v1/runs/{run}/images", params={"seal": "true"}, data=lines, headers=headers)
    with ask("GET", f"/v1/runs/{run}/rows", params={"follow": "true"}, stream=True) as answer:
        for line in filter(None, answer.iter_lines()):
            row = json.loads(line)
            print(row["id"], row["predictions"][0]["label"] if row["status"] == "classified" else row["error"]["code"])


main()
