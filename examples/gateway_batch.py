"""Labels pictures by a batch of a gateway, with OpenAI's own client: prints the best label of each.

    pip install openai
    CLIPFLEET_URL=http://localhost:8321 CLIPFLEET_KEY=... python3 gateway_batch.py pictures/owl.jpg pictures/bear.png
"""

import base64, json, os, sys, time

from openai import OpenAI

url = os.environ.get("CLIPFLEET_URL", "http://localhost:8321")
client = OpenAI(base_url=f"{url}/v1", api_key=os.environ.get("CLIPFLEET_KEY", "none"))


def request(picture):
    with open(picture, "rb") as file:
        image = base64.b64encode(file.read()).decode()
    body = {"inputs": image, "parameters": {"candidate_labels": ["fox", "bear", "owl"]}}
    return json.dumps({"custom_id": picture, "method": "POST", "url": "/v1/classify", "body": body})


requests = "\n".join(request(picture) for picture in sys.argv[1:])
file = client.files.create(file=("requests.jsonl", requests.encode()), purpose="batch")
batch = client.batches.create(input_file_id=file.id, endpoint="/v1/classify", completion_window="24h")
while batch.status not in ("completed", "failed", "expired", "cancelled"):
    time.sleep(0.5)
    batch = client.batches.retrieve(batch.id)

for file_id in (batch.output_file_id, batch.error_file_id):
    for line in client.files.content(file_id).text.splitlines() if file_id else []:
        answer = json.loads(line)
        error = answer["error"]
        print(answer["custom_id"], error["code"] if error else answer["response"]["body"][0]["label"])
